"""Changing many tickets: a preview, the change in batches that may be sent again, and taking it back.

Each ticket is changed in a transaction of its own, which also records it in the bulk change: whatever stops the work
between two tickets, the record says what was done, and sending the rest again does nothing twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from accounts.actor import Actor
from accounts.roles import Action
from ticketing import clock
from ticketing.errors import Message, NotFound, StaleVersion, StorageUnavailable, TicketingError, to_stored
from ticketing.mongo import ObjectId, parse_object_id
from ticketing.mongo.client import transactional
from ticketing.mongo.repository import Document
from tickets.access import access_ticket_to_edit
from tickets.bulk import rules
from tickets.bulk.repository import BulkChangeRepository
from tickets.events.repository import EventRepository
from tickets.repository import TicketRepository
from tickets.rules import FIELD_NAMES
from tickets.services import change_ticket, clean_fields, preview_fields, restore_fields

_RECENT = 20
_PREVIEWED = ("number", "title", "version", *rules.STORED)


class _DoneAlreadyError(Exception):
    """The same batch, sent twice at the same time, has changed the ticket: rolls this change of it back."""


@dataclass(frozen=True, slots=True)
class Selected:
    """A ticket to change. ``version`` is what the person has seen of it (None: nothing that could have changed)."""

    id: ObjectId
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What would become of a ticket: (before, after) by stored field, or why it refuses."""

    ticket: Document
    changes: dict[str, tuple[Any, Any]]
    refusal: str = ""


def preview_bulk_change(actor: Actor, ticket_ids: Sequence[ObjectId], wanted: Mapping[str, Any]) -> list[Outcome]:
    """What ``apply_bulk_change`` would do now, in the order given; tickets that do not exist are left out.

    Writes nothing. Raises NotAllowed, and InvalidInput for what would be refused for every ticket.
    """
    actor.check(Action.TICKETS_EDIT_ALL)
    rules.check_total(len(ticket_ids))
    wanted = rules.clean_wanted(wanted)
    cleaned = clean_fields(actor, rules.plain_fields(wanted))
    tickets = TicketRepository(actor.tenant_id).find_by_ids(ticket_ids, fields=_PREVIEWED)
    return [_outcome(actor, tickets[id_], cleaned, wanted) for id_ in dict.fromkeys(ticket_ids) if id_ in tickets]


def begin_bulk_change(actor: Actor, wanted: Mapping[str, Any]) -> Document:
    """A new bulk change without tickets, which can be taken back for a week. Raises NotAllowed, InvalidInput."""
    actor.check(Action.TICKETS_EDIT_ALL)
    now = clock.now()
    wanted = rules.clean_wanted(wanted)
    clean_fields(actor, rules.plain_fields(wanted))
    document: Document = {
        "author_id": actor.user_id,
        "wanted": wanted,
        "items": [],
        "created_at": now,
        "undone_at": None,
        "expires_at": now + timedelta(days=rules.UNDO_DAYS),
        "version": 1,
    }
    return BulkChangeRepository(actor.tenant_id).insert(document)


def apply_bulk_change(actor: Actor, bulk_id: ObjectId, tickets: Sequence[Selected]) -> list[Document]:
    """Changes these tickets and returns what became of each, in order. A ticket that is done already stays as it is.

    A ticket refuses when a field that is to change was changed after the version that the person has seen. Raises
    NotFound, NotAllowed, InvalidInput for too many tickets.
    """
    rules.check_amount(len(tickets))
    bulk = access_bulk_change(actor, bulk_id)
    done = {item["ticket_id"]: item for item in bulk["items"]}
    rules.check_total(len(done.keys() | {ticket.id for ticket in tickets}))
    found = []
    for ticket in tickets:
        item = done.get(ticket.id) or _apply(actor, bulk, ticket)
        if item is not None:
            found.append(item)
    return found


def undo_bulk_change(actor: Actor, bulk_id: ObjectId, *, limit: int = rules.MAX_BATCH) -> int:
    """Takes back up to ``limit`` tickets' changes and returns how many are left to take back.

    A field is put back only if it still is what the bulk change wrote; each item keeps in ``undone`` what was put back
    and what was not, and why. Raises NotFound, NotAllowed.
    """
    bulk = access_bulk_change(actor, bulk_id)
    waiting = [item for item in bulk["items"] if item["changes"] and item["undone"] is None]
    for item in waiting[:limit]:
        try:
            _restore(actor, bulk, item)
        except StorageUnavailable:
            raise
        except TicketingError as refusal:
            _keep_undone(actor, bulk, item, {"restored": [], "kept": list(item["changes"])}, refusal.detail)
    if len(waiting) <= limit and bulk["undone_at"] is None:
        BulkChangeRepository(actor.tenant_id).update_where({"_id": bulk["_id"]}, {"undone_at": clock.now()})
    return max(0, len(waiting) - limit)


def access_bulk_change(actor: Actor, reference: str | ObjectId) -> Document:
    """The actor's own bulk change. Raises NotFound, NotAllowed."""
    actor.check(Action.TICKETS_EDIT_ALL)
    id_ = reference if isinstance(reference, ObjectId) else parse_object_id(reference)
    found = BulkChangeRepository(actor.tenant_id).find_one({"_id": id_, "author_id": actor.user_id}) if id_ else None
    if found is None:
        raise NotFound("The bulk change does not exist")
    return found


def recent_bulk_changes(actor: Actor) -> list[Document]:
    """The actor's newest bulk changes that have done something, newest first."""
    actor.check(Action.TICKETS_EDIT_ALL)
    return BulkChangeRepository(actor.tenant_id).find(
        {"author_id": actor.user_id, "items.0": {"$exists": True}},
        sort=(("created_at", -1), ("_id", -1)),
        limit=_RECENT,
    )


def _outcome(actor: Actor, ticket: Document, cleaned: Mapping[str, Any], wanted: Mapping[str, Any]) -> Outcome:
    try:
        changes = preview_fields(actor, ticket, {**cleaned, **rules.tag_changes(wanted, ticket["tags"])})
    except TicketingError as refusal:
        return Outcome(ticket, {}, refusal.detail)
    return Outcome(ticket, changes)


def _apply(actor: Actor, bulk: Document, ticket: Selected) -> Document | None:
    """The item of a ticket that was changed, or that refuses; None where there is no such ticket."""
    try:
        return _change(actor, bulk, ticket)
    except NotFound:
        return None
    except StorageUnavailable:
        raise
    except _DoneAlreadyError:
        items = access_bulk_change(actor, bulk["_id"])["items"]
        return next((item for item in items if item["ticket_id"] == ticket.id), None)
    except TicketingError as error:  # what the transaction had written is gone with it
        stored = TicketRepository(actor.tenant_id).get(ticket.id, fields=["number"])
        item = {**_item(stored), **to_stored("refused", error.detail)}
        _keep(actor, bulk, item)
        return item


@transactional
def _change(actor: Actor, bulk: Document, selected: Selected) -> Document:
    before = access_ticket_to_edit(actor, selected.id)
    wanted = rules.plain_fields(bulk["wanted"]) | rules.tag_changes(bulk["wanted"], before["tags"])
    _check_as_seen(actor, before, selected.version, wanted)
    after = change_ticket(actor, selected.id, wanted)
    item = {**_item(before), **rules.changes_between(before, after)}
    if not _keep(actor, bulk, item):
        raise _DoneAlreadyError
    return item


def _check_as_seen(actor: Actor, ticket: Document, seen: int | None, wanted: Mapping[str, Any]) -> None:
    if seen is None or ticket["version"] == seen:
        return
    events = EventRepository(actor.tenant_id).find(
        {"ticket_id": ticket["_id"], "version": {"$gt": seen}}, fields=["changes"]
    )
    names = {f"{name}_id" if name in ("assigned_to", "team") else name for name in wanted}
    moved = sorted(names & {name for event in events for name in event["changes"]})
    if moved:
        fields = tuple(FIELD_NAMES[name.removesuffix("_id")] for name in moved)
        raise StaleVersion(Message("Somebody has changed it meanwhile: {fields}", fields=fields))


@transactional
def _restore(actor: Actor, bulk: Document, item: Document) -> None:
    ticket = access_ticket_to_edit(actor, item["ticket_id"])
    before, kept = rules.restorable(item, ticket)
    if before:
        restore_fields(actor, ticket, before)
    restored = [name for name in before if name in rules.STORED]
    _keep_undone(actor, bulk, item, {"restored": restored, "kept": kept})


def _keep_undone(actor: Actor, bulk: Document, item: Document, undone: Document, why: str = "") -> None:
    where = {"_id": bulk["_id"], "items": {"$elemMatch": {"ticket_id": item["ticket_id"], "undone": None}}}
    BulkChangeRepository(actor.tenant_id).update_where(where, {"items.$.undone": undone | to_stored("why", why)})


def _item(ticket: Document) -> Document:
    return {
        "ticket_id": ticket["_id"],
        "number": ticket["number"],
        "changes": {},
        "stamps": {},
        **to_stored("refused", ""),
        "undone": None,
    }


def _keep(actor: Actor, bulk: Document, item: Document) -> bool:
    """Keeps the item; False where the bulk change has the ticket already: the same batch was sent twice at once."""
    where = {"_id": bulk["_id"], "items.ticket_id": {"$ne": item["ticket_id"]}}
    kept = BulkChangeRepository(actor.tenant_id).update_where(where, {}, operators={"$push": {"items": item}})
    return kept is not None
