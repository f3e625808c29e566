"""Stores tickets that already have a past, many at once."""

from collections.abc import Sequence

from ticketing.mongo import ObjectId
from ticketing.mongo.client import transactional
from ticketing.mongo.repository import Document
from tickets.conversation.repository import CommentRepository
from tickets.events.repository import EventRepository
from tickets.repository import TicketRepository
from tickets.stats.services import note_new_tickets


@transactional
def store_past(
    tenant_id: ObjectId, *, tickets: Sequence[Document], comments: Sequence[Document], events: Sequence[Document]
) -> None:
    """Inserts complete tickets with their comments and events, and counts them; nobody is notified.

    Raises AlreadyExists for a taken number or external id.
    """
    TicketRepository(tenant_id).insert_many(tickets)
    CommentRepository(tenant_id).insert_many(comments)
    EventRepository(tenant_id).insert_many(events)
    note_new_tickets(tenant_id, tickets)
