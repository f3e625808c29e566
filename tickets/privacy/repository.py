"""Where holds, erasures and files to be removed are stored."""

from collections.abc import Mapping

from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Document, Repository
from tickets.privacy.models import ErasureState
from tickets.rules import REMOVED


class HoldRepository(Repository):
    collection_name = "legal_holds"
    noun = "The legal hold"

    def active(self) -> list[Document]:
        """Those that stand, the newest first."""
        return self.find({"lifted_at": None}, sort=[("placed_at", -1), ("_id", -1)])

    def forget_reasons(self, target: str, target_id: ObjectId) -> int:
        """Removes the reasons of the holds that were on this and are lifted; tells of how many."""
        lifted = {"target": str(target), "target_id": target_id, "lifted_at": {"$ne": None}, "reason": {"$ne": REMOVED}}
        return self.update_all(lifted, {"reason": REMOVED})


class ErasureRepository(Repository):
    collection_name = "erasures"
    noun = "The erasure"

    def find_of_user(self, user_id: ObjectId, *, content: bool) -> Document | None:
        """The erasure that covers this, if somebody asked for it before: one with content covers one without."""
        found = self.find({"user_id": user_id}, sort=[("content", -1)])
        return next((each for each in found if each["content"] or not content), None)

    def running(self) -> list[Document]:
        return self.find({"state": ErasureState.RUNNING.value}, sort=[("requested_at", 1), ("_id", 1)])

    def add_counts(self, id_: ObjectId, counts: Mapping[str, int]) -> None:
        """Adds to what is done; call it within the transaction that does it."""
        amounts = {f"counts.{name}": amount for name, amount in counts.items() if amount}
        if amounts:
            self.update_where({"_id": id_}, {}, operators={"$inc": amounts})


class FileRemovalRepository(Repository):
    collection_name = "file_removals"
    noun = "The removal"
