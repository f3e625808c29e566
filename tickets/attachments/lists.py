"""Pages of a ticket's attachments, for API and console."""

from accounts.actor import Actor
from accounts.roles import Action
from ticketing.mongo.pages import Page, PageRequest
from ticketing.mongo.repository import Document
from tickets.access import sees_internal
from tickets.attachments.repository import AttachmentRepository


def page_of_attachments(actor: Actor, ticket: Document, request: PageRequest) -> Page:
    """One page of the ticket's files that the actor may read, oldest first. Raises NotAllowed, InvalidInput."""
    actor.check(Action.ATTACHMENTS_READ)
    return AttachmentRepository(actor.tenant_id).page_of(ticket["_id"], request, internal=sees_internal(actor))
