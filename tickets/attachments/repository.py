"""What is known about the files, and about those that are announced."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ticketing.mongo import ObjectId
from ticketing.mongo.pages import Page, PageRequest
from ticketing.mongo.repository import Document, Repository
from tickets.conversation.models import Visibility

ATTACHMENT_ORDER = (("created_at", 1), ("_id", 1))


class AttachmentRepository(Repository):
    collection_name = "attachments"
    noun = "The attachment"

    def page_of(
        self,
        ticket_id: ObjectId,
        request: PageRequest,
        *,
        internal: bool,
        comment_ids: Iterable[ObjectId] | None = None,
    ) -> Page:
        """A page of a ticket's attachments, oldest first; internal ones only where ``internal`` says so.

        Where comments are given, theirs and those that came with none.
        """
        where: dict[str, Any] = {"ticket_id": ticket_id}
        if not internal:
            where["visibility"] = Visibility.PUBLIC.value
        if comment_ids is not None:
            where["comment_id"] = {"$in": [*comment_ids, None]}
        return self.page(where, ATTACHMENT_ORDER, request, hint="attachments_ticket")


class UploadRepository(Repository):
    collection_name = "uploads"
    noun = "The upload"

    def announced_bytes(self, now: datetime) -> int:
        """How many bytes may yet become attachments of the tenant."""
        pending = {"attachment_id": None, "expires_at": {"$gt": now}}
        found = self.aggregate(pending, [{"$group": {"_id": None, "bytes": {"$sum": "$size"}}}])
        return int(found[0]["bytes"]) if found else 0

    def complete(self, id_: ObjectId, attachment_id: ObjectId) -> Document | None:
        """Names the attachment that the upload has become; None when it has one already, or is gone."""
        return self.update_where({"_id": id_, "attachment_id": None}, {"attachment_id": attachment_id})
