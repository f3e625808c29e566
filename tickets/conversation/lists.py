"""Pages of a ticket's thread, for API and console."""

from collections.abc import Sequence

from accounts.actor import Actor
from accounts.roles import Action
from ticketing.mongo import ObjectId
from ticketing.mongo.pages import Page, PageRequest, page_of
from ticketing.mongo.repository import Document
from tickets.access import sees_internal
from tickets.conversation.repository import THREAD_ORDER, CommentRepository


def page_of_comments(actor: Actor, ticket: Document, request: PageRequest) -> Page:
    """One page of the ticket's comments that the actor may read, oldest first. Raises NotAllowed, InvalidInput."""
    actor.check(Action.COMMENTS_READ_PUBLIC)
    return CommentRepository(actor.tenant_id).thread(ticket["_id"], request, internal=sees_internal(actor))


def first_pages(actor: Actor, ticket_ids: Sequence[ObjectId], limit: int) -> dict[ObjectId, Page]:
    """The first page of each ticket's comments, all in one round trip. Raises NotAllowed."""
    actor.check(Action.COMMENTS_READ_PUBLIC)
    found = CommentRepository(actor.tenant_id).first_of_each(ticket_ids, limit + 1, internal=sees_internal(actor))
    return {id_: page_of(found.get(id_, []), THREAD_ORDER, PageRequest(limit)) for id_ in ticket_ids}
