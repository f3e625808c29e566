"""A replayed past must be what the services would have stored."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from accounts.actor import Actor, Via
from accounts.models import User
from accounts.repository import UserRepository
from accounts.roles import Role
from accounts.services import new_user_document
from tenants.services import create_tenant
from ticketing.errors import InvalidTransition
from ticketing.mongo.repository import Document
from ticketing.mongo.scope import tenant_scope
from tickets.conversation.repository import CommentRepository
from tickets.conversation.services import add_comment
from tickets.demo.history import History
from tickets.events.repository import EventRepository
from tickets.repository import TicketRepository
from tickets.rules import Content
from tickets.services import change_ticket, new_ticket_document, open_ticket

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
UNLIKE = {"_id", "tenant_id", "ticket_id"}


@pytest.fixture
def actors(db: None) -> tuple[Actor, Actor]:
    """A customer and an agent of one tenant."""
    tenant = create_tenant({"slug": "acme", "name": "Acme"}, by="test")
    users = UserRepository(tenant.pk)
    return tuple(  # type: ignore[return-value]
        Actor(
            User.from_document(users.insert(new_user_document(f"{role}@acme.example", role.title(), role))),
            tenant,
            Role(role),
            Via.API,
        )
        for role in ("user", "agent")
    )


def test_a_replay_equals_what_the_services_store(actors: tuple[Actor, Actor], monkeypatch: pytest.MonkeyPatch) -> None:
    customer, agent = actors
    times = [START + timedelta(hours=hour) for hour in range(8)]
    steps: list[tuple[Any, ...]] = [
        (agent, {"assigned_to": agent.user_id, "priority": "high"}),
        (agent, "Which version is it?", "public"),
        (agent, {"status": "pending"}),
        (agent, "Known fault, see the release notes", "internal"),
        (customer, "It is the newest version", "public"),
        (agent, {"status": "resolved"}),
        (customer, "It is broken again", "public"),
    ]

    monkeypatch.setattr("ticketing.clock.now", lambda: times[0])
    with tenant_scope(agent.tenant_id):
        stored = open_ticket(customer, title="It does not start", description="Not *at all*")
        for at, (actor, *what) in zip(times[1:], steps, strict=True):
            monkeypatch.setattr("ticketing.clock.now", lambda at=at: at)
            if isinstance(what[0], dict):
                change_ticket(actor, stored["_id"], what[0])
            else:
                add_comment(actor, stored["_id"], *what)

    assert customer.user_id
    ticket = new_ticket_document(1, Content("It does not start", "Not *at all*"), customer.user_id, "api", "en")
    history = History(customer, ticket, times[0], Random(1))
    for at, (actor, *what) in zip(times[1:], steps, strict=True):
        if isinstance(what[0], dict):
            wanted = {name.replace("assigned_to", "assigned_to_id"): value for name, value in what[0].items()}
            history.change(actor, wanted, at)
        else:
            history.comment(actor, *what, at)

    where = {"ticket_id": stored["_id"]}
    assert plain(history.ticket) == plain(TicketRepository(agent.tenant_id).get(stored["_id"]))
    assert list(map(plain, history.comments)) == list(map(plain, CommentRepository(agent.tenant_id).find(where)))
    assert list(map(plain, history.events)) == list(map(plain, EventRepository(agent.tenant_id).find(where)))


def test_a_replay_keeps_to_the_workflow(actors: tuple[Actor, Actor]) -> None:
    customer, agent = actors
    assert customer.user_id
    history = History(customer, new_ticket_document(1, Content("A", ""), customer.user_id, "api"), START, Random(1))
    history.change(agent, {"status": "closed"}, START)
    with pytest.raises(InvalidTransition):
        history.change(agent, {"status": "open"}, START)


def plain(document: Document) -> Document:
    """Without the ids that differ, and without the order of words, which has no meaning."""
    kept = {name: value for name, value in document.items() if name not in UNLIKE}
    kept |= {name: sorted(kept[name]) for name in ("all_terms", "public_terms") if name in kept}
    if "comment_id" in kept.get("data", {}):
        kept["data"] = {**kept["data"], "comment_id": "some id"}
    return kept
