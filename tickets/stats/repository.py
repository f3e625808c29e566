"""Where statistics are stored, and how tickets are counted one by one where no cell has the answer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ticketing.errors import AlreadyExists
from ticketing.mongo.client import current_session
from ticketing.mongo.repository import Document, Find, Repository
from tickets.repository import TicketRepository
from tickets.stats.durations import BOUNDS
from tickets.stats.periods import Days
from tickets.stats.rules import (
    ALL,
    DIMENSIONS,
    MONTH,
    TICKET_FIELDS,
    TIME_KINDS,
    TIMES,
    Categories,
    Cell,
    Facts,
    Increments,
)

FOLDING_LEASE = timedelta(seconds=60)
_LENGTH_OF_PERIOD = {ALL: 0, MONTH: 7}
_ISO_DAY = "%Y-%m-%d"


class _Counts(Repository):
    """Counts that changes are added to, one document for each cell."""

    noun = "The cell"

    def add(self, increments: Increments) -> None:
        """Adds to the cells' counts, and removes the cells in which nothing is counted any more."""
        self.increment_many((cell._asdict(), counts) for cell, counts in increments.items())
        if any(counts["weight"] < 0 for counts in increments.values()):
            self.delete({"weight": 0})

    def everything(self) -> Iterator[tuple[Cell, Document]]:
        """All cells of the tenant, one after the other."""
        for document in self.collection.find(self.scoped({}), session=current_session()):
            yield Cell(*(document[name] for name in Cell._fields)), document


class CellRepository(_Counts):
    collection_name = "stat_cells"

    def at(self, slices: Sequence[tuple[str, str]], level: str, periods: Days, *, fields: Sequence[str]) -> Find:
        """The cells of the slices (all of one dimension) at a level, over a half-open range of days."""
        bounds = zip(("$gte", "$lt"), periods, strict=True)
        within = {bound: day.isoformat()[: _LENGTH_OF_PERIOD.get(level)] for bound, day in bounds if day is not None}
        where = {
            "dimension": slices[0][0],
            "value": {"$in": [value for _, value in slices]},
            "level": level,
            **({"period": within} if within else {}),
        }
        return Find(self, where, ["period", *fields])

    def by_day(self, slices: Sequence[tuple[str, str]], months: Sequence[str], since: str) -> Find:
        """What was created and resolved on each day of these months, and of every month since ``since``."""
        where = {
            "dimension": slices[0][0],
            "value": {"$in": [value for _, value in slices]},
            "level": MONTH,
            "$or": [{"period": {"$in": list(months)}}, {"period": {"$gte": since}}],
        }
        return Find(self, where, ["period", "created", "resolved"])


class TimesRepository(_Counts):
    collection_name = "stat_times"

    def during(self, slices: Sequence[tuple[str, str]], months: Sequence[str]) -> Find:
        """How long tickets of the slices (all of one dimension) took, in these months."""
        where = {
            "dimension": slices[0][0],
            "value": {"$in": [value for _, value in slices]},
            "level": TIMES,
            "period": {"$in": list(months)},
        }
        return Find(self, where, ["period", *TIME_KINDS])


class DeltaRepository(Repository):
    collection_name = "stat_deltas"
    noun = "The delta"

    def waiting(self, limit: int = 0) -> list[Document]:
        """The oldest changes that are not folded yet (0: all of them)."""
        return self.find({}, sort=[("_id", 1)], limit=limit)

    def remove(self, deltas: Iterable[Document]) -> None:
        self.delete({"_id": {"$in": [delta["_id"] for delta in deltas]}})


class LedgerRepository(Repository):
    collection_name = "stat_ledgers"
    noun = "The ledger"

    def categories(self) -> Categories:
        """The categories that are counted by name."""
        return named_categories(self.find({}, fields=["categories"]))

    def name(self, categories: Iterable[str]) -> None:
        """Adds categories that are counted by name from now on."""
        self.update_where({}, {}, operators={"$addToSet": {"categories": {"$each": sorted(categories)}}}, upsert=True)

    def claim(self, now: datetime) -> bool:
        """Whether the caller is the one who folds now. A claim that is not released ends by itself."""
        free = {"folding_until": {"$not": {"$gt": now}}}
        try:
            self.update_where(free, {"folding_until": now + FOLDING_LEASE}, upsert=True)
        except AlreadyExists:  # somebody else's claim stands, so the upsert tried to insert a second ledger
            return False
        return True

    def release(self) -> None:
        self.update_where({}, {"folding_until": None})


class CountedTickets(TicketRepository):
    """Tickets counted one by one: exact for any filter, at the cost of reading every match."""

    def facts(self) -> Iterator[Facts]:
        """What every ticket of the tenant counts as."""
        projection = dict.fromkeys(TICKET_FIELDS, 1)
        for ticket in self.collection.find(self.scoped({}), projection, session=current_session()):
            yield Facts.of(ticket)

    def count_by(self, where: Mapping[str, Any], days_since: datetime, milliseconds: int) -> dict[str, list[Document]]:
        """The matches by status and each dimension as {_id: value, count}, and as ``created`` by {day, status}."""
        columns = {
            "status": "status",
            **{name: name for name in DIMENSIONS},
            "assigned_to": "assigned_to_id",
            "team": "team_id",
        }
        branches: dict[str, Any] = {name: [_grouped(f"${column}")] for name, column in columns.items()}
        branches["created"] = [
            {"$match": {"created_at": {"$gte": days_since}}},
            _grouped({"day": _day_of("created_at"), "status": "$status"}),
        ]
        stages = [{"$project": dict.fromkeys(TICKET_FIELDS, 1)}, {"$facet": branches}]
        found: dict[str, list[Document]] = self.aggregate(where, stages, maxTimeMS=milliseconds)[0]
        return found

    def count_resolved(
        self, where: Mapping[str, Any], start: datetime, end: datetime, milliseconds: int
    ) -> list[Document]:
        """The matches that were resolved in [start, end) as {_id: day, count}."""
        within = {"resolved_at": {"$gte": start, "$lt": end}}
        both = {"$and": [where, within]} if where else within
        return self.aggregate(both, [_grouped(_day_of("resolved_at"))], maxTimeMS=milliseconds)

    def count_times(
        self, where: Mapping[str, Any], column: str, start: datetime, end: datetime, milliseconds: int
    ) -> list[Document]:
        """The matches whose ``column`` lies in [start, end), by the bucket's beginning in ``durations.BOUNDS``."""
        within = {column: {"$gte": start, "$lt": end}}
        elapsed = {"$max": [0, {"$subtract": [f"${column}", "$created_at"]}]}
        buckets = {"groupBy": elapsed, "boundaries": [0, *BOUNDS], "default": BOUNDS[-1]}
        both = {"$and": [where, within]} if where else within
        return self.aggregate(both, [{"$bucket": buckets}], maxTimeMS=milliseconds)


def _grouped(key: Any) -> Document:
    return {"$group": {"_id": key, "count": {"$sum": 1}}}


def _day_of(column: str) -> Document:
    return {"$dateToString": {"date": f"${column}", "format": _ISO_DAY}}


def named_categories(ledgers: Iterable[Document]) -> Categories:
    """The categories that a tenant's ledger names; there is none before the first folding."""
    return Categories(frozenset(category for ledger in ledgers for category in ledger.get("categories", ())))


def stored_change(delta: Mapping[str, Any]) -> tuple[Facts | None, Facts | None]:
    """The facts before and after that a delta holds."""
    before, after = (
        None if delta[name] is None else Facts.stored(delta[name], delta.get(f"{name}_times"))
        for name in ("before", "after")
    )
    return before, after
