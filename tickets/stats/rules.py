"""How tickets are counted: what a ticket counts as, the cells it is counted in, and which of them answer a question.

A cell holds the counts of a slice over a period. A slice is all tickets, or those with one value of one dimension;
within it they are counted by status, and by every dimension and status. So one cell answers for any set of statuses,
and its size depends on how many values there are, never on how many tickets.

How long tickets took is kept apart, at the level TIMES: by the day of the first response or of the resolution, by
status, and in the buckets of durations.py.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from sys import intern
from typing import Any, NamedTuple
from urllib.parse import unquote

from tickets.stats.durations import bucket_of

DIMENSIONS = ("priority", "category", "type", "assigned_to", "team")
ALL, MONTH, DAY, TIMES = "all", "month", "day", "times"
TIME_KINDS = ("first_response", "resolution")
# A day is kept for few slices only: one of the others over parts of a month has few tickets to count one by one.
DAY_SLICES = frozenset({"", "priority", "type"})

MAX_CATEGORIES = 500
OTHER = "*"

Increments = dict["Cell", Counter[str]]


class Cell(NamedTuple):
    """A cell's key. ``dimension`` and ``value`` are empty for the slice of all tickets, ``period`` for all time."""

    dimension: str
    value: str
    level: str
    period: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a ticket is counted by. Ids are hex, and empty for nobody; days are ISO dates in UTC.

    ``response_time`` and ``resolution_time`` are buckets of the time since the ticket was opened.
    """

    status: str
    priority: str
    category: str
    type: str
    assigned_to: str
    team: str
    tags: tuple[str, ...]
    created: str
    resolved: str | None
    responded: str | None = None
    response_time: int | None = None
    resolution_time: int | None = None

    @classmethod
    def of(cls, ticket: Mapping[str, Any]) -> "Facts":
        """The facts of a ticket's document."""
        return cls(
            text_of(ticket["status"]),
            text_of(ticket["priority"]),
            text_of(ticket["category"]),
            text_of(ticket["type"]),
            text_of(ticket["assigned_to_id"]),
            text_of(ticket["team_id"]),
            tuple(sorted(map(text_of, set(ticket["tags"])))),
            text_of(ticket["created_at"].date()),
            _day_of(ticket["resolved_at"]),
            _day_of(ticket["first_responded_at"]),
            _bucket_since(ticket["created_at"], ticket["first_responded_at"]),
            _bucket_since(ticket["created_at"], ticket["resolved_at"]),
        )

    @classmethod
    def stored(cls, document: Mapping[str, Any], times: Mapping[str, Any] | None) -> "Facts":
        """The facts that ``as_document`` and ``times_document`` gave; a version without times left none."""
        return cls(**{**document, "tags": tuple(document["tags"])}, **(times or {}))

    def as_document(self) -> dict[str, Any]:
        """All but the times: a version that does not know them reads this."""
        names = [name for name in self.__slots__ if name not in _TIMES]
        return {**{name: getattr(self, name) for name in names}, "tags": list(self.tags)}

    def times(self) -> Iterator[tuple[str, str, int]]:
        """What is known of how long it took: the kind, the day when it was done, and the bucket."""
        if self.responded and self.response_time is not None:
            yield "first_response", self.responded, self.response_time
        if self.resolved and self.resolution_time is not None:
            yield "resolution", self.resolved, self.resolution_time

    def times_document(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _TIMES}


_TIMES = ("responded", "response_time", "resolution_time")


TICKET_FIELDS = (
    "status",
    "priority",
    "category",
    "type",
    "assigned_to_id",
    "team_id",
    "tags",
    "created_at",
    "first_responded_at",
    "resolved_at",
)


@dataclass(frozen=True, slots=True)
class Categories:
    """The categories that are counted by name: the first MAX_CATEGORIES; all later ones count as OTHER.

    Text that anybody may invent must not make a cell grow without bound. A name once given or refused stays so.
    """

    named: frozenset[str] = frozenset()

    def after(self, seen: Iterable[Facts]) -> "Categories":
        """The names once these facts are counted too."""
        new = dict.fromkeys(facts.category for facts in seen if facts.category not in self.named)
        return Categories(self.named.union(list(new)[: MAX_CATEGORIES - len(self.named)]))

    def names(self, category: str) -> bool:
        """Whether the category is counted by its name, now or as soon as a ticket has it."""
        return category in self.named or len(self.named) < MAX_CATEGORIES

    def name_of(self, category: str) -> str | None:
        """What the category counts as: itself, or None as one of all the others."""
        return category if category in self.named else None


@dataclass(frozen=True, slots=True)
class StatsFilter:
    """Which tickets to count: any of the values of each dimension that is given, and all dimensions at once.

    ``assigned_to`` and ``team`` hold ids, None for nobody; any of the tags in ``tag`` is enough. ``residual`` is a
    MongoDB filter on tickets for whatever else the list can filter by.
    """

    status: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    type: tuple[str, ...] = ()
    assigned_to: tuple[Any, ...] = ()
    team: tuple[Any, ...] = ()
    tag: tuple[str, ...] = ()
    residual: Mapping[str, Any] | None = None

    def slices(self, categories: Categories) -> list[tuple[str, str]] | None:
        """The slices that together hold the matches of everything but ``status``, or None where no slices do."""
        given = [name for name in (*DIMENSIONS, "tag") if getattr(self, name)]
        if self.residual or len(given) > 1:
            return None
        if not given:
            return [("", "")]
        values = list(dict.fromkeys(text_of(value) for value in getattr(self, given[0])))
        if given == ["tag"] and len(values) > 1:  # a ticket may have both
            return None
        if given == ["category"] and not all(map(categories.names, values)):
            return None
        return [(given[0], encode(value)) for value in values]

    def matches(self, facts: Facts) -> bool:
        """Whether a ticket of these facts is meant, leaving ``residual`` aside."""
        if self.tag and not set(self.tag) & set(facts.tags):
            return False
        wanted = ((getattr(self, name), getattr(facts, name)) for name in ("status", *DIMENSIONS))
        return all(not values or actual in map(text_of, values) for values, actual in wanted)

    def match(self) -> dict[str, Any]:
        """The same as a MongoDB filter on tickets, ``residual`` included."""
        columns = {"assigned_to": "assigned_to_id", "team": "team_id", "tag": "tags"}
        names = ("status", *DIMENSIONS, "tag")
        given = [{columns.get(name, name): {"$in": list(getattr(self, name))}} for name in names if getattr(self, name)]
        conditions = [*given, dict(self.residual)] if self.residual else given
        return {"$and": conditions} if conditions else {}


def net_changes(changes: Iterable[tuple[Facts | None, Facts | None]], categories: Categories) -> Increments:
    """What the changes (facts before and after, None for no ticket) add to each cell's counts, zeros left out."""
    signed: Counter[Facts] = Counter()
    for before, after in changes:
        if before is not None:
            signed[before] -= 1
        if after is not None:
            signed[after] += 1
    increments: Increments = {}
    for facts, amount in signed.items():
        if amount:
            _add(increments, facts, amount, categories)
    kept = {cell: Counter({path: n for path, n in counts.items() if n}) for cell, counts in increments.items()}
    return {cell: counts for cell, counts in kept.items() if counts}


def flattened(cell: Mapping[str, Any]) -> Counter[str]:
    """A stored cell's counts by path, as ``net_changes`` names them, zeros left out."""
    counts: Counter[str] = Counter({"weight": cell["weight"]} if cell["weight"] else {})
    for part in ("total", "by", "created", "resolved", *TIME_KINDS):
        counts.update(dict(_leaves(part, cell.get(part, {}))))
    return counts


@lru_cache(maxsize=10_000)
def encode(value: str) -> str:
    """A value as a key within a stored cell: MongoDB gives dots and dollars a meaning and knows no empty names."""
    return "=" + "".join(_ESCAPES.get(character, character) for character in value)


def decode(key: str) -> str | None:
    """The value behind a key; None for OTHER."""
    return None if key == OTHER else unquote(key[1:])


def text_of(value: Any) -> str:
    """An id, a text or a day as facts hold it; nobody is the empty text.

    Equal texts are one: a recount holds the facts of every ticket.
    """
    return "" if value is None else intern(str(value))


def _day_of(moment: datetime | None) -> str | None:
    return None if moment is None else text_of(moment.date())


def _bucket_since(start: datetime, end: datetime | None) -> int | None:
    return None if end is None else bucket_of(end - start)


_ESCAPES = {"%": "%25", ".": "%2E", "$": "%24", "\0": "%00"}


def _add(increments: Increments, facts: Facts, amount: int, categories: Categories) -> None:
    values = {name: encode(getattr(facts, name)) for name in DIMENSIONS}
    if facts.category not in categories.named:
        values["category"] = OTHER
    counts = [
        f"total.{facts.status}",
        *(f"by.{name}.{value}.{facts.status}" for name, value in values.items()),
        "weight",
    ]
    for dimension, value in [("", ""), *values.items(), *(("tag", encode(tag)) for tag in facts.tags)]:
        month = Cell(dimension, value, MONTH, facts.created[:7])
        _add_to(increments, Cell(dimension, value, ALL, ""), amount, counts)
        _add_to(increments, month, amount, [*counts, f"created.{facts.created[8:]}.{facts.status}"])
        if dimension in DAY_SLICES:
            _add_to(increments, Cell(dimension, value, DAY, facts.created), amount, counts)
        if facts.resolved:
            resolved = Cell(dimension, value, MONTH, facts.resolved[:7])
            _add_to(increments, resolved, amount, [f"resolved.{facts.resolved[8:]}.{facts.status}", "weight"])
        for kind, day, bucket in facts.times():
            times = Cell(dimension, value, TIMES, day[:7])
            _add_to(increments, times, amount, [f"{kind}.{day[8:]}.{facts.status}.{bucket}", "weight"])


def _add_to(increments: Increments, cell: Cell, amount: int, paths: Iterable[str]) -> None:
    counts = increments.get(cell)
    if counts is None:
        counts = increments[cell] = Counter()
    for path in paths:
        counts[path] += amount


def _leaves(path: str, counts: Any) -> Iterator[tuple[str, int]]:
    if isinstance(counts, Mapping):
        for name, inner in counts.items():
            yield from _leaves(f"{path}.{name}", inner)
    elif counts:
        yield path, counts
