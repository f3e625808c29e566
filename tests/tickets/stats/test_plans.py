"""What MongoDB reads for the statistics: by an index, without a sort, and no more because there are more tickets."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast, actor_of
from ticketing.mongo.client import get_database
from tickets.repository import TicketRepository
from tickets.rules import Content
from tickets.services import new_ticket_document
from tickets.stats.rules import StatsFilter
from tickets.stats.services import fold_all, note_new_tickets, ticket_stats

pytestmark = pytest.mark.django_db

DAYS = 80
NOW = datetime.now(UTC)
MIDNIGHT = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
QUESTIONS: dict[str, dict[str, Any]] = {
    "everything": {},
    "status": {"filters": StatsFilter(status=("open",))},
    "assignee and status": {"filters": StatsFilter(assigned_to=(None,), status=("open", "new"))},
    "category": {"filters": StatsFilter(category=("network", "printer"))},
    "priority over a period": {
        "filters": StatsFilter(priority=("high",)),
        "created_from": MIDNIGHT - timedelta(days=55),
        "created_to": MIDNIGHT - timedelta(days=5),
    },
    "tag over months": {
        "filters": StatsFilter(tag=("vpn",)),
        "created_from": (MIDNIGHT - timedelta(days=80)).replace(day=1),
        "created_to": MIDNIGHT.replace(day=1),
    },
}


def add_tickets(cast: Cast, amount: int) -> None:
    documents = [
        new_ticket_document(TicketRepository(cast.acme.pk).next_number(), Content("Old", ""), cast.carla.pk, "import")
        | {
            "created_at": NOW - timedelta(days=number % DAYS),
            "priority": ("high", "low")[number // DAYS % 2],
            "category": ("network", "printer")[number % 2],
            "tags": ["vpn"],
        }
        for number in range(amount)
    ]
    note_new_tickets(cast.acme.pk, TicketRepository(cast.acme.pk).insert_many(documents))
    fold_all(cast.acme.pk)


def reads_of(cast: Cast, question: dict[str, Any]) -> list[dict[str, Any]]:
    """The profiler's entries of one answer."""
    agent, database = actor_of(cast.amir), get_database()
    database.drop_collection("system.profile")
    database.command("profile", 2)
    try:
        ticket_stats(agent, **question)
    finally:
        database.command("profile", 0)
    entries = list(database["system.profile"].find({"op": {"$in": ["query", "command", "getmore"]}}))
    database.drop_collection("system.profile")
    return [entry for entry in entries if "planSummary" in entry]


def test_cells_answer_by_index_at_the_same_cost_for_any_number_of_tickets(cast: Cast) -> None:
    add_tickets(cast, 2 * DAYS)
    few = {name: reads_of(cast, question) for name, question in QUESTIONS.items()}
    add_tickets(cast, 4 * DAYS)
    for name, question in QUESTIONS.items():
        many = reads_of(cast, question)
        collections = {entry["ns"].rpartition(".")[2] for entry in many}
        assert "stat_cells" in collections, name
        assert collections <= {"stat_cells", "stat_times", "stat_deltas", "stat_ledgers"}, name
        for entry in many:
            assert entry["planSummary"].startswith("IXSCAN"), (name, entry["command"])
            assert not entry.get("hasSortStage"), name
            assert entry["docsExamined"] <= entry["nreturned"], name
            assert entry["keysExamined"] <= 3 * max(entry["nreturned"], 2), name
        assert _examined(many) == _examined(few[name]), name


def test_other_filters_read_the_matching_tickets_only(cast: Cast) -> None:
    add_tickets(cast, 2 * DAYS)
    both = StatsFilter(priority=("high",), category=("network",))
    reads = reads_of(cast, {"filters": both, "created_from": NOW - timedelta(days=20)})
    tickets = [entry for entry in reads if entry["ns"].endswith(".tickets")]
    assert tickets
    assert all(entry["planSummary"].startswith("IXSCAN") for entry in tickets)


def _examined(entries: list[dict[str, Any]]) -> int:
    return sum(entry["docsExamined"] for entry in entries)
