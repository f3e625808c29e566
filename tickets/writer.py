"""The one place where a ticket is written: the versioned update, its events and its statistics, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from accounts.actor import Actor
from ticketing.mongo.client import transactional
from ticketing.mongo.repository import Document
from tickets.events.repository import EventRepository, NewEvent
from tickets.repository import TicketRepository
from tickets.search.rules import MAX_TERMS
from tickets.stats.services import note_change


@dataclass(slots=True)
class Change:
    """What a service decided: fields to set, counters to raise, words to add, and the events that tell of it.

    ``internal`` marks a change that customers must not notice.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    increments: dict[str, int] = field(default_factory=dict)
    terms: list[str] = field(default_factory=list)
    events: list[NewEvent] = field(default_factory=list)
    internal: bool = False


@transactional
def store_new_ticket(actor: Actor, ticket: Mapping[str, Any], events: Sequence[NewEvent]) -> Document:
    """Inserts a ticket with its first events. Raises AlreadyExists for a taken number or external id."""
    stored = TicketRepository(actor.tenant_id).insert(ticket)
    EventRepository(actor.tenant_id).record(actor, stored["_id"], stored["version"], events, stored["created_at"])
    note_change(actor.tenant_id, None, stored)
    return stored


@transactional
def store_change(actor: Actor, ticket: Document, change: Change, now: datetime) -> Document:
    """Applies a change to the ticket as it was read. Raises StaleVersion when it has changed since."""
    fields = {**change.fields, "updated_at": now}
    increments = dict(change.increments)
    if not change.internal:
        fields["public_updated_at"] = now
        increments["public_version"] = 1
    stored = TicketRepository(actor.tenant_id).update(
        ticket["_id"], fields, expected_version=ticket["version"], operators=_operators(ticket, change, increments)
    )
    EventRepository(actor.tenant_id).record(actor, stored["_id"], stored["version"], change.events, now)
    note_change(actor.tenant_id, ticket, stored)
    return stored


def _operators(ticket: Document, change: Change, increments: dict[str, int]) -> dict[str, dict[str, Any]]:
    operators: dict[str, dict[str, Any]] = {"$inc": increments} if increments else {}
    if change.terms:
        targets = ["all_terms"] if change.internal else ["all_terms", "public_terms"]
        operators["$addToSet"] = {
            target: {"$each": change.terms[: max(0, MAX_TERMS - len(ticket[target]))]} for target in targets
        }
    return operators
