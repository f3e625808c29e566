"""Opening, changing, assigning and following tickets through the services, on the real server."""

from typing import Any

import pytest

from accounts.actor import Actor, Via
from accounts.roles import PERMISSIONS, Action, Role
from tests.cast import Cast, actor_of
from ticketing.errors import (
    InvalidInput,
    InvalidTransition,
    NotAllowed,
    NotFound,
    StaleVersion,
    TicketingError,
)
from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Document
from tickets.access import access_ticket
from tickets.conversation.services import add_comment
from tickets.events.repository import EventRepository
from tickets.repository import TicketRepository
from tickets.rules import TicketClosed
from tickets.services import (
    allowed_transitions,
    assign_ticket,
    change_ticket,
    follow_ticket,
    open_ticket,
    preview_change,
)

pytestmark = pytest.mark.django_db


def events_of(ticket: Document) -> list[Document]:
    return EventRepository(ticket["tenant_id"]).find(
        {"ticket_id": ticket["_id"]}, sort=[("version", 1), ("position", 1)]
    )


def types_of(ticket: Document) -> list[str]:
    return [event["type"] for event in events_of(ticket)]


@pytest.fixture
def ticket(cast: Cast) -> Document:
    """Carla's ticket at acme."""
    return open_ticket(actor_of(cast.carla), title="Printer on fire", description="It **burns**.")


def test_a_customer_opens_a_ticket(cast: Cast, ticket: Document) -> None:
    assert (ticket["number"], ticket["status"], ticket["priority"], ticket["channel"]) == (1, "new", "normal", "api")
    assert ticket["created_by_id"] == cast.carla.pk
    assert ticket["participant_ids"] == [cast.carla.pk]
    assert "<strong>burns</strong>" in ticket["description_html"]
    assert ticket["all_terms"] == ticket["public_terms"] == ["burn", "burns", "fire", "it", "on", "printer"]
    [created] = events_of(ticket)
    assert (created["type"], created["version"]) == ("ticket.created", 1)
    assert created["actor"] == {
        "id": cast.carla.pk,
        "name": "Carla Customer",
        "role": "user",
        "via": "api",
        "key": "",
    }


def test_numbers_are_each_tenants_own(cast: Cast, ticket: Document) -> None:
    assert open_ticket(actor_of(cast.greta), title="Theirs")["number"] == 1
    assert open_ticket(actor_of(cast.carl), title="Second")["number"] == 2


def test_staff_opens_a_ticket_for_a_customer(cast: Cast) -> None:
    ticket = open_ticket(
        actor_of(cast.amir, Via.CONSOLE),
        title="Phoned in",
        requester=cast.carla.pk,
        assigned_to=cast.ada.pk,
        tags=["VIP"],
    )
    assert (ticket["created_by_id"], ticket["assigned_to_id"], ticket["tags"]) == (cast.carla.pk, cast.ada.pk, ["vip"])
    assert ticket["channel"] == "console"
    assert events_of(ticket)[0]["actor"]["id"] == cast.amir.pk
    assert access_ticket(actor_of(cast.carla), "1")["_id"] == ticket["_id"]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("title", {"title": " "}),
        ("title", {"title": "x" * 201}),
        ("description", {"description": "x" * 65537}),
        ("priority", {"priority": "panic"}),
        ("type", {"type": "rant"}),
        ("category", {"category": "x" * 61}),
        ("tags", {"tags": ["a,b"]}),
        ("assigned_to", {"assigned_to": "carla"}),
        ("assigned_to", {"assigned_to": "gus"}),
        ("assigned_to", {"assigned_to": ObjectId()}),
        ("team", {"team": ObjectId()}),
        ("requester", {"requester": "greta"}),
        ("followers", {"followers": ["greta"]}),
    ],
)
def test_bad_input_names_the_field_and_stores_nothing(cast: Cast, field: str, values: dict[str, Any]) -> None:
    def person(value: Any) -> Any:
        return getattr(cast, value).pk if isinstance(value, str) and hasattr(cast, value) else value

    given = {k: [person(each) for each in v] if k == "followers" else person(v) for k, v in values.items()}
    with pytest.raises(InvalidInput) as refused:
        open_ticket(actor_of(cast.amir), **{"title": "Printer", "requester": cast.carla.pk, **given})
    assert refused.value.errors[0].field == field
    assert TicketRepository(cast.acme.pk).count({}) == 0
    assert EventRepository(cast.acme.pk).count({}) == 0


@pytest.mark.parametrize("field", ["tags", "assigned_to", "team", "followers"])
def test_customers_may_not_set_what_is_staffs(cast: Cast, field: str) -> None:
    value = cast.amir.pk if field in ("assigned_to", "team") else ["x"]
    with pytest.raises(InvalidInput) as refused:
        open_ticket(actor_of(cast.carla), title="Printer", **{field: value})
    assert (refused.value.errors[0].field, refused.value.errors[0].code) == (field, "staff_only")


def test_customers_open_tickets_for_themselves_only(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        open_ticket(actor_of(cast.carla), title="Printer", requester=cast.carl.pk)


def test_the_platform_must_say_for_whom(cast: Cast) -> None:
    with pytest.raises(InvalidInput):
        open_ticket(Actor.system(cast.acme, Via.JOB), title="Printer")


def test_a_change_is_one_version_with_one_event_a_kind(cast: Cast, ticket: Document) -> None:
    changed = change_ticket(
        actor_of(cast.amir),
        "1",
        {"status": "open", "priority": "high", "category": "Hardware", "title": "Printer burns"},
    )
    assert (changed["version"], changed["public_version"], changed["status"]) == (2, 2, "open")
    assert changed["updated_at"] >= ticket["updated_at"]
    assert "burns" in changed["all_terms"]
    assert "fire" not in changed["all_terms"]
    [_, *events] = events_of(changed)
    assert {event["version"] for event in events} == {2}
    assert {event["type"]: event["changes"] for event in events} == {
        "ticket.status_changed": {"status": ["new", "open"]},
        "ticket.priority_changed": {"priority": ["normal", "high"]},
        "ticket.updated": {"category": ["", "Hardware"], "title": ["Printer on fire", "Printer burns"]},
    }


def test_without_a_difference_nothing_is_written(cast: Cast, ticket: Document) -> None:
    same = change_ticket(actor_of(cast.amir), "1", {"status": "new", "title": "Printer on fire"})
    assert same == ticket
    assert types_of(ticket) == ["ticket.created"]


def test_a_stale_change_is_refused_and_nothing_changes(cast: Cast, ticket: Document) -> None:
    agent = actor_of(cast.amir)
    change_ticket(agent, "1", {"priority": "high"}, expected_version=1)
    with pytest.raises(StaleVersion) as stale:
        change_ticket(agent, "1", {"priority": "low"}, expected_version=1)
    assert stale.value.data == {"current_version": 2}
    assert access_ticket(agent, "1")["priority"] == "high"


def test_an_illegal_transition_says_what_is_allowed(cast: Cast, ticket: Document) -> None:
    with pytest.raises(InvalidTransition) as refused:
        change_ticket(actor_of(cast.carla), "1", {"status": "pending"})
    assert (
        refused.value.data["allowed_transitions"] == ["resolved"] == allowed_transitions(actor_of(cast.carla), ticket)
    )


def test_resolving_and_reopening_keep_their_times(cast: Cast, ticket: Document) -> None:
    agent = actor_of(cast.amir)
    resolved = change_ticket(agent, "1", {"status": "resolved"})
    assert resolved["resolved_at"] == resolved["updated_at"]
    reopened = change_ticket(agent, "1", {"status": "open"})
    assert (reopened["resolved_at"], reopened["reopened_count"]) == (None, 1)
    closed = change_ticket(agent, "1", {"status": "closed"})
    assert closed["closed_at"] == closed["resolved_at"] == closed["updated_at"]


@pytest.mark.parametrize(
    "change", [{"priority": "low"}, {"tags": ["x"]}, {"title": "other"}, {"assigned_to": None, "category": "x"}]
)
def test_closed_is_final(cast: Cast, ticket: Document, change: dict[str, Any]) -> None:
    agent = actor_of(cast.amir)
    closed = change_ticket(agent, "1", {"status": "closed"})
    with pytest.raises(TicketClosed):
        change_ticket(agent, "1", change)
    with pytest.raises(TicketClosed):
        follow_ticket(agent, "1")
    with pytest.raises(InvalidTransition) as refused:
        change_ticket(agent, "1", {"status": "open"})
    assert refused.value.data["allowed_transitions"] == []
    assert access_ticket(agent, "1") == closed


def test_customers_change_their_own_title_description_and_status_only(cast: Cast, ticket: Document) -> None:
    carla = actor_of(cast.carla)
    assert change_ticket(carla, "1", {"title": "Printer smokes"})["title"] == "Printer smokes"
    for field, value in {"priority": "urgent", "tags": ["x"], "assigned_to": cast.amir.pk, "followers": []}.items():
        with pytest.raises(InvalidInput) as refused:
            change_ticket(carla, "1", {field: value})
        assert refused.value.errors[0].code == "staff_only"


def test_followers_see_but_do_not_change(cast: Cast, ticket: Document) -> None:
    carl = actor_of(cast.carl)
    with pytest.raises(NotFound):
        access_ticket(carl, "1")
    change_ticket(actor_of(cast.amir), "1", {"followers": [cast.carl.pk]})
    assert access_ticket(carl, "1")["follower_ids"] == [cast.carl.pk]
    add_comment(carl, "1", "Mine burns too")
    with pytest.raises(NotAllowed):
        change_ticket(carl, "1", {"title": "Mine now"})
    change_ticket(actor_of(cast.amir), "1", {"followers": []})
    with pytest.raises(NotFound):
        access_ticket(carl, "1")


def test_assignment_to_active_agents_of_the_tenant_only(cast: Cast, ticket: Document) -> None:
    agent = actor_of(cast.amir)
    assert assign_ticket(agent, "1", assigned_to=cast.ada.pk)["assigned_to_id"] == cast.ada.pk
    for stranger in (cast.carla.pk, cast.gus.pk, cast.olga.pk, ObjectId()):
        with pytest.raises(InvalidInput):
            assign_ticket(agent, "1", assigned_to=stranger)
    assert assign_ticket(agent, "1", assigned_to=None)["assigned_to_id"] is None
    assert types_of(ticket) == ["ticket.created", "ticket.assigned", "ticket.assigned"]


def test_taking_an_assignment_away_needs_the_permission_too(
    cast: Cast, ticket: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = actor_of(cast.amir)
    assign_ticket(agent, "1", assigned_to=cast.ada.pk)
    monkeypatch.setitem(PERMISSIONS, Role.AGENT, PERMISSIONS[Role.AGENT] - {Action.TICKETS_ASSIGN})
    with pytest.raises(NotAllowed):
        assign_ticket(agent, "1", assigned_to=None)


def test_following_is_staffs_and_goes_both_ways(cast: Cast, ticket: Document) -> None:
    agent = actor_of(cast.amir)
    assert follow_ticket(agent, "1")["follower_ids"] == [cast.amir.pk]
    assert follow_ticket(agent, "1")["version"] == 2
    assert follow_ticket(agent, "1", following=False)["follower_ids"] == []
    with pytest.raises(NotAllowed):
        follow_ticket(actor_of(cast.carla), "1")


def test_unknown_fields_are_named(cast: Cast, ticket: Document) -> None:
    with pytest.raises(InvalidInput) as refused:
        change_ticket(actor_of(cast.amir), "1", {"tenant_id": ObjectId()})
    assert refused.value.errors[0].field == "tenant_id"


def test_a_foreign_ticket_is_as_missing_as_any(cast: Cast, ticket: Document) -> None:
    messages = set()
    for reference in (ticket["_id"], str(ticket["_id"]), "1", "999", str(ObjectId()), "x", "", "0", "-1", "1" * 30):
        for who in (cast.gus, cast.greta):
            with pytest.raises(NotFound) as missing:
                change_ticket(actor_of(who), reference, {"title": "mine"})
            messages.add(str(missing.value))
    assert len(messages) == 1


@pytest.mark.parametrize("scopes", [frozenset(), frozenset({"tickets:read"}), frozenset({"comments:admin"})])
def test_a_key_does_no_more_than_its_scopes(cast: Cast, ticket: Document, scopes: frozenset[str]) -> None:
    key = Actor(cast.amir, cast.acme, Role.AGENT, Via.API, scopes=scopes, key_name="robot")
    with pytest.raises(NotAllowed):
        change_ticket(key, "1", {"priority": "high"})
    with pytest.raises(NotAllowed):
        open_ticket(key, title="Printer")


def test_the_history_tells_the_key(cast: Cast) -> None:
    key = Actor(
        cast.amir, cast.acme, Role.AGENT, Via.API, frozenset({"tickets:write", "tickets:read"}), key_name="robot"
    )
    assert events_of(open_ticket(key, title="Printer"))[0]["actor"]["key"] == "robot"


def test_an_error_in_the_middle_leaves_neither_change_nor_event(
    cast: Cast, ticket: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_args: Any) -> None:
        raise TicketingError("the last step fails")

    monkeypatch.setattr("tickets.writer.note_change", fails)
    with pytest.raises(TicketingError):
        change_ticket(actor_of(cast.amir), "1", {"priority": "high"})
    with pytest.raises(TicketingError):
        open_ticket(actor_of(cast.carla), title="Second")
    assert access_ticket(actor_of(cast.amir), "1") == ticket
    assert EventRepository(cast.acme.pk).count({}) == TicketRepository(cast.acme.pk).count({}) == 1


def test_a_preview_tells_what_a_change_would_do_and_writes_nothing(cast: Cast, ticket: Document) -> None:
    amir = actor_of(cast.amir)
    wanted = {"status": "open", "priority": ticket["priority"], "assigned_to": cast.amir.pk, "tags": ["Fire"]}
    assert preview_change(amir, ticket, wanted) == {
        "status": ("new", "open"),
        "assigned_to_id": (None, cast.amir.pk),
        "tags": ([], ["fire"]),
    }
    assert access_ticket(amir, ticket["_id"]) == ticket
    assert preview_change(amir, ticket, {"status": "new"}) == {}


def test_a_preview_refuses_what_the_change_would(cast: Cast, ticket: Document) -> None:
    amir = actor_of(cast.amir)
    closed = change_ticket(amir, ticket["_id"], {"status": "closed"})
    refusals: list[tuple[Actor, dict[str, Any], type[TicketingError]]] = [
        (amir, {"priority": "high"}, TicketClosed),
        (amir, {"status": "open"}, InvalidTransition),
        (amir, {"assigned_to": cast.carla.pk}, InvalidInput),
        (actor_of(cast.carla), {"priority": "high"}, InvalidInput),
    ]
    for actor, wanted, error in refusals:
        with pytest.raises(error):
            preview_change(actor, closed, wanted)
        with pytest.raises(error):
            change_ticket(actor, closed["_id"], wanted)
