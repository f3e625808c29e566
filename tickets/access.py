"""Who sees which tickets: the only way by which a view obtains one."""

import re
from collections.abc import Sequence
from typing import Any

from accounts.actor import Actor
from accounts.roles import Action
from ticketing.errors import NotAllowed, NotFound
from ticketing.mongo import ObjectId, parse_object_id
from ticketing.mongo.models import TenantQuerySet
from ticketing.mongo.repository import Document
from tickets.models import Ticket
from tickets.repository import TicketRepository

_NUMBER = re.compile(r"[1-9][0-9]{0,17}")


def visible_filter(actor: Actor) -> Document:
    """The filter of the tickets that the actor may read: all of the tenant for staff, his own for a customer."""
    if actor.can(Action.TICKETS_READ_ALL):
        return {}
    actor.check(Action.TICKETS_READ_OWN)
    return {"participant_ids": actor.user_id}


def visible_tickets(actor: Actor) -> TenantQuerySet:
    """The same as a queryset, for filters and the console."""
    tickets: TenantQuerySet = Ticket.objects.all()
    own: dict[str, Any] = visible_filter(actor)
    return tickets.filter(participant_ids__contains=[own["participant_ids"]]) if own else tickets


def access_ticket(actor: Actor, reference: str | ObjectId, *, fields: Sequence[str] = ()) -> Document:
    """The ticket with this id or number, or of it these ``fields``. Raises NotFound for a missing, a foreign and an
    invisible one alike."""
    where = _reference_filter(reference)
    wanted = {"$and": [where, visible_filter(actor)]}
    return existing(where and TicketRepository(actor.tenant_id).find_one(wanted, fields=fields))


def existing(ticket: Document | None) -> Document:
    """The ticket that was found. Raises NotFound where there was none."""
    if not ticket:
        raise NotFound("The ticket does not exist")
    return ticket


def access_ticket_to_answer(actor: Actor, reference: str | ObjectId) -> tuple[Document, ObjectId | None]:
    """Like ``access_ticket``, for what is said or attached: of a merged ticket the one that it was merged into, with
    the merged one's id, which the answer comes from. A customer who does not see that one gets the merged one."""
    ticket = access_ticket(actor, reference)
    into = ticket.get("merged_into_id")
    if into is None:
        return ticket, None
    try:
        return access_ticket(actor, into), ticket["_id"]
    except NotFound:
        return ticket, None


def access_ticket_to_edit(actor: Actor, reference: str | ObjectId) -> Document:
    """Like ``access_ticket``, for a change of its fields: staff, or the customer who opened it. Raises NotAllowed."""
    ticket = access_ticket(actor, reference)
    check_edit(actor, ticket)
    return ticket


def check_edit(actor: Actor, ticket: Document) -> None:
    """Raises NotAllowed unless the actor, who sees the ticket, may change its fields."""
    if not actor.can(Action.TICKETS_EDIT_ALL):
        actor.check(Action.TICKETS_EDIT_OWN)
        if ticket["created_by_id"] != actor.user_id:
            raise NotAllowed("Only the person who opened the ticket may change it")


def sees_internal(actor: Actor) -> bool:
    """Whether internal notes, and whatever reveals them, are shown to the actor."""
    return actor.can(Action.COMMENTS_READ_INTERNAL)


def visible_version(actor: Actor, ticket: Document) -> int:
    """The version that the actor sees and compares with: for customers internal notes do not count."""
    version: int = ticket["version"] if sees_internal(actor) else ticket["public_version"]
    return version


def _reference_filter(reference: str | ObjectId) -> Document:
    if isinstance(reference, ObjectId):
        return {"_id": reference}
    if (id_ := parse_object_id(reference)) is not None:
        return {"_id": id_}
    return {"number": int(reference)} if _NUMBER.fullmatch(reference) else {}
