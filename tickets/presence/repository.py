"""Storage of presence."""

from datetime import datetime

from ticketing.errors import AlreadyExists
from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Document, Repository

_MOST = 20  # more names than this tell nobody anything


class PresenceRepository(Repository):
    collection_name = "presence"
    noun = "The presence"

    def note(
        self, ticket_id: ObjectId, user_id: ObjectId, *, is_writing: bool, seen_at: datetime, expires_at: datetime
    ) -> None:
        """Stores that somebody is on the ticket, in place of what was known of him there."""
        seen = {"is_writing": is_writing, "seen_at": seen_at, "expires_at": expires_at}
        try:
            self.update_where({"ticket_id": ticket_id, "user_id": user_id}, seen, upsert=True)
        except AlreadyExists:  # his other tab was first, with the same to tell
            return

    def forget(self, ticket_id: ObjectId, user_id: ObjectId) -> None:
        self.delete({"ticket_id": ticket_id, "user_id": user_id})

    def others(self, ticket_id: ObjectId, user_id: ObjectId | None, now: datetime) -> list[Document]:
        """Who else is on the ticket; the TTL index removes the expired ones only once a minute."""
        where = {"ticket_id": ticket_id, "user_id": {"$ne": user_id}, "expires_at": {"$gt": now}}
        return self.find(where, fields=["user_id", "is_writing"], sort=[("user_id", 1)], limit=_MOST)
