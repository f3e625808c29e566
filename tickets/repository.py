"""The ticket's storage."""

from ticketing.mongo import ObjectId
from ticketing.mongo.counters import next_number
from ticketing.mongo.repository import Document, Repository


class TicketRepository(Repository):
    collection_name = "tickets"
    noun = "The ticket"

    def next_number(self) -> int:
        """A number that no other ticket of the tenant has or will have. Numbers may have gaps, never twins."""
        return next_number(self.tenant_id, "tickets")

    def reserve_numbers(self, amount: int) -> int:
        """The first of ``amount`` consecutive numbers that are now taken; for importers."""
        return next_number(self.tenant_id, "tickets", amount) - amount + 1

    def find_by_number(self, number: int) -> Document | None:
        return self.find_one({"number": number})

    def find_by_external_ids(self, external_ids: list[str]) -> dict[str, ObjectId]:
        """Which of the ids an earlier import has stored, and as what."""
        # The type says that the partial index has them all; `$in` alone reads every ticket of the tenant.
        found = self.find({"external_id": {"$in": external_ids, "$type": "string"}}, fields=["external_id"])
        return {document["external_id"]: document["_id"] for document in found}
