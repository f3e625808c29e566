"""Where exports that were asked for are stored."""

from datetime import datetime

from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Document, Repository
from tickets.transfer.models import ExportState


class ExportRepository(Repository):
    collection_name = "exports"
    noun = "The export"

    def find_pending(self) -> Document | None:
        """The one that is queued or running."""
        return self.find_one({"is_pending": True})

    def expired(self, now: datetime) -> list[Document]:
        return self.find({"expires_at": {"$lte": now}}, fields=["storage_key"])

    def change_running(self, id_: ObjectId, **changes: object) -> Document | None:
        """Changes an export that is being made; None when somebody has removed it meanwhile."""
        return self.update_where({"_id": id_, "state": ExportState.RUNNING.value}, changes)
