"""Answering a question from cells and waiting deltas, and from the tickets themselves where no cell has the answer."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.conf import settings

from ticketing.errors import InvalidInput, StorageUnavailable
from ticketing.mongo import ObjectId
from ticketing.mongo.client import ran_out_of_time, snapshot
from ticketing.mongo.repository import Document, Find, find_together
from tickets.stats.durations import BOUNDS
from tickets.stats.periods import Days, Moments, Pieces, contains, cut, months_of, whole_days
from tickets.stats.repository import (
    CellRepository,
    CountedTickets,
    DeltaRepository,
    LedgerRepository,
    TimesRepository,
    named_categories,
    stored_change,
)
from tickets.stats.rules import ALL, DAY, DAY_SLICES, DIMENSIONS, MONTH, Categories, Facts, StatsFilter, text_of
from tickets.stats.tally import OLDEST_DAYS, Tally

Slices = Sequence[tuple[str, str]]


class TooManyTickets(InvalidInput):
    """The filter needs tickets to be counted one by one, and there are too many for the time allowed."""

    code, title = "too_many_tickets", "Too many tickets to be counted one by one; narrow the filter or the period"


@dataclass(frozen=True, slots=True)
class Question:
    """Matches of ``filters`` that were created in [start, end), by day over ``days``, with ages as of ``today``."""

    filters: StatsFilter
    start: datetime | None
    end: datetime | None
    days: tuple[date, date]
    today: date

    @property
    def oldest_day(self) -> date:
        """The first of the days that the ages are counted by."""
        return self.today - timedelta(days=OLDEST_DAYS - 1)

    def wants_created(self, day: str) -> bool:
        return contains(self.days, day) or day >= self.oldest_day.isoformat()

    def wants_done(self, day: str) -> bool:
        """Whether what was answered or resolved on the day counts."""
        return contains(self.days, day)


@snapshot()
def count(tenant_id: ObjectId, question: Question) -> tuple[Tally, int]:
    """The exact counts of one moment, and how many deltas waited. Raises TooManyTickets."""
    deltas, ledgers = find_together([_waiting(tenant_id), Find(LedgerRepository(tenant_id), {}, ["categories"])])
    changes = [stored_change(delta) for delta in deltas]
    categories = named_categories(ledgers).after(facts for pair in changes for facts in pair if facts)
    slices = question.filters.slices(categories)
    reading = _Reading(tenant_id, question, categories)
    if slices is None:
        reading.count_tickets()
    else:
        reading.read_cells(slices)
        reading.add_changes(changes, slices)
    return reading.tally, len(changes)


@snapshot()
def count_desk(tenant_id: ObjectId, backlog: Question, flow: Question) -> tuple[Tally, Tally, int]:
    """What is there (by status, dimension and age) and what went on over days, of one moment, and how many deltas
    waited. Both questions are about the same slices and all time; each tally holds its own half only, and nothing by
    category, whose names would be one more to read."""
    categories = Categories()
    slices = backlog.filters.slices(categories)
    if slices is None:
        raise ValueError("no cells answer for the desk's filter")
    months, cells = months_of(*flow.days), CellRepository(tenant_id)
    stock, went_on = (_Reading(tenant_id, question, categories) for question in (backlog, flow))
    deltas, totals, by_day, times = find_together(
        [
            _waiting(tenant_id),
            cells.at(slices, ALL, (None, None), fields=("total", "by")),
            cells.by_day(slices, months, backlog.oldest_day.isoformat()[:7]),
            TimesRepository(tenant_id).during(slices, months),
        ]
    )
    changes = [stored_change(delta) for delta in deltas]
    stock.add_cells(totals)
    went_on.add_times(times)
    for reading in (stock, went_on):
        reading.add_months(by_day)
        reading.add_changes(changes, slices)
    return stock.tally, went_on.tally, len(changes)


def _waiting(tenant_id: ObjectId) -> Find:
    """The changes that no cell holds yet."""
    return Find(DeltaRepository(tenant_id), {}, sort=[("_id", 1)])


class _Reading:
    """One answer being added up, within one snapshot."""

    def __init__(self, tenant_id: ObjectId, question: Question, categories: Categories) -> None:
        self.question = question
        self.categories = categories
        self.tally = Tally(question.filters.status)
        self._cells = CellRepository(tenant_id)
        self._times = TimesRepository(tenant_id)
        self._tickets = CountedTickets(tenant_id)
        self._whole_days = whole_days(question.start, question.end)

    def read_cells(self, slices: Slices) -> None:
        """Adds the cells of the slices, and tickets one by one in the parts of the period that have no cells."""
        pieces = self._pieces(slices)
        ranges = [(MONTH, pieces.months)] if pieces.months else []
        ranges += [(DAY, days) for days in pieces.days]
        months = months_of(*self.question.days)
        by_day, times, *cells = find_together(
            [
                self._cells.by_day(slices, months, self.question.oldest_day.isoformat()[:7]),
                self._times.during(slices, months),
                *(
                    self._cells.at(slices, ALL if days == (None, None) else level, days, fields=("total", "by"))
                    for level, days in ranges
                ),
            ]
        )
        for found in cells:
            self.add_cells(found)
        self.add_months(by_day)
        self.add_times(times)
        for edge in pieces.edges:
            self._count_created(edge, lambda day: not contains(self._whole_days, day))

    def add_cells(self, cells: Iterable[Document]) -> None:
        for cell in cells:
            self.tally.add_cell(cell)

    def add_months(self, months: Iterable[Document]) -> None:
        for month in months:
            self.tally.add_month(month, self._is_counted_by_day, self.question.wants_done)

    def add_times(self, months: Iterable[Document]) -> None:
        for month in months:
            self.tally.add_times(month, self.question.wants_done)

    def add_changes(self, changes: Iterable[tuple[Facts | None, Facts | None]], slices: Slices) -> None:
        """Adds the changes that the cells do not hold yet."""
        pieces = self._pieces(slices)
        covered = [days for days in (pieces.months, *pieces.days) if days is not None]
        for change in changes:
            for facts, amount in zip(change, (-1, +1), strict=True):
                if facts is not None and self.question.filters.matches(facts):
                    self._add_facts(facts, amount, covered)

    def count_tickets(self) -> None:
        """Counts all matches one by one."""
        question = self.question
        self._count_created((question.start, question.end), question.wants_created)
        first, last = (datetime.combine(day, time(), UTC) for day in question.days)
        with _time_limit() as milliseconds:
            for row in self._tickets.count_resolved(question.filters.match(), first, last, milliseconds):
                self.tally.resolved[row["_id"]] += row["count"]
        for kind, column in (("first_response", "first_responded_at"), ("resolution", "resolved_at")):
            with _time_limit() as milliseconds:
                for row in self._tickets.count_times(question.filters.match(), column, first, last, milliseconds):
                    self.tally.times[kind][bisect_right(BOUNDS, row["_id"])] += row["count"]

    def _pieces(self, slices: Slices) -> Pieces:
        return cut(self.question.start, self.question.end, by_day=slices[0][0] in DAY_SLICES)

    def _is_counted_by_day(self, day: str) -> bool:
        return contains(self._whole_days, day) and self.question.wants_created(day)

    def _add_facts(self, facts: Facts, amount: int, covered: Sequence[Days]) -> None:
        if any(contains(days, facts.created) for days in covered):
            self.tally.add_facts(facts, amount, self.categories)
        if self._is_counted_by_day(facts.created):
            self.tally.created[facts.created, facts.status] += amount
        if facts.resolved and self.question.wants_done(facts.resolved):
            self.tally.resolved[facts.resolved] += amount
        for kind, day, bucket in facts.times():
            if self.question.wants_done(day):
                self.tally.times[kind][bucket] += amount

    def _count_created(self, period: Moments, wants_day: Callable[[str], bool]) -> None:
        where = _both(self.question.filters.match(), _within("created_at", period))
        first_day = min(self.question.days[0], self.question.oldest_day)
        with _time_limit() as milliseconds:
            found = self._tickets.count_by(where, datetime.combine(first_day, time(), UTC), milliseconds)
        for row in found["created"]:
            if wants_day(row["_id"]["day"]):
                self.tally.created[row["_id"]["day"], row["_id"]["status"]] += row["count"]
        for row in found["status"]:
            self.tally.status[row["_id"]] += row["count"]
        for name in DIMENSIONS:
            for row in found[name]:
                value = text_of(row["_id"])
                self.tally.by[name][self.categories.name_of(value) if name == "category" else value] += row["count"]


@contextmanager
def _time_limit() -> Iterator[int]:
    """The milliseconds that tickets may be counted for; using them up raises TooManyTickets."""
    try:
        yield settings.STATS_MAX_MILLISECONDS
    except StorageUnavailable as error:
        if ran_out_of_time(error):
            raise TooManyTickets from error
        raise


def _within(column: str, period: Moments) -> dict[str, Any]:
    bounds = {name: moment for name, moment in zip(("$gte", "$lt"), period, strict=True) if moment is not None}
    return {column: bounds} if bounds else {}


def _both(*conditions: Mapping[str, Any]) -> dict[str, Any]:
    given = [dict(condition) for condition in conditions if condition]
    return {"$and": given} if given else {}
