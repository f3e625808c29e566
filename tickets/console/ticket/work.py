"""What one press of the button on the ticket page does: an answer and changed fields, both or neither; then files."""

from collections.abc import Iterable, Mapping
from typing import Any

from accounts.actor import Actor
from ticketing.console.refusals import explain
from ticketing.errors import TicketingError
from ticketing.mongo import ObjectId
from ticketing.mongo.client import transactional
from ticketing.mongo.repository import Document
from tickets.access import access_ticket_to_edit
from tickets.attachments.services import add_attachment
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
) -> Document | None:
    """Adds the answer or note, if there is a text, and changes the fields, in one transaction; returns the comment.

    Raises StaleVersion when the ticket is not the one that the person was looking at, and as ``add_comment`` and
    ``change_ticket`` do.
    """
    ticket = access_ticket_to_edit(actor, ticket_id)
    check_version(actor, ticket, expected_version)
    comment = add_comment(actor, ticket_id, reply, visibility) if reply.strip() else None
    if changes:
        change_ticket(actor, ticket_id, changes)
    return comment


def attach_files(
    actor: Actor, ticket_id: ObjectId, files: Iterable[Any], comment: Document | None, visibility: str
) -> list[str]:
    """Adds the files to the comment, or to the ticket where there is none. Returns why, for each that was refused.

    A refused file takes nothing back: the answer is written already, and must not be written twice.
    """
    refused = []
    for file in files:
        try:
            comment_id = None if comment is None else comment["_id"]
            add_attachment(actor, ticket_id, file, comment_id=comment_id, visibility=visibility)
        except TicketingError as error:
            refused.append(f"{file.name}: {explain(error)}")
    return refused
