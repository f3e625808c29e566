"""What a ticket has to do with others, and which ones it may be a duplicate of."""

from collections.abc import Iterable

from accounts.actor import Actor
from accounts.roles import Action
from ticketing.errors import NotFound
from ticketing.mongo import ObjectId
from ticketing.mongo.pages import PageRequest
from ticketing.mongo.repository import Document
from tickets.access import access_ticket, visible_tickets
from tickets.lists import matching, page_of_tickets
from tickets.merging import rules
from tickets.repository import TicketRepository
from tickets.search.rules import query_words
from tickets.workflow.rules import CLOSED, STATUSES

CANDIDATES = 10
_SHOWN = ("number", "title", "status", "created_at")
_OPEN = [status for status in STATUSES if status != CLOSED]


def related_tickets(actor: Actor, ticket: Document) -> list[Document]:
    """``number``, ``title``, ``status`` and ``created_at`` of the tickets that it is linked to, newest first.

    Raises NotAllowed.
    """
    return list(linked_tickets(actor, rules.related_ids(ticket)).values())


def linked_tickets(actor: Actor, ids: Iterable[ObjectId | None]) -> dict[ObjectId, Document]:
    """The same of tickets by their ids, in one round trip. Raises NotAllowed."""
    actor.check(Action.TICKETS_READ_ALL)
    found = TicketRepository(actor.tenant_id).find_by_ids(ids, fields=_SHOWN)
    return dict(sorted(found.items(), key=lambda item: -item[1]["number"]))


def find_merge_candidates(actor: Actor, ticket: Document, query: str = "") -> list[Document]:
    """Up to ten open tickets, newest first, that this one may be merged into: those that have the query's words or its
    number, without a query those of the same requester. Raises NotAllowed."""
    actor.check(Action.TICKETS_EDIT_ALL)
    by_number = _by_number(actor, query)
    if by_number is not None:
        return _without(ticket, [by_number])
    tickets = visible_tickets(actor).filter(status__in=_OPEN)
    if not query.strip():
        tickets = tickets.filter(created_by_id=ticket["created_by_id"])
    elif query_words(query):
        tickets = matching(actor, tickets, query)
    else:
        return []
    page = page_of_tickets(actor, tickets, PageRequest(CANDIDATES + 1), fields=_SHOWN)
    return _without(ticket, page.rows)[:CANDIDATES]


def _by_number(actor: Actor, query: str) -> Document | None:
    number = query.strip().removeprefix("#")
    if not number.isdecimal():
        return None
    try:
        found = access_ticket(actor, number)
    except NotFound:
        return None
    return found if found["status"] in _OPEN else None


def _without(ticket: Document, rows: list[Document]) -> list[Document]:
    return [row for row in rows if row["_id"] != ticket["_id"]]
