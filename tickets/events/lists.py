"""Pages of a ticket's history, for API and console."""

from accounts.actor import Actor
from accounts.roles import Action
from ticketing.mongo.pages import Page, PageRequest, cursor_of
from ticketing.mongo.repository import Document
from tickets.events.repository import HISTORY_ORDER, EventRepository

_LAST = 2**31 - 1  # a position behind that of any event


def page_of_events(actor: Actor, ticket: Document, request: PageRequest) -> Page:
    """One page of what happened to the ticket, oldest first. Events of internal notes are among them, texts included.

    Raises NotAllowed, InvalidInput.
    """
    actor.check(Action.TICKETS_READ_EVENTS)
    actor.check(Action.COMMENTS_READ_INTERNAL)
    return EventRepository(actor.tenant_id).history(ticket["_id"], request)


def events_after(actor: Actor, ticket: Document, version: int, limit: int) -> list[Document]:
    """The first ``limit`` events that came after this version of the ticket, oldest first. Raises NotAllowed."""
    last_of_version = {"version": version, "position": _LAST}
    page = page_of_events(actor, ticket, PageRequest(limit, after=cursor_of(last_of_version, HISTORY_ORDER)))
    return page.rows


def count_events(actor: Actor, ticket: Document, *, cap: int) -> int:
    """How many events the ticket has, counting no further than ``cap``."""
    return EventRepository(actor.tenant_id).count({"ticket_id": ticket["_id"]}, cap=cap)
