"""The queue's queries read what they show and no more: an index in the list's order, nothing sorted in memory."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.cast import actor_of
from tests.console.queries import sent_commands
from ticketing import clock
from ticketing.mongo.client import get_database
from tickets.models import Priority, Status
from tickets.repository import TicketRepository
from tickets.rules import Content
from tickets.services import new_ticket_document, open_ticket

QUEUE = "/console/tickets/ticket/"


@pytest.fixture
def many(cast):
    """600 tickets of Acme in every status and priority, each its own minute."""
    first = open_ticket(actor_of(cast.carla), title="The first one")["number"]
    documents = []
    for number in range(first + 1, first + 599):
        document = new_ticket_document(number, Content(f"Ticket number {number}", ""), cast.carla.pk, "api")
        document |= {
            "status": Status.values[number % 6],
            "priority": Priority.values[number % 4],
            "assigned_to_id": (cast.amir.pk, cast.ada.pk, None)[number % 3],
            "tags": ["even"] if number % 2 == 0 else [],
            "participant_ids": [cast.carla.pk, cast.amir.pk] if number % 2 else [cast.carla.pk],
            "created_at": clock.now() - timedelta(minutes=number),
            "updated_at": clock.now() - timedelta(minutes=number // 2, seconds=number),
        }
        documents.append(document)
    TicketRepository(cast.acme.pk).insert_many(documents)


def stages(plan: Any) -> Iterator[str]:
    if isinstance(plan, dict):
        if "stage" in plan:
            yield plan["stage"]
        for part in plan.values():
            yield from stages(part)
    elif isinstance(plan, list):
        for part in plan:
            yield from stages(part)


@pytest.mark.parametrize(
    "query",
    [
        "view=open",
        "view=open&o=6",
        "view=open&o=-7",
        "view=mine",
        "view=unassigned",
        "view=resolved",
        "view=all",
        "view=all&o=-6",
        "view=all&priority=high",
        "view=all&tag=even",
        "view=all&assignee=me",
        "view=following",
        "view=following&o=6",
        "view=all&age=1",
        "view=open&age=-1",
        "view=open&age=-1&o=-6",
        "view=mine&age=-1",
        "q=ticket",
        "q=17",
    ],
)
def test_reads_by_index(cast, browser, many, query):
    client = browser(cast.amir)
    with sent_commands() as commands:
        client.get(f"{QUEUE}?{query}")
    [sent] = [command for command in commands if command.get("find") == "tickets"]
    asked = {name: sent[name] for name in ("find", "filter", "sort", "limit", "hint") if name in sent}
    plan = get_database().command("explain", asked, verbosity="executionStats")
    found, statistics = set(stages(plan["queryPlanner"]["winningPlan"])), plan["executionStats"]
    assert found & {"COLLSCAN", "SORT"} == set() or query == "q=17"  # a single ticket may be sorted
    assert statistics["totalDocsExamined"] <= 2 * statistics["nReturned"]


def test_counts_read_no_more_than_their_cap(cast, browser, many, monkeypatch):
    monkeypatch.setattr("tickets.console.queue.views.COUNTED", 20)
    client = browser(cast.amir)
    with sent_commands() as commands:
        counts = client.get(f"{QUEUE}views/counts/").json()["counts"]
    [sent] = [command for command in commands if command.get("aggregate") == "tickets"]
    plan = get_database().command(
        "explain", {"aggregate": "tickets", "pipeline": sent["pipeline"], "cursor": {}}, verbosity="executionStats"
    )
    read = [each["totalKeysExamined"] for each in statistics_of(plan)]
    assert "COLLSCAN" not in set(stages(plan))
    assert len(read) == len(counts)
    assert max(read) <= 20 + len(Status.values), read


def statistics_of(plan: Any) -> Iterator[dict[str, Any]]:
    """The statistics of each of an aggregate's pipelines."""
    if isinstance(plan, dict):
        if "totalKeysExamined" in plan:
            yield plan
        for part in plan.values():
            yield from statistics_of(part)
    elif isinstance(plan, list):
        for part in plan:
            yield from statistics_of(part)
