"""Storage of mentions."""

from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Repository


class MentionRepository(Repository):
    collection_name = "mentions"
    noun = "The mention"

    def named_in(self, comment_id: ObjectId, ticket_id: ObjectId) -> list[ObjectId]:
        """Whom a comment has named so far."""
        found = self.find({"ticket_id": ticket_id, "comment_id": comment_id}, fields=["user_id"])
        return [mention["user_id"] for mention in found]
