"""Adding files to tickets, and reading them."""

import logging
from collections.abc import Callable
from typing import Any

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile

from accounts.actor import Actor
from accounts.roles import Action
from tenants.quotas import reserve_storage
from ticketing import clock
from ticketing.errors import NotAllowed, NotFound
from ticketing.mongo import ObjectId
from ticketing.mongo.client import transactional
from ticketing.mongo.repository import Document
from tickets.access import access_ticket, access_ticket_to_answer, sees_internal
from tickets.attachments.files import Measured, find_bucket, measure, new_key, storage_errors, store
from tickets.attachments.repository import AttachmentRepository
from tickets.attachments.rules import clean_name, clean_type
from tickets.conversation.models import Visibility
from tickets.conversation.services import access_comment
from tickets.events.repository import NewEvent
from tickets.rules import check_choice, check_open
from tickets.writer import Change, store_change

DOWNLOAD_SECONDS = 60  # to follow a redirect in; what has begun goes on
logger = logging.getLogger("ticketing.attachments")


def add_attachment(
    actor: Actor,
    reference: str | ObjectId,
    upload: "UploadedFile[Any]",
    *,
    comment_id: str | ObjectId | None = None,
    visibility: str = Visibility.PUBLIC.value,
) -> Document:
    """Adds a file to a ticket, or to a comment on it, whose visibility it then has; returns what is known about it.

    Raises InvalidInput, NotFound, NotAllowed, TooLarge, TicketClosed, QuotaExceeded; then neither
    the file nor a row is left.
    """
    check_choice("visibility", visibility, Visibility.values)
    check_addition(actor, reference, comment_id, visibility)
    key = new_key(actor.tenant_id)
    row = describe(actor, upload.name or "", clean_type(upload.content_type), key, measure(upload))
    store(key, upload)
    return record_attachment(actor, reference, row, comment_id=comment_id, visibility=visibility)


def describe(actor: Actor, name: str, content_type: str, storage_key: str, measured: Measured) -> Document:
    """What is known about a new file; ``content_type`` is the declared one."""
    return {
        "name": clean_name(name),
        "size": measured.size,
        "content_type": content_type,
        "sniffed_type": measured.sniffed_type,
        "sha256": measured.sha256,
        "storage_key": storage_key,
        "uploaded_by_id": actor.user_id,
        "created_at": clock.now(),
    }


def record_attachment(
    actor: Actor,
    reference: str | ObjectId,
    row: Document,
    *,
    comment_id: str | ObjectId | None,
    visibility: str,
    claim: Callable[[ObjectId], None] = lambda _: None,
) -> Document:
    """Records a file that is stored already; where that fails, the file is removed.

    ``claim`` gets the new attachment's id, within the transaction and before anything is written. Raises as
    ``add_attachment`` does.
    """
    rolled_back = True

    @transactional
    def record() -> Document:
        nonlocal rolled_back
        rolled_back = True
        stored = insert_attachment(actor, reference, row, comment_id=comment_id, visibility=visibility, claim=claim)
        rolled_back = False
        return stored

    try:
        return record()
    except BaseException:
        # A commit that failed may have happened all the same: then `manage.py sweep_files` decides.
        if rolled_back:
            default_storage.delete(row["storage_key"])
        raise


@transactional
def insert_attachment(
    actor: Actor,
    reference: str | ObjectId,
    row: Document,
    *,
    comment_id: str | ObjectId | None,
    visibility: str,
    claim: Callable[[ObjectId], None],
) -> Document:
    """What ``record_attachment`` does; where it or the transaction fails, the file is the caller's to remove."""
    # Looked at again: the upload took its time.
    ticket, visible_as, comment, moved_from_id = check_addition(actor, reference, comment_id, visibility)
    place = {"ticket_id": ticket["_id"], "comment_id": comment and comment["_id"], "visibility": visible_as}
    place["moved_from_id"] = moved_from_id
    attachment_id = ObjectId()
    claim(attachment_id)
    stored = AttachmentRepository(actor.tenant_id).insert({"_id": attachment_id, **row, **place})
    store_change(actor, ticket, change_by_attachment(stored), row["created_at"])
    reserve_storage(actor.tenant_id, row["size"])
    return stored


def access_attachment(actor: Actor, attachment_id: str | ObjectId) -> Document:
    """An attachment that the actor may read. Raises NotFound for a missing, a foreign and an invisible one alike."""
    actor.check(Action.ATTACHMENTS_READ)
    missing = NotFound("The attachment does not exist")
    found = None
    if ObjectId.is_valid(attachment_id):
        found = AttachmentRepository(actor.tenant_id).find_one({"_id": ObjectId(attachment_id)})
    if found is None or (_is_internal(found) and not sees_internal(actor)):
        raise missing
    try:
        access_ticket(actor, found["ticket_id"])
    except NotFound:
        raise missing from None
    return found


def find_download_url(attachment: Document, method: str = "GET") -> str | None:
    """Where the bytes are to be had for a minute without us, by GET or HEAD; None where they come from us."""
    bucket = find_bucket()
    if bucket is None:
        return None
    name, key = attachment["name"], attachment["storage_key"]
    return bucket.presigned_get(key, name=name, seconds=DOWNLOAD_SECONDS, method=method)


@storage_errors()
def open_file(attachment: Document) -> "File[Any]":
    """An attachment's open file, which the caller closes. Raises NotFound, FilesUnavailable."""
    try:
        return default_storage.open(attachment["storage_key"])
    except FileNotFoundError:
        logger.exception("an attachment's file is missing", extra={"attachment": str(attachment["_id"])})
        raise NotFound("The attachment's file is missing") from None


def check_addition(
    actor: Actor, reference: str | ObjectId, comment_id: str | ObjectId | None, visibility: str
) -> tuple[Document, str, Document | None, ObjectId | None]:
    """The ticket, the attachment's visibility, and the comment, if the actor may add it there; and the merged ticket
    that it comes from then, if any, as the comment does.

    Raises NotFound, NotAllowed, TicketClosed.
    """
    actor.check(Action.ATTACHMENTS_ADD)
    ticket, moved_from_id = access_ticket_to_answer(actor, reference)
    comment = None if comment_id is None else _comment_on(actor, ticket, comment_id)
    visible_as: str = visibility if comment is None else comment["visibility"]
    if visible_as == Visibility.INTERNAL.value:
        actor.check(Action.COMMENTS_ADD_INTERNAL)
    check_open(ticket["status"])
    return ticket, visible_as, comment, moved_from_id if comment is None else comment.get("moved_from_id")


def _comment_on(actor: Actor, ticket: Document, comment_id: str | ObjectId) -> Document:
    comment = access_comment(actor, comment_id)
    if comment["ticket_id"] != ticket["_id"]:
        raise NotFound("The comment does not exist")
    if not actor.is_staff and comment["author_id"] != actor.user_id:
        raise NotAllowed("Only its author may add a file to a comment")
    return comment


def change_by_attachment(attachment: Document) -> Change:
    """What a new attachment brings with it: the counter and the event."""
    internal = _is_internal(attachment)
    data = {"attachment_id": attachment["_id"], **{name: attachment[name] for name in ("name", "size", "visibility")}}
    event = NewEvent("attachment.added", {}, {**data, "comment_id": attachment["comment_id"]})
    counter = "internal_attachment_count" if internal else "attachment_count"
    return Change(increments={counter: 1}, events=[event], internal=internal)


def _is_internal(attachment: Document) -> bool:
    internal: bool = attachment["visibility"] == Visibility.INTERNAL.value
    return internal
