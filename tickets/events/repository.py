"""The history's storage: events are inserted, never changed, except for what privacy takes out of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NoReturn

from accounts.actor import Actor
from ticketing.errors import DirectWriteError
from ticketing.mongo import ObjectId
from ticketing.mongo.client import transactional
from ticketing.mongo.pages import Page, PageRequest
from ticketing.mongo.repository import Document, Repository, Where
from tickets.rules import REMOVED

HISTORY_ORDER = (("version", 1), ("position", 1))

# Where events hold text that somebody wrote, and what takes its place. Categories and tags are what is counted by.
_REMOVED_TEXTS: Mapping[str, Any] = {
    **{f"changes.{name}": [REMOVED, REMOVED] for name in ("title", "description", "body")},
    **{f"data.{name}": REMOVED for name in ("title", "name")},
}


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

    def update(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refused, as every change but the two below."""
        raise DirectWriteError("Events are the history: they are inserted and never changed.")

    update_where = update_all = increment_many = update

    @transactional
    def remove_texts(self, where: Where) -> int:
        """Takes the texts out of matching events for good, and leaves what happened, when and by whom; tells how many
        have held any. Only for tickets.privacy."""
        holds_text = {"$or": [{path: {"$exists": True}} for path in _REMOVED_TEXTS]}
        found = self.count({"$and": [dict(where), holds_text]})
        for path, replacement in _REMOVED_TEXTS.items() if found else ():
            super().update_all({"$and": [dict(where), {path: {"$exists": True}}]}, {path: replacement})
        return found

    def replace_actor_name(self, where: Where, pseudonym: str) -> int:
        """Puts a pseudonym in the place of the actor's name, and of his key's where he used one; tells how many events
        have changed. Only for tickets.privacy."""
        super().update_all({"$and": [dict(where), {"actor.key": {"$gt": ""}}]}, {"actor.key": pseudonym})
        return super().update_all(where, {"actor.name": pseudonym})


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
