"""Telling colleagues that one is on a ticket, and being told who else is."""

from dataclasses import dataclass
from datetime import timedelta

from accounts.actor import Actor
from accounts.roles import Action
from ticketing import clock
from ticketing.mongo import ObjectId
from tickets.people import find_people
from tickets.presence.repository import PresenceRepository

# Browsers wake a hidden page's timers only once a minute.
PRESENT_FOR = timedelta(seconds=90)


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody else on the same ticket; ``name`` is empty for an operator of the platform."""

    name: str
    is_writing: bool


def note_presence(actor: Actor, ticket_id: ObjectId, *, is_writing: bool) -> None:
    """Keeps for ``PRESENT_FOR`` that the actor is looking at the ticket, or writing on it. Raises NotAllowed."""
    actor.check(Action.TICKETS_READ_ALL)
    if actor.user_id is not None:
        now = clock.now()
        PresenceRepository(actor.tenant_id).note(
            ticket_id, actor.user_id, is_writing=is_writing, seen_at=now, expires_at=now + PRESENT_FOR
        )


def end_presence(actor: Actor, ticket_id: ObjectId) -> None:
    """Forgets that the actor is on the ticket. Raises NotAllowed."""
    actor.check(Action.TICKETS_READ_ALL)
    if actor.user_id is not None:
        PresenceRepository(actor.tenant_id).forget(ticket_id, actor.user_id)


def find_colleagues(actor: Actor, ticket_id: ObjectId) -> list[Colleague]:
    """Who else is on the ticket now, those who write first. Raises NotAllowed."""
    actor.check(Action.TICKETS_READ_ALL)
    rows = PresenceRepository(actor.tenant_id).others(ticket_id, actor.user_id, clock.now())
    people = find_people(actor, [row["user_id"] for row in rows])
    found = [Colleague(people.get(row["user_id"], {}).get("name", ""), row["is_writing"]) for row in rows]
    return sorted(found, key=lambda colleague: (not colleague.is_writing, colleague.name.casefold()))
