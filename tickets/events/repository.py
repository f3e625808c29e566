"""The history's storage: events are inserted, never changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from accounts.actor import Actor
from ticketing.mongo import ObjectId
from ticketing.mongo.pages import Page, PageRequest
from ticketing.mongo.repository import Document, Repository

HISTORY_ORDER = (("version", 1), ("position", 1))


@dataclass(frozen=True, slots=True)
class NewEvent:
    """What happened, in dotted past tense, with {field: (old, new)} and whatever else belongs to the type."""

    type: str
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)


class EventRepository(Repository):
    collection_name = "events"
    noun = "The event"

    def history(self, ticket_id: ObjectId, request: PageRequest) -> Page:
        """A page of a ticket's events in the order in which they happened."""
        return self.page({"ticket_id": ticket_id}, HISTORY_ORDER, request)

    def record(
        self, actor: Actor, ticket_id: ObjectId, version: int, events: Sequence[NewEvent], at: datetime
    ) -> list[Document]:
        """Stores the events of one change, in order, and returns them."""
        return self.insert_many(
            event_document(describe_actor(actor), ticket_id, version, position, event, at)
            for position, event in enumerate(events)
        )


def event_document(
    actor: Document, ticket_id: ObjectId, version: int, position: int, event: NewEvent, at: datetime
) -> Document:
    """A complete event; ``actor`` as ``describe_actor`` gives him."""
    return {
        "ticket_id": ticket_id,
        "version": version,
        "position": position,
        "type": event.type,
        "actor": actor,
        "changes": {name: list(pair) for name, pair in event.changes.items()},
        "data": dict(event.data),
        "at": at,
    }


def describe_actor(actor: Actor) -> Document:
    """The actor as an event keeps him: {id, name, role, via, key}; id None is the platform itself."""
    return {
        "id": actor.user_id,
        "name": "" if actor.user is None else actor.user.name,
        "role": str(actor.role),
        "via": str(actor.via),
        "key": actor.key_name,
    }
