"""Tickets that have to do with one another: a link that both have, and that customers do not see."""

from accounts.actor import Actor
from accounts.roles import Action
from ticketing import clock
from ticketing.errors import InvalidInput, NotFound
from ticketing.mongo import ObjectId
from ticketing.mongo.client import transactional
from ticketing.mongo.repository import Document
from tickets.access import access_ticket
from tickets.events.repository import NewEvent
from tickets.merging import rules
from tickets.writer import Change, store_change


@transactional
def link_tickets(actor: Actor, reference: str | ObjectId, other: str | ObjectId) -> Document:
    """Links two tickets, closed ones too, and returns the other one; linked ones stay as they are.

    Raises InvalidInput naming ``ticket``, NotFound, NotAllowed, TooMany.
    """
    ticket, related = _both(actor, reference, other)
    if ticket["_id"] == related["_id"]:
        raise InvalidInput.of("ticket", "is the ticket itself", "same_ticket")
    if related["_id"] in rules.related_ids(ticket):
        return related
    store_link(actor, ticket, related)
    return store_link(actor, related, ticket)


@transactional
def unlink_tickets(actor: Actor, reference: str | ObjectId, other: str | ObjectId) -> None:
    """Takes a link away from both; where there is none nothing changes. Raises NotFound, NotAllowed."""
    actor.check(Action.TICKETS_EDIT_ALL)
    ticket, related = access_ticket(actor, reference), access_ticket(actor, other)
    if related["_id"] not in rules.related_ids(ticket):
        return
    for one, another in ((ticket, related), (related, ticket)):
        left = [id_ for id_ in rules.related_ids(one) if id_ != another["_id"]]
        store_change(actor, one, _change(left, "ticket.unlinked", another), clock.now())


def store_link(actor: Actor, ticket: Document, related: Document) -> Document:
    """One half of a link. Raises TooMany."""
    rules.check_related(ticket)
    linked = [*rules.related_ids(ticket), related["_id"]]
    return store_change(actor, ticket, _change(linked, "ticket.linked", related), clock.now())


def _both(actor: Actor, reference: str | ObjectId, other: str | ObjectId) -> tuple[Document, Document]:
    actor.check(Action.TICKETS_EDIT_ALL)
    ticket = access_ticket(actor, reference)
    try:
        return ticket, access_ticket(actor, other)
    except NotFound:
        raise InvalidInput.of("ticket", "is not a ticket of this tenant", "not_found") from None


def _change(related_ids: list[ObjectId], event: str, other: Document) -> Change:
    data = {"ticket_id": other["_id"], "number": other["number"]}
    return Change({"related_ids": related_ids}, events=[NewEvent(event, data=data)], internal=True)
