"""Pages and counts of a search, at a cost that no number of tickets and no word's frequency raises.

Of everything that is asked (words, and filters that have an index) the rarest is read in its index's order, and the
rest is judged ticket by ticket. How rare something is is told by how far its next few hundred matches reach, which the
index alone answers. What is read has a limit in number, and beyond the first few hundred tickets one in time; an answer
that ends there says so. Another engine, such as Atlas Search, would answer in place of ``Search.page`` and
``Search.count``.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any

from ticketing.errors import StorageUnavailable
from ticketing.mongo import ObjectId
from ticketing.mongo.client import ran_out_of_time
from ticketing.mongo.pages import Count, Page, PageRequest, Sort, cursor_of, leading_bound, page_of, seek_filter
from ticketing.mongo.repository import Document, Repository

# Of the rarest condition so many matches are read in any case, and then so many more within so many seconds in all.
FIRST_READ, THEN_READ = 500, 2000
SECONDS = 1.0
COUNT_READ = 1000

NEWEST_FIRST = -1
ALL_TERMS, PUBLIC_TERMS, TIME = "all_terms", "public_terms", "created_at"


@dataclass(frozen=True, slots=True)
class Lead:
    """Conditions to read by: the index holds what matches them in order of creation."""

    index: str
    conditions: Sequence[Document]


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked, as conditions of one column each, and the leads among them."""

    tickets: Repository
    conditions: Sequence[Document]
    leads: Sequence[Lead]

    def page(self, sort: Sort, request: PageRequest, fields: Sequence[str]) -> Page:
        """One page by ``created_at``; it is incomplete where the limit was reached before it was full.

        Raises InvalidInput for a bad cursor.
        """
        seek, order = seek_filter(sort, request)
        reading = _Reading(self, order[0][1], fields)
        rows, end = reading.first(seek, request.limit + 1)
        if end is not None and len(rows) <= request.limit:
            more, end = reading.then(end, request.limit + 1 - len(rows))
            rows += more
        page = page_of(rows, sort, request)
        if end is None or len(rows) > request.limit:
            return page
        # Of this millisecond all is read.
        last = {TIME: end, "_id": ObjectId(("0" if order[1][1] < 0 else "f") * 24)}
        return page.stopped_at(cursor_of(last, sort), request)

    def count(self, cap: int) -> Count:
        """How many there are, counted no further than ``cap``; at least so many where the limit was reached."""
        reading = _Reading(self, NEWEST_FIRST)
        lead = self.answering_lead
        lead, end = (lead, None) if lead else reading.rarest({}, COUNT_READ)
        where = self.where(lead, reading.until(end))
        return Count(self.tickets.count(where, cap=cap, hint=lead.index), is_exact=end is None)

    def where(self, lead: Lead, *span: Document) -> Document:
        """The whole condition, in a form that is read by the lead."""
        rest = self.rest(lead)
        if any(ALL_TERMS in condition for condition in lead.conditions):
            rest = [_judged(condition) for condition in rest]
        return _all_of(*lead.conditions, *rest, *self.times, *span)

    def rest(self, lead: Lead) -> list[Document]:
        """What the lead's index does not answer."""
        return [each for each in self.conditions if each not in lead.conditions and TIME not in each]

    @property
    def answering_lead(self) -> Lead | None:
        """The lead that answers all that is asked, if there is one."""
        return next((lead for lead in self.leads if not self.rest(lead)), None)

    @property
    def times(self) -> list[Document]:
        """What every lead's index answers."""
        return [condition for condition in self.conditions if TIME in condition]


@dataclass(slots=True)
class _Reading:
    """Reads a search in one direction of time (1 or -1), stretch by stretch; a stretch ends at a time, inclusive."""

    search: Search
    direction: int
    fields: Sequence[str] = ()
    lead: Lead | None = None
    started: float = field(default_factory=time.monotonic)

    def first(self, seek: Document, limit: int) -> tuple[list[Document], datetime | None]:
        """Up to ``limit`` rows of the first stretch, and its end, None where that is the list's."""
        lead = self.search.answering_lead
        if lead is not None:
            return self._find(lead, limit, seek), None
        self.lead, end = self.rarest(leading_bound(seek), FIRST_READ)
        return self._find(self.lead, limit, seek, self.until(end)), end

    def then(self, reached: datetime, limit: int) -> tuple[list[Document], datetime | None]:
        """The same of what follows; when there is no time left for it, nothing, and the end of the first stretch."""
        assert self.lead is not None
        deadline = self.started + SECONDS
        if time.monotonic() >= deadline:
            return [], reached
        start = {TIME: {"$gt" if self.direction > 0 else "$lt": reached}}
        try:
            end = self._reach(self.lead, start, THEN_READ, deadline)
            return self._find(self.lead, limit, start, self.until(end), deadline=deadline), end
        except StorageUnavailable as error:
            if not ran_out_of_time(error):
                raise
            return [], reached

    def rarest(self, start: Document, amount: int) -> tuple[Lead, datetime | None]:
        """The lead whose next ``amount`` matches reach furthest, and how far; None where no more follow."""
        leads = self.search.leads
        filters = [self._span(lead, start) for lead in leads]
        found = self.search.tickets.find_each(filters, fields=[TIME], sort=self._order, skip=amount)
        reached: list[tuple[Lead, datetime]] = []
        for lead, behind in zip(leads, found, strict=True):
            if behind is None:
                return lead, None
            reached.append((lead, behind[TIME]))
        furthest = max if self.direction > 0 else min
        return furthest(reached, key=itemgetter(1))

    def until(self, end: datetime | None) -> Document:
        return {} if end is None else {TIME: {"$lte" if self.direction > 0 else "$gte": end}}

    def _reach(self, lead: Lead, start: Document, amount: int, deadline: float) -> datetime | None:
        """The time of the lead's match after the next ``amount``, by its index alone; None where none follows."""
        where = self._span(lead, start)
        found = self._read(lead, where, limit=1, skip=amount, fields=[TIME], deadline=deadline)
        return found[0][TIME] if found else None

    @property
    def _order(self) -> Sort:
        return ((TIME, self.direction), ("_id", self.direction))

    def _span(self, lead: Lead, start: Document) -> Document:
        """What the lead's index answers by itself."""
        return _all_of(*lead.conditions, *self.search.times, start)

    def _find(self, lead: Lead, limit: int, *span: Document, deadline: float | None = None) -> list[Document]:
        where = self.search.where(lead, *span)
        return self._read(lead, where, limit=limit, fields=self.fields, deadline=deadline)

    def _read(self, lead: Lead, where: Document, *, deadline: float | None, **wanted: Any) -> list[Document]:
        milliseconds = 0 if deadline is None else max(1, round(1000 * (deadline - time.monotonic())))
        return self.search.tickets.find(where, sort=self._order, hint=lead.index, milliseconds=milliseconds, **wanted)


def conditions_of(where: Mapping[str, Any]) -> Iterator[Document]:
    """A filter's conditions, one column each, that must all hold; without the tenant, which a repository adds."""
    for key, value in where.items():
        if key == "$and":
            for part in value:
                yield from conditions_of(part)
        elif key != "tenant_id":
            yield {key: value}


def is_word(condition: Document) -> bool:
    """Whether a condition asks for a word."""
    return ALL_TERMS in condition or PUBLIC_TERMS in condition


def _judged(condition: Document) -> Document:
    """The same in a form that no index answers: left to itself, the planner reads by either word."""
    if ALL_TERMS not in condition:
        return condition
    terms = condition[ALL_TERMS]["$in"]
    return {"$expr": {"$or": [{"$in": [{"$literal": term}, f"${ALL_TERMS}"]} for term in terms]}}


def _all_of(*conditions: Document) -> Document:
    return {"$and": [condition for condition in conditions if condition]}
