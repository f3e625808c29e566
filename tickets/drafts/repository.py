"""Storage of drafts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Document, Repository

DUE_AT_ONCE = 100


class DraftRepository(Repository):
    collection_name = "drafts"
    noun = "The draft"

    def find_of(self, author_id: ObjectId | None, ticket_id: ObjectId) -> Document | None:
        return self.find_one({"author_id": author_id, "ticket_id": ticket_id})

    def settle(self, draft: Document, changes: Mapping[str, Any]) -> Document | None:
        """Changes a draft that is on its way as it was read; None when somebody else was faster."""
        return self.update_where(_on_its_way(draft), changes, operators={"$inc": {"version": 1}})

    def remove_sent(self, draft: Document) -> bool:
        """Removes a draft that is on its way as it was read; False when somebody else was faster."""
        return self.delete(_on_its_way(draft)) == 1

    def due(self, before: datetime) -> list[Document]:
        """The first of those whose time has come, the oldest first."""
        return self.find({"send_at": {"$lte": before}}, sort=[("send_at", 1)], limit=DUE_AT_ONCE, hint="drafts_due")


def _on_its_way(draft: Document) -> Document:
    return {"_id": draft["_id"], "version": draft["version"], "send_at": {"$ne": None}}
