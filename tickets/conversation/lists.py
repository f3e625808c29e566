"""Pages of a ticket's thread, for API and console."""

from collections.abc import Sequence

from accounts.actor import Actor
from accounts.roles import Action
from ticketing.mongo import ObjectId, parse_object_id
from ticketing.mongo.pages import Page, PageRequest, cursor_of, page_of
from ticketing.mongo.repository import Document, Find, find_together
from tickets.access import access_ticket, existing, sees_internal
from tickets.conversation.repository import THREAD_ORDER, CommentRepository
from tickets.repository import TicketRepository


def page_of_comments(actor: Actor, ticket: Document, request: PageRequest) -> Page:
    """One page of the ticket's comments that the actor may read, oldest first. Raises NotAllowed, InvalidInput."""
    actor.check(Action.COMMENTS_READ_PUBLIC)
    return CommentRepository(actor.tenant_id).thread(ticket["_id"], request, internal=sees_internal(actor))


def access_ticket_and_thread(actor: Actor, reference: str, limit: int) -> tuple[Document, Page | None]:
    """``access_ticket`` together with the first page of its comments: one round trip for staff who name it by its id.

    Otherwise the page is None, as it takes another. A customer's does in any case: what is read for a ticket that he
    may not see must not tell that there is one. Raises NotFound.
    """
    id_, request = parse_object_id(reference), PageRequest(limit)
    if id_ is None or not (actor.can(Action.TICKETS_READ_ALL) and actor.can(Action.COMMENTS_READ_PUBLIC)):
        return access_ticket(actor, reference), None
    comments = CommentRepository(actor.tenant_id).first_of(id_, limit + 1, internal=sees_internal(actor))
    tickets, thread = find_together([Find(TicketRepository(actor.tenant_id), {"_id": id_}), comments])
    return existing(next(iter(tickets), None)), page_of(thread, THREAD_ORDER, request)


def cursor_behind(actor: Actor, comment: Document, limit: int) -> str:
    """The cursor before which a page of the ticket's thread ends in this comment; empty where the newest ``limit``
    comments have it among them. Raises NotAllowed."""
    place = PageRequest(limit, after=cursor_of(comment, THREAD_ORDER))
    later = page_of_comments(actor, {"_id": comment["ticket_id"]}, place).rows
    return "" if len(later) < limit else cursor_of(later[0], THREAD_ORDER)


def first_pages(actor: Actor, tickets: Sequence[Document], limit: int) -> dict[ObjectId, Page]:
    """The first page of each ticket's comments, in one round trip for all whose counts do not say that there is none.

    Raises NotAllowed.
    """
    actor.check(Action.COMMENTS_READ_PUBLIC)
    request, found = PageRequest(limit), dict[ObjectId, list[Document]]()
    counts = ("comment_count", "internal_note_count") if sees_internal(actor) else ("comment_count",)
    talked = [ticket["_id"] for ticket in tickets if any(ticket.get(name, 1) for name in counts)]
    if len(tickets) == len(talked) == 1:
        return {talked[0]: page_of_comments(actor, tickets[0], request)}
    if talked:
        found = CommentRepository(actor.tenant_id).first_of_each(talked, limit + 1, internal=sees_internal(actor))
    return {ticket["_id"]: page_of(found.get(ticket["_id"], []), THREAD_ORDER, request) for ticket in tickets}
