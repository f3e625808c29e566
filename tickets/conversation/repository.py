"""The thread's storage."""

from ticketing.mongo import ObjectId
from ticketing.mongo.pages import Page, PageRequest
from ticketing.mongo.repository import Document, Repository
from tickets.conversation.models import Visibility

THREAD_ORDER = (("created_at", 1), ("_id", 1))


class CommentRepository(Repository):
    collection_name = "comments"
    noun = "The comment"

    def thread(self, ticket_id: ObjectId, request: PageRequest, *, internal: bool) -> Page:
        """A page of a ticket's comments, oldest first; internal notes only where ``internal`` says so."""
        return self.page(thread_filter(ticket_id, internal=internal), THREAD_ORDER, request)


def thread_filter(ticket_id: ObjectId, *, internal: bool) -> Document:
    """The filter of a ticket's thread as staff (internal) or a customer sees it."""
    return {"ticket_id": ticket_id} if internal else {"ticket_id": ticket_id, "visibility": Visibility.PUBLIC.value}
