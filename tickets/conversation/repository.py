"""The thread's storage."""

from collections.abc import Sequence

from ticketing.mongo import ObjectId
from ticketing.mongo.pages import Page, PageRequest
from ticketing.mongo.repository import Document, Find, Repository
from tickets.conversation.models import Visibility

THREAD_ORDER = (("created_at", 1), ("_id", 1))


class CommentRepository(Repository):
    collection_name = "comments"
    noun = "The comment"

    def thread(self, ticket_id: ObjectId, request: PageRequest, *, internal: bool) -> Page:
        """A page of a ticket's comments, oldest first; internal notes only where ``internal`` says so."""
        return self.page(thread_filter(ticket_id, internal=internal), THREAD_ORDER, request)

    def first_of(self, ticket_id: ObjectId, amount: int, *, internal: bool) -> Find:
        """The question for a ticket's oldest ``amount`` comments, to be asked with others."""
        return Find(self, thread_filter(ticket_id, internal=internal), sort=THREAD_ORDER, limit=amount)

    def first_of_each(
        self, ticket_ids: Sequence[ObjectId], amount: int, *, internal: bool
    ) -> dict[ObjectId, list[Document]]:
        """The oldest ``amount`` comments of each of the tickets; tickets without any are left out."""
        stages: list[Document] = [
            {"$sort": {"ticket_id": 1, **dict(THREAD_ORDER)}},
            {"$group": {"_id": "$ticket_id", "first": {"$firstN": {"input": "$$ROOT", "n": amount}}}},
        ]
        where = thread_filter({"$in": list(ticket_ids)}, internal=internal)
        return {found["_id"]: found["first"] for found in self.aggregate(where, stages)}


def thread_filter(ticket_id: ObjectId | Document, *, internal: bool) -> Document:
    """The filter of a thread, or with a condition of several, as staff (internal) or a customer sees it."""
    return {"ticket_id": ticket_id} if internal else {"ticket_id": ticket_id, "visibility": Visibility.PUBLIC.value}
