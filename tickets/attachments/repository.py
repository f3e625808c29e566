"""What is known about the files."""

from ticketing.mongo import ObjectId
from ticketing.mongo.pages import Page, PageRequest
from ticketing.mongo.repository import Repository
from tickets.conversation.models import Visibility

ATTACHMENT_ORDER = (("created_at", 1), ("_id", 1))


class AttachmentRepository(Repository):
    collection_name = "attachments"
    noun = "The attachment"

    def page_of(self, ticket_id: ObjectId, request: PageRequest, *, internal: bool) -> Page:
        """A page of a ticket's attachments, oldest first; internal ones only where ``internal`` says so."""
        visible = {} if internal else {"visibility": Visibility.PUBLIC.value}
        return self.page({"ticket_id": ticket_id, **visible}, ATTACHMENT_ORDER, request)
