"""Changing many tickets at once: previewed, refused one by one, recorded with each change, and taken back."""

from typing import Any

import pytest

from tests.cast import Cast, actor_of
from ticketing.errors import InvalidInput, NotAllowed, NotFound
from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Document
from tickets.access import access_ticket
from tickets.bulk.repository import BulkChangeRepository
from tickets.bulk.services import (
    Selected,
    access_bulk_change,
    apply_bulk_change,
    begin_bulk_change,
    preview_bulk_change,
    recent_bulk_changes,
    undo_bulk_change,
)
from tickets.events.repository import EventRepository
from tickets.privacy.redaction import redact_ticket
from tickets.services import change_ticket, open_ticket
from tickets.stats.services import ticket_stats

pytestmark = pytest.mark.django_db


@pytest.fixture
def tickets(cast: Cast) -> list[Document]:
    """Three of Carla's tickets: a new one with a tag, one that Ada works on, and a closed one."""
    ada, carla = actor_of(cast.ada), actor_of(cast.carla)
    made = [open_ticket(carla, title=f"Ticket {number}")["_id"] for number in range(3)]
    return [
        change_ticket(ada, made[0], {"tags": ["old"]}),
        change_ticket(ada, made[1], {"status": "open", "assigned_to": cast.ada.pk}),
        change_ticket(ada, made[2], {"status": "closed"}),
    ]


def apply(actor: Any, tickets: list[Document], wanted: dict[str, Any]) -> tuple[Document, list[Document]]:
    bulk = begin_bulk_change(actor, wanted)
    return bulk, apply_bulk_change(actor, bulk["_id"], [Selected(each["_id"], each["version"]) for each in tickets])


def now(cast: Cast, ticket: Document) -> Document:
    return access_ticket(actor_of(cast.ada), ticket["_id"])


def test_a_preview_says_what_will_change_and_what_refuses(cast: Cast, tickets: list[Document]) -> None:
    amir = actor_of(cast.amir)
    ids = [*(each["_id"] for each in tickets), ObjectId()]
    wanted = {"status": "open", "assigned_to": cast.ada.pk, "add_tags": ["New"], "remove_tags": ["OLD"]}
    first, second, third = preview_bulk_change(amir, ids, wanted)
    assert first.changes == {
        "status": ("new", "open"),
        "assigned_to_id": (None, cast.ada.pk),
        "tags": (["old"], ["new"]),
    }
    assert second.changes == {"tags": ([], ["new"])}
    assert (third.changes, "closed cannot become open" in third.refusal) == ({}, True)
    assert [now(cast, each) for each in tickets] == tickets
    assert BulkChangeRepository(cast.acme.pk).count({}) == 0


def test_applies_what_the_preview_has_shown(cast: Cast, tickets: list[Document]) -> None:
    amir = actor_of(cast.amir)
    wanted = {"priority": "urgent", "team": None, "add_tags": ["lava"]}
    expected = preview_bulk_change(amir, [each["_id"] for each in tickets], wanted)
    bulk, items = apply(amir, tickets, wanted)
    assert [item["refused"] for item in items] == [outcome.refusal for outcome in expected]
    for item, outcome in zip(items, expected, strict=True):
        assert item["changes"] == {name: list(pair) for name, pair in outcome.changes.items()}
    assert access_bulk_change(amir, str(bulk["_id"]))["items"] == items
    assert now(cast, tickets[0])["tags"] == ["lava", "old"]


def test_a_batch_that_is_sent_again_changes_nothing_twice(cast: Cast, tickets: list[Document]) -> None:
    amir = actor_of(cast.amir)
    bulk, items = apply(amir, tickets[:2], {"priority": "high"})
    change_ticket(actor_of(cast.ada), tickets[0]["_id"], {"priority": "low"})
    again = apply_bulk_change(amir, bulk["_id"], [Selected(each["_id"]) for each in tickets])
    assert again[:2] == items
    assert again[2]["refused"].startswith("The ticket is closed")
    assert now(cast, tickets[0])["priority"] == "low"
    assert len(access_bulk_change(amir, bulk["_id"])["items"]) == 3


def test_what_a_colleague_has_changed_since_the_preview_is_not_overwritten(cast: Cast, tickets: list[Document]) -> None:
    change_ticket(actor_of(cast.ada), tickets[0]["_id"], {"assigned_to": cast.ada.pk})
    change_ticket(actor_of(cast.ada), tickets[1]["_id"], {"category": "Elsewhere"})
    _, [first, second] = apply(actor_of(cast.amir), tickets[:2], {"assigned_to": cast.amir.pk})
    assert first["refused"] == "Somebody has changed it meanwhile: assignee"
    assert now(cast, tickets[0])["assigned_to_id"] == cast.ada.pk
    assert second["changes"] == {"assigned_to_id": [cast.ada.pk, cast.amir.pk]}


def test_undo_puts_everything_back_past_the_workflow(cast: Cast, tickets: list[Document]) -> None:
    amir = actor_of(cast.amir)
    counted = ticket_stats(amir)
    wanted = {"status": "closed", "priority": "high", "assigned_to": cast.amir.pk, "add_tags": ["done"]}
    bulk, _ = apply(amir, tickets[:2], wanted)
    assert ticket_stats(amir) != counted
    assert undo_bulk_change(amir, bulk["_id"]) == 0
    fields = ("status", "priority", "assigned_to_id", "tags", "resolved_at", "closed_at", "reopened_count")
    for ticket in tickets[:2]:
        assert {name: now(cast, ticket)[name] for name in fields} == {name: ticket[name] for name in fields}
        events = EventRepository(cast.acme.pk).find({"ticket_id": ticket["_id"], "data.undo": True})
        assert {event["type"] for event in events} >= {"ticket.status_changed", "ticket.tags_changed"}
    assert ticket_stats(amir) == counted
    assert access_bulk_change(amir, bulk["_id"])["undone_at"] is not None
    assert undo_bulk_change(amir, bulk["_id"]) == 0


def test_undo_of_a_reopening_takes_its_count_back(cast: Cast, tickets: list[Document]) -> None:
    amir = actor_of(cast.amir)
    resolved = change_ticket(amir, tickets[0]["_id"], {"status": "resolved"})
    bulk, _ = apply(amir, [resolved], {"status": "open"})
    assert now(cast, resolved)["reopened_count"] == 1
    undo_bulk_change(amir, bulk["_id"])
    assert (now(cast, resolved)["reopened_count"], now(cast, resolved)["resolved_at"]) == (0, resolved["resolved_at"])


def test_undo_leaves_what_was_changed_since_and_says_so(cast: Cast, tickets: list[Document]) -> None:
    amir, ada = actor_of(cast.amir), actor_of(cast.ada)
    bulk, _ = apply(amir, tickets[:2], {"status": "resolved", "priority": "high"})
    change_ticket(ada, tickets[0]["_id"], {"priority": "low"})
    change_ticket(ada, tickets[1]["_id"], {"status": "closed"})
    redact_ticket(ada, tickets[1]["_id"], "retention")
    undo_bulk_change(amir, bulk["_id"])
    first, second = [item["undone"] for item in access_bulk_change(amir, bulk["_id"])["items"]]
    assert first == {"restored": ["status"], "kept": ["priority"], "why": "", "why_message": None}
    assert (now(cast, tickets[0])["status"], now(cast, tickets[0])["priority"]) == ("new", "low")
    assert second["restored"] == []
    assert "closed" in second["why"]


def test_undo_goes_on_where_it_stopped(cast: Cast, tickets: list[Document]) -> None:
    amir = actor_of(cast.amir)
    bulk, _ = apply(amir, tickets[:2], {"priority": "high"})
    assert undo_bulk_change(amir, bulk["_id"], limit=1) == 1
    assert access_bulk_change(amir, bulk["_id"])["undone_at"] is None
    assert undo_bulk_change(amir, bulk["_id"], limit=1) == 0
    assert [now(cast, each)["priority"] for each in tickets[:2]] == ["normal", "normal"]


def test_a_bulk_change_is_its_authors(cast: Cast, tickets: list[Document]) -> None:
    bulk, _ = apply(actor_of(cast.amir), tickets, {"priority": "high"})
    for stranger in (cast.ada, cast.gus):
        for work in (
            lambda actor: access_bulk_change(actor, bulk["_id"]),
            lambda actor: apply_bulk_change(actor, bulk["_id"], []),
            lambda actor: undo_bulk_change(actor, bulk["_id"]),
        ):
            with pytest.raises(NotFound):
                work(actor_of(stranger))
        assert recent_bulk_changes(actor_of(stranger)) == []
    with pytest.raises(NotAllowed):
        begin_bulk_change(actor_of(cast.carla), {"priority": "high"})
    assert [each["_id"] for each in recent_bulk_changes(actor_of(cast.amir))] == [bulk["_id"]]


def test_other_tenants_tickets_do_not_exist_for_it(cast: Cast, tickets: list[Document]) -> None:
    assert preview_bulk_change(actor_of(cast.gus), [tickets[0]["_id"]], {"priority": "high"}) == []
    _, items = apply(actor_of(cast.gus), tickets, {"priority": "high"})
    assert items == []
    assert now(cast, tickets[0]) == tickets[0]


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({}, ""),
        ({"title": "New"}, "title"),
        ({"priority": "nonsense"}, "priority"),
        ({"assigned_to": ObjectId()}, "assigned_to"),
        ({"add_tags": ["a"], "remove_tags": ["A"]}, "remove_tags"),
    ],
)
def test_what_nobody_can_want_is_refused_at_once(
    cast: Cast, tickets: list[Document], wanted: dict[str, Any], field: str
) -> None:
    for work in (
        lambda: preview_bulk_change(actor_of(cast.amir), [tickets[0]["_id"]], wanted),
        lambda: begin_bulk_change(actor_of(cast.amir), wanted),
    ):
        with pytest.raises(InvalidInput) as refused:
            work()
        assert [error.field for error in refused.value.errors] == ([field] if field else [])


def test_too_many_at_once_are_refused(cast: Cast) -> None:
    amir = actor_of(cast.amir)
    bulk = begin_bulk_change(amir, {"priority": "high"})
    with pytest.raises(InvalidInput):
        apply_bulk_change(amir, bulk["_id"], [Selected(ObjectId()) for _ in range(101)])
    with pytest.raises(InvalidInput):
        preview_bulk_change(amir, [ObjectId() for _ in range(1001)], {"priority": "high"})
