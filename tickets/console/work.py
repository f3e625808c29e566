"""What one press of the button on the ticket page does: an answer and changed fields, both or neither."""

from collections.abc import Mapping
from typing import Any

from accounts.actor import Actor
from ticketing.mongo import ObjectId
from ticketing.mongo.client import transactional
from ticketing.mongo.repository import Document
from tickets.access import access_ticket_to_edit
from tickets.conversation.services import add_comment
from tickets.services import change_ticket, check_version


@transactional
def work_on_ticket(
    actor: Actor,
    ticket_id: ObjectId,
    *,
    changes: Mapping[str, Any],
    reply: str,
    visibility: str,
    expected_version: int | None,
) -> Document:
    """Adds the answer or note, if there is a text, and changes the fields, in one transaction; returns the ticket.

    Raises StaleVersion when the ticket is not the one that the person was looking at, and as ``add_comment`` and
    ``change_ticket`` do.
    """
    ticket = access_ticket_to_edit(actor, ticket_id)
    check_version(actor, ticket, expected_version)
    if reply.strip():
        add_comment(actor, ticket_id, reply, visibility)
    if changes:
        change_ticket(actor, ticket_id, changes)
    return access_ticket_to_edit(actor, ticket_id)
