"""Random lives of tickets through the services, and random questions about them, against a count of every document."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.actor import Actor
from accounts.roles import Action, Role
from accounts.teams import create_team
from tests.cast import Cast, actor_of, make_tenant, make_user
from tests.tickets.stats.counting import answered, counted
from ticketing import clock
from ticketing.errors import InvalidInput, InvalidTransition, NotAllowed
from ticketing.mongo import ObjectId
from ticketing.mongo.client import get_database
from tickets.conversation.services import add_comment
from tickets.repository import TicketRepository
from tickets.rules import Content, TicketClosed
from tickets.services import change_ticket, new_ticket_document, open_ticket
from tickets.stats import rules, services
from tickets.stats.reading import TooManyTickets
from tickets.stats.repository import CellRepository, DeltaRepository, LedgerRepository
from tickets.stats.rules import StatsFilter
from tickets.stats.services import desk_stats, differences, fold_all, fold_some, note_new_tickets, recount, ticket_stats
from tickets.workflow.rules import UNRESOLVED

pytestmark = pytest.mark.django_db

BEGIN = datetime(2024, 1, 15, 9, 30, tzinfo=UTC)
PRIORITIES, TYPES = ("low", "high"), ("task", "question")
CATEGORIES, TAGS = ("", "net.work", "$x", "c", "d"), ("red", "b.lue")
STATUSES = ("open", "pending", "resolved", "closed")

hours = st.sampled_from([0, 1, 13, 24, 70, 24 * 29, 24 * 45])
kinds = st.sampled_from(["open", "change", "change", "status", "status", "answer", "fold", "fold"])
steps = st.tuples(hours, kinds, st.integers(0, 10**6))
moments = st.none() | st.integers(-48, 24 * 200).map(lambda number: BEGIN + timedelta(hours=number))


def several(values: tuple[Any, ...]) -> st.SearchStrategy[tuple[Any, ...]]:
    return (
        st.just(())
        | st.just(())
        | st.sets(st.sampled_from(range(len(values))), min_size=1).map(
            lambda chosen: tuple(values[index] for index in sorted(chosen))
        )
    )


class Desk:
    """A tenant of its own with two agents, and a clock that the test moves."""

    def __init__(self, set_clock: Callable[[datetime], None]) -> None:
        tenant = make_tenant(f"t{ObjectId()}")
        self.agent = actor_of(make_user(tenant, "one@example.test", role=Role.AGENT))
        self.people = (None, self.agent.user_id, make_user(tenant, "two@example.test", role=Role.AGENT).pk)
        self.customer = make_user(tenant, "customer@example.test")
        self.tenant_id = self.agent.tenant_id
        self.now = BEGIN
        self.ids: list[ObjectId] = []
        self._set_clock = set_clock
        set_clock(BEGIN)

    def step(self, hours: int, what: str, seed: int) -> None:
        self.now += timedelta(hours=hours)
        self._set_clock(self.now)
        if what == "fold":
            fold_some(self.tenant_id, at_most=3)
        elif what == "open" or not self.ids:
            self._open(seed)
        else:
            self._change(what, seed)

    def tickets(self) -> list[dict[str, Any]]:
        return TicketRepository(self.tenant_id).find({})

    def _open(self, seed: int) -> None:
        ticket = open_ticket(
            self.agent,
            title="It broke",
            requester=self.customer.pk,
            priority=PRIORITIES[seed % 2],
            type=TYPES[seed // 2 % 2],
            category=CATEGORIES[seed // 4 % 5],
            tags=[tag for bit, tag in enumerate(TAGS) if seed // 20 >> bit & 1],
            assigned_to=self.people[seed // 80 % 3],
        )
        self.ids.append(ticket["_id"])

    def _change(self, what: str, seed: int) -> None:
        id_ = self.ids[seed % len(self.ids)]
        fields: list[dict[str, Any]] = [
            {"priority": PRIORITIES[seed % 2]},
            {"category": CATEGORIES[seed % 5], "type": TYPES[seed % 2]},
            {"tags": [tag for bit, tag in enumerate(TAGS) if seed >> bit & 1]},
            {"assigned_to": self.people[seed % 3]},
        ]
        if what == "answer":
            with suppress(TicketClosed):
                add_comment(self.agent, id_, "Have you tried to turn it off?")
            return
        wanted = {"status": STATUSES[seed % 4]} if what == "status" else fields[seed // 7 % 4]
        with suppress(InvalidTransition, TicketClosed):
            change_ticket(self.agent, id_, wanted)


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    def set_clock(moment: datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: moment)

    return set_clock


@pytest.fixture
def no_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes never fold by chance."""
    monkeypatch.setattr(services, "randbelow", lambda _: 1)


@pytest.fixture
def desk(db: None, set_clock: Callable[[datetime], None]) -> Desk:
    return Desk(set_clock)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_every_answer_equals_a_count_of_all_tickets(
    db: None, set_clock: Callable[[datetime], None], no_chance: None, data: st.DataObject
) -> None:
    desk = Desk(set_clock)
    for step in data.draw(st.lists(steps, min_size=3, max_size=25)):
        desk.step(*step)
    for _ in range(4):
        check_answer(desk, data)
    assert differences(desk.tenant_id) == {}
    fold_all(desk.tenant_id)
    assert DeltaRepository(desk.tenant_id).count({}) == 0
    assert differences(desk.tenant_id) == {}
    for _ in range(6):
        check_answer(desk, data)


def check_answer(desk: Desk, data: st.DataObject) -> None:
    filters = StatsFilter(
        status=data.draw(several(("new", *STATUSES))),
        priority=data.draw(several(PRIORITIES)),
        category=data.draw(several(CATEGORIES)),
        assigned_to=data.draw(several(desk.people)),
        tag=data.draw(several(TAGS)),
    )
    if data.draw(st.integers(0, 3)):  # mostly what cells answer; the rest is counted ticket by ticket
        one = data.draw(st.sampled_from(["status", "priority", "category", "assigned_to", "tag"]))
        filters = StatsFilter(**{one: getattr(filters, one), "status": filters.status})
    start, end = data.draw(moments), data.draw(moments)
    if start and end and start >= end:
        start, end = end, start + timedelta(hours=1)
    stats = ticket_stats(desk.agent, filters=filters, created_from=start, created_to=end)
    listed = [day["date"] for day in stats["per_day"]]
    days = (listed[0], listed[-1] + timedelta(days=1))
    assert answered(stats) == counted(desk.tickets(), filters, start, end, days, desk.now.date())
    assert stats["other_categories"] == 0


@pytest.mark.parametrize("folded", [False, True])
def test_the_desk_shows_what_the_single_answers_say(desk: Desk, no_chance: None, folded: bool) -> None:
    admin = Actor(desk.agent.user, desk.agent.tenant, Role.ADMIN, desk.agent.via)
    team = create_team(admin, name="First line").pk
    for seed in range(40):
        desk.step(13, ("open", "answer", "status")[seed % 3], seed * 7)
        if seed % 4 == 0:
            change_or_leave(desk, {"team": team})
    if folded:
        fold_all(desk.tenant_id)
    last = desk.now.date()
    first = last - timedelta(days=9)
    for teams in ((), (team,), (None,)):
        found = desk_stats(desk.agent, team=teams, first=first, last=last)
        backlog = ticket_stats(desk.agent, filters=StatsFilter(team=teams, status=UNRESOLVED))
        flow = ticket_stats(desk.agent, filters=StatsFilter(team=teams), days=10)
        names = ("total", "status", "priority", "assigned_to", "team", "age")
        assert found == {**{name: backlog[name] for name in names}, **{name: flow[name] for name in FLOW}}
        assert found["resolution_time"]["count"] == sum(day["resolved"] for day in found["per_day"])
    with pytest.raises(InvalidInput):
        desk_stats(desk.agent, first=last, last=first)
    with pytest.raises(InvalidInput):
        desk_stats(desk.agent, first=last - timedelta(days=366), last=last)


FLOW = ("per_day", "first_response_time", "resolution_time")


def change_or_leave(desk: Desk, wanted: dict[str, Any]) -> None:
    with suppress(TicketClosed):
        change_ticket(desk.agent, desk.ids[-1], wanted)


def test_a_bulk_of_new_tickets_counts_as_single_ones_do(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "FOLD_IN_BULK", 40)
    documents = []
    for number in range(100):
        ticket = new_ticket_document(number, Content("Old", ""), desk.customer.pk, "import")
        at = BEGIN - timedelta(days=number)
        resolved = at + timedelta(days=3) if number % 3 else None
        status = "closed" if resolved else "open"
        documents.append(ticket | {"created_at": at, "status": status, "resolved_at": resolved, "priority": "high"})
    for start in range(0, 100, 20):
        stored = TicketRepository(desk.tenant_id).insert_many(documents[start : start + 20])
        note_new_tickets(desk.tenant_id, stored)
    assert DeltaRepository(desk.tenant_id).count({}) == 20
    assert differences(desk.tenant_id) == {}
    stats = ticket_stats(desk.agent, filters=StatsFilter(priority=("high",)))
    assert stats["status"]["closed"] == 66
    assert stats["age"] == {"today": 1, "1-2": 0, "3-6": 2, "7-29": 7, "30-89": 20, "90+": 4}


def test_an_unchanged_ticket_leaves_no_delta(desk: Desk) -> None:
    desk.step(0, "open", 1)
    waiting = DeltaRepository(desk.tenant_id).count({})
    change_ticket(desk.agent, desk.ids[0], {"title": "Still broken"})
    assert DeltaRepository(desk.tenant_id).count({}) == waiting


def test_a_fold_that_crashes_changes_nothing(desk: Desk, no_chance: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(5):
        desk.step(1, "open", seed)
    before = ticket_stats(desk.agent)

    class Crash(BaseException):
        pass

    def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(DeltaRepository, "remove", crash)
        with pytest.raises(Crash):
            fold_some(desk.tenant_id)
    assert CellRepository(desk.tenant_id).count({}) == 0
    assert ticket_stats(desk.agent) == before
    fold_some(desk.tenant_id)
    assert DeltaRepository(desk.tenant_id).count({}) == 0
    assert ticket_stats(desk.agent) == before


def test_one_folds_at_a_time_and_a_dead_ones_claim_ends(
    desk: Desk, no_chance: None, set_clock: Callable[[datetime], None]
) -> None:
    desk.step(0, "open", 1)
    ledger = LedgerRepository(desk.tenant_id)
    assert ledger.claim(desk.now)
    fold_some(desk.tenant_id)
    assert DeltaRepository(desk.tenant_id).count({}) == 1
    set_clock(desk.now + timedelta(minutes=2))
    fold_some(desk.tenant_id)
    assert DeltaRepository(desk.tenant_id).count({}) == 0


def test_writes_fold_now_and_then_without_being_asked(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "randbelow", lambda _: 0)
    desk.step(0, "open", 1)
    assert DeltaRepository(desk.tenant_id).count({}) == 0


def test_a_recount_repairs_what_was_broken(desk: Desk, no_chance: None) -> None:
    for seed in range(6):
        desk.step(1, "open", seed)
    expected = ticket_stats(desk.agent)
    fold_all(desk.tenant_id)
    desk.step(0, "change", 8)
    cells = CellRepository(desk.tenant_id)
    cells.update_where({"level": "all"}, {}, operators={"$inc": {"total.new": 3}})
    cells.delete({"level": "month"})
    cells.insert(
        {"dimension": "tag", "value": "=ghost", "level": "all", "period": "", "total": {"new": 1}, "weight": 1}
    )
    assert recount(desk.tenant_id) > 3
    assert differences(desk.tenant_id) == {}
    assert ticket_stats(desk.agent)["total"] == expected["total"]
    assert not cells.find_one({"value": "=ghost"})


def test_statistics_begin_with_a_recount(desk: Desk) -> None:
    for seed in range(6):
        desk.step(1, "open", seed)
    expected = ticket_stats(desk.agent)
    for name in ("stat_cells", "stat_deltas", "stat_ledgers"):
        get_database()[name].delete_many({})
    recount(desk.tenant_id)
    assert ticket_stats(desk.agent) == expected


def test_categories_beyond_the_limit_are_counted_together(
    desk: Desk, no_chance: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MAX_CATEGORIES", 2)
    for seed in (0, 4, 8, 12, 12):  # the first two categories get names
        desk.step(1, "open", seed)
        fold_all(desk.tenant_id)
    stats = ticket_stats(desk.agent)
    assert stats["category"] == {"": 1, "net.work": 1}
    assert stats["other_categories"] == 3
    assert ticket_stats(desk.agent, filters=StatsFilter(category=("c",)))["total"] == 2
    change_ticket(desk.agent, desk.ids[-1], {"category": "net.work"})
    fold_all(desk.tenant_id)
    assert ticket_stats(desk.agent)["other_categories"] == 2
    assert differences(desk.tenant_id) == {}


def test_filters_beyond_the_cells_are_counted_within_a_time(
    desk: Desk, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.step(0, "open", 1)
    slow = StatsFilter(residual={"$expr": {"$function": {"body": "function(){sleep(3000)}", "args": [], "lang": "js"}}})
    settings.STATS_MAX_MILLISECONDS = 50
    with pytest.raises(TooManyTickets) as raised:
        ticket_stats(desk.agent, filters=slow)
    assert raised.value.status == 400
    number = desk.tickets()[0]["number"]
    settings.STATS_MAX_MILLISECONDS = 5000
    assert ticket_stats(desk.agent, filters=StatsFilter(residual={"number": number}))["total"] == 1
    assert ticket_stats(desk.agent, filters=StatsFilter(residual={"number": number + 1}))["total"] == 0


def test_bad_questions(desk: Desk) -> None:
    for wrong in ({"days": 0}, {"days": 367}, {"created_from": BEGIN, "created_to": BEGIN}):
        with pytest.raises(InvalidInput):
            ticket_stats(desk.agent, **wrong)  # type: ignore[arg-type]


def test_the_days_of_an_answer(desk: Desk) -> None:
    def days(**question: Any) -> tuple[str, str, int]:
        listed = [str(day["date"]) for day in ticket_stats(desk.agent, **question)["per_day"]]
        return listed[0], listed[-1], len(listed)

    assert days() == ("2023-12-17", "2024-01-15", 30)
    assert days(days=1) == ("2024-01-15", "2024-01-15", 1)
    assert days(created_from=BEGIN - timedelta(days=2)) == ("2024-01-13", "2024-01-15", 3)
    assert days(created_from=BEGIN - timedelta(days=999), created_to=BEGIN) == ("2023-01-15", "2024-01-15", 366)
    assert days(created_to=datetime(2024, 1, 1, tzinfo=UTC), days=2) == ("2023-12-30", "2023-12-31", 2)
    assert days(created_from=BEGIN + timedelta(days=9)) == ("2024-01-24", "2024-01-24", 1)


@pytest.mark.parametrize("role", list(Role))
def test_who_may_ask(cast: Cast, role: Role) -> None:
    actor = Actor(cast.ada, cast.acme, role, actor_of(cast.ada).via)
    if actor.can(Action.TICKETS_READ_STATS):
        assert ticket_stats(actor)["total"] == 0
    else:
        with pytest.raises(NotAllowed):
            ticket_stats(actor)


def test_another_tenants_tickets_do_not_count(cast: Cast) -> None:
    open_ticket(actor_of(cast.carla), title="Ours")
    theirs = actor_of(cast.gus)
    assert ticket_stats(theirs)["total"] == 0
    fold_all(cast.acme.pk)
    assert ticket_stats(theirs)["total"] == 0
    assert ticket_stats(theirs, filters=StatsFilter(priority=("normal",), type=("question",)))["total"] == 0


def test_folding_never_fails_a_write_that_has_happened(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("some driver's error")

    monkeypatch.setattr("tickets.stats.services._fold", fails)
    fold_some(desk.agent.tenant_id)
    assert "could not fold the statistics" in caplog.text
