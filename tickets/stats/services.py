"""Statistics: every write leaves a delta, now and then deltas are folded into cells, and questions read both."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import partial
from itertools import chain
from secrets import randbelow
from typing import Any

from accounts.actor import Actor
from accounts.roles import Action
from ticketing import clock
from ticketing.after_answer import after_answer
from ticketing.errors import InvalidInput, Message
from ticketing.mongo import ObjectId
from ticketing.mongo.client import after_commit, snapshot, transactional
from ticketing.mongo.repository import Document
from tickets.models import Priority, Status, Type
from tickets.stats.periods import ONE_DAY, day_after, each_day
from tickets.stats.reading import Question, count, count_desk
from tickets.stats.repository import (
    CellRepository,
    CountedTickets,
    DeltaRepository,
    LedgerRepository,
    TimesRepository,
    stored_change,
)
from tickets.stats.rules import TIME_KINDS, TIMES, Facts, Increments, StatsFilter, decode, flattened, net_changes
from tickets.stats.tally import Tally, age_counts, created_counts, time_summary
from tickets.workflow.rules import UNRESOLVED

logger = logging.getLogger("ticketing.stats")

# Many changes meet in the same cells: folding 500 together costs each a fifth of what it costs among 50. So one write
# in so many folds what waits, and so does whoever asks and finds more than a few: where nobody asks, it can wait.
FOLD_ONE_WRITE_IN = 500
FOLD_AT_MOST = 2000
FOLD_FOR_READERS = 100
FOLD_IN_BULK = 10_000
CELLS_PER_REPAIR = 2000


EVERYTHING = StatsFilter()
DEFAULT_DAYS = 30
MAX_DAYS = 366
# Nothing is older or will be younger, and further away days cannot be reckoned with.
_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)

_TIME_NAMES = {f"{kind}_time": kind for kind in TIME_KINDS}
_CHOICES: Mapping[str, Sequence[str]] = {"status": Status.values, "priority": Priority.values, "type": Type.values}


def ticket_stats(
    actor: Actor,
    *,
    filters: StatsFilter = EVERYTHING,
    created_from: datetime | None = None,
    created_to: datetime | None = None,
    days: int | None = None,
) -> dict[str, Any]:
    """Counts of the tickets that match the filters and were created in [created_from, created_to), exact as of now.

    ``status``, ``priority``, ``type``, ``category``, ``assigned_to`` and ``team`` map values to counts: ids are hex,
    ``none`` is nobody, and ``other_categories`` counts the tickets of categories beyond the first 500. ``age`` is that
    of unresolved tickets in whole UTC days. ``per_day`` lists the last ``days`` UTC days of the period with the tickets
    ``created`` (in the period) and ``resolved`` (whenever created); ``days`` is the whole period by default, 30 where
    it has no beginning, and 366 at most. ``first_response_time`` and ``resolution_time`` tell of the tickets that were
    first answered or resolved on these days, whenever created: how many, and within how many seconds of being opened
    one half and nine tenths of them (see durations.py). Raises NotAllowed, InvalidInput, TooManyTickets.
    """
    actor.check(Action.TICKETS_READ_STATS)
    question = _question(filters, created_from, created_to, days)
    tally, waiting = count(actor.tenant_id, question)
    _fold_if_many(actor.tenant_id, waiting)
    return _answer(tally, question)


def desk_stats(actor: Actor, *, team: tuple[ObjectId | None, ...] = (), first: date, last: date) -> dict[str, Any]:
    """What a team (none: everybody) has to do now, and what went on from the ``first`` to the ``last`` UTC day.

    ``total``, ``status``, ``priority``, ``assigned_to``, ``team`` and ``age`` count unresolved tickets; ``per_day``,
    ``first_response_time`` and ``resolution_time`` are as in ``ticket_stats``. Raises NotAllowed, InvalidInput.
    """
    actor.check(Action.TICKETS_READ_STATS)
    days, today = (first, last + ONE_DAY), clock.now().date()
    if first > last:
        raise InvalidInput.of("from", "is after the last day")
    if (days[1] - days[0]).days > MAX_DAYS:
        raise InvalidInput.of("from", Message("is more than {limit} days before the last one", limit=MAX_DAYS))
    backlog = Question(StatsFilter(team=team, status=UNRESOLVED), None, None, (today, today + ONE_DAY), today)
    flow = Question(StatsFilter(team=team), None, None, days, today)
    stock, went_on, waiting = count_desk(actor.tenant_id, backlog, flow)
    _fold_if_many(actor.tenant_id, waiting)
    answers = _answer(stock, backlog), _answer(went_on, flow)
    parts = (("total", "status", "priority", "assigned_to", "team", "age"), ("per_day", *_TIME_NAMES))
    return {name: answer[name] for answer, names in zip(answers, parts, strict=True) for name in names}


def note_change(tenant_id: ObjectId, before: Document | None, after: Document | None) -> None:
    """Records, in the transaction under way, that a ticket now counts as ``after`` instead of ``before``.

    Only inserts, so that writers never wait for one another at a counter.
    """
    old, new = (None if ticket is None else Facts.of(ticket) for ticket in (before, after))
    if old == new:
        return
    DeltaRepository(tenant_id).insert(_delta(old, new))
    if randbelow(FOLD_ONE_WRITE_IN) == 0:
        after_commit(partial(after_answer, partial(fold_some, tenant_id)))


def note_new_tickets(tenant_id: ObjectId, tickets: Iterable[Document]) -> None:
    """The same for many new tickets at once; for importers, which call ``fold_all`` at their end."""
    DeltaRepository(tenant_id).insert_many(_delta(None, Facts.of(ticket)) for ticket in tickets)
    after_commit(partial(_fold_in_bulk, tenant_id))


def fold_some(tenant_id: ObjectId, *, at_most: int = FOLD_AT_MOST) -> None:
    """Folds the oldest deltas unless somebody else is at it. Never fails a caller whose write has happened."""
    ledger = LedgerRepository(tenant_id)
    try:
        if not ledger.claim(clock.now()):
            return
        try:
            _fold(tenant_id, at_most)
        finally:
            ledger.release()
    except Exception:
        logger.warning("could not fold the statistics; the deltas wait for the next time", exc_info=True)


def fold_all(tenant_id: ObjectId) -> None:
    """Folds until nothing waits; for importers and commands."""
    while _fold(tenant_id, FOLD_IN_BULK):
        pass


def recount(tenant_id: ObjectId) -> int:
    """Counts every ticket anew and corrects the cells that differ; returns how many did. Writers need not stop."""
    wrong = differences(tenant_id)
    cells = sorted(wrong)
    for start in range(0, len(cells), CELLS_PER_REPAIR):
        _correct(tenant_id, {cell: wrong[cell] for cell in cells[start : start + CELLS_PER_REPAIR]})
    return len(wrong)


def differences(tenant_id: ObjectId) -> Increments:
    """What is missing from the cells, as a full count in one snapshot shows: by cell and path; empty when all is well.

    As increments, the differences stay right while others fold. Raises SnapshotTooOld when counting takes too long.
    """
    with snapshot():
        return _differences(tenant_id)


def _differences(tenant_id: ObjectId) -> Increments:
    expected: list[tuple[Facts | None, Facts | None]] = [(None, facts) for facts in CountedTickets(tenant_id).facts()]
    # What waits will be added by folding: take it off.
    expected += [tuple(reversed(stored_change(delta))) for delta in DeltaRepository(tenant_id).waiting()]  # type: ignore[misc]
    ledger = LedgerRepository(tenant_id)
    wrong = net_changes(expected, ledger.categories().after(facts for _, facts in expected if facts))
    for cell, document in chain(CellRepository(tenant_id).everything(), TimesRepository(tenant_id).everything()):
        missing = wrong.pop(cell, Counter())
        missing.subtract(flattened(document))
        missing = Counter({path: amount for path, amount in missing.items() if amount})
        if missing:
            wrong[cell] = missing
    return wrong


def _fold_if_many(tenant_id: ObjectId, waiting: int) -> None:
    if waiting >= FOLD_FOR_READERS:
        after_answer(partial(fold_some, tenant_id, at_most=FOLD_IN_BULK))


def _fold_in_bulk(tenant_id: ObjectId) -> None:
    if DeltaRepository(tenant_id).count({}, cap=FOLD_IN_BULK) == FOLD_IN_BULK:
        fold_some(tenant_id, at_most=FOLD_IN_BULK)


@transactional
def _correct(tenant_id: ObjectId, increments: Increments) -> None:
    _add(tenant_id, increments)
    named = {decode(cell.value) for cell in increments if cell.dimension == "category"}
    LedgerRepository(tenant_id).name(category for category in named if category is not None)


@transactional
def _fold(tenant_id: ObjectId, at_most: int) -> int:
    """Moves the oldest deltas into the cells in one transaction: whoever reads sees each of them once."""
    waiting = DeltaRepository(tenant_id)
    deltas = waiting.waiting(at_most)
    if not deltas:
        return 0
    changes = [stored_change(delta) for delta in deltas]
    ledger = LedgerRepository(tenant_id)
    known = ledger.categories()
    categories = known.after(facts for change in changes for facts in change if facts)
    if categories != known:
        ledger.name(categories.named - known.named)
    _add(tenant_id, net_changes(changes, categories))
    waiting.remove(deltas)
    return len(deltas)


def _delta(before: Facts | None, after: Facts | None) -> Document:
    both = {"before": before, "after": after}
    return {
        **{name: facts and facts.as_document() for name, facts in both.items()},
        **{f"{name}_times": facts and facts.times_document() for name, facts in both.items()},
    }


def _add(tenant_id: ObjectId, increments: Increments) -> None:
    times = {cell: counts for cell, counts in increments.items() if cell.level == TIMES}
    CellRepository(tenant_id).add({cell: counts for cell, counts in increments.items() if cell not in times})
    TimesRepository(tenant_id).add(times)


def _question(filters: StatsFilter, start: datetime | None, end: datetime | None, days: int | None) -> Question:
    start, end = (moment and clock.to_milliseconds(moment) for moment in (start, end))
    if start and end and start >= end:
        raise InvalidInput.of("created_at__lt", "must be later than created_at__gte")
    start, end = (moment and min(max(moment, _FIRST), _LAST) for moment in (start, end))
    if days is not None and not 1 <= days <= MAX_DAYS:
        raise InvalidInput.of("days", Message("must be from 1 to {limit}", limit=MAX_DAYS))
    today = clock.now().date()
    last = day_after(end) if end else today + ONE_DAY
    longest = days or (MAX_DAYS if start else DEFAULT_DAYS)
    first = last - longest * ONE_DAY
    if start:
        first = max(first, start.date())
        last = max(last, first + ONE_DAY)
    return Question(filters, start, end, (first, last), today)


def _answer(tally: Tally, question: Question) -> dict[str, Any]:
    others = tally.by["category"].pop(None, 0)
    created = created_counts(tally)
    by: dict[str, Counter[Any]] = {"status": tally.status, **tally.by}
    return {
        "total": tally.status.total(),
        **{name: _ordered(counts, name) for name, counts in by.items()},
        "other_categories": others,
        "age": age_counts(tally, question.today),
        "per_day": [
            {"date": day, "created": created[day.isoformat()], "resolved": tally.resolved[day.isoformat()]}
            for day in each_day(*question.days)
        ],
        **{name: time_summary(tally, kind) for name, kind in _TIME_NAMES.items()},
    }


def _ordered(counts: Mapping[Any, int], name: str) -> dict[str, int]:
    """All choices in their own order where the dimension has choices; elsewhere what occurs, most frequent first."""
    if name in _CHOICES:
        return {value: counts.get(value, 0) for value in _CHOICES[name]}
    nobody = {"": "none"} if name in ("assigned_to", "team") else {}
    present = sorted((-amount, value) for value, amount in counts.items() if amount)
    return {nobody.get(value, value): -amount for amount, value in present}
