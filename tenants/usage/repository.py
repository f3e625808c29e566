"""Where usage is stored: a document for each tenant and day."""

from collections.abc import Iterable, Mapping

from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Document, PlatformRepository


class UsageRepository(PlatformRepository):
    """A tenant's day is made by whatever adds to it first."""

    collection_name = "tenant_usage"
    noun = "The usage"

    def add(self, amounts: Mapping[tuple[ObjectId, str], Mapping[str, float]]) -> None:
        """Counts up, by tenant and day."""
        self.increment_many(
            ({"tenant_id": tenant_id, "day": day}, counted) for (tenant_id, day), counted in amounts.items()
        )

    def set_stored_bytes(self, day: str, sizes: Mapping[ObjectId, int]) -> None:
        for tenant_id, size in sizes.items():
            self.update_where({"tenant_id": tenant_id, "day": day}, {"stored_bytes": size}, upsert=True)

    def of(self, tenant_ids: Iterable[ObjectId], since: str, until: str) -> list[Document]:
        """The days from ``since`` to ``until``, both included, by tenant and day."""
        where = {"tenant_id": {"$in": list(tenant_ids)}, "day": {"$gte": since, "$lte": until}}
        return self.find(where, sort=[("tenant_id", 1), ("day", 1)])
