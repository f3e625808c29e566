"""Pages of a ticket's attachments, for API and console."""

from collections.abc import Iterable

from accounts.actor import Actor
from accounts.roles import Action
from ticketing.mongo import ObjectId
from ticketing.mongo.pages import Page, PageRequest
from ticketing.mongo.repository import Document
from tickets.access import sees_internal
from tickets.attachments.repository import AttachmentRepository


def page_of_attachments(
    actor: Actor, ticket: Document, request: PageRequest, *, comment_ids: Iterable[ObjectId] | None = None
) -> Page:
    """One page of the ticket's files that the actor may read, oldest first; where comments are given, of their files
    and those that came with none. Raises NotAllowed, InvalidInput."""
    actor.check(Action.ATTACHMENTS_READ)
    repository, internal = AttachmentRepository(actor.tenant_id), sees_internal(actor)
    return repository.page_of(ticket["_id"], request, internal=internal, comment_ids=comment_ids)
