"""What a list of mentions shows, and how many are new."""

from collections.abc import Iterable
from dataclasses import dataclass

from accounts.actor import Actor
from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Document
from tickets.conversation.repository import CommentRepository
from tickets.mentions.models import Mention
from tickets.people import find_people
from tickets.repository import TicketRepository


@dataclass(frozen=True, slots=True)
class Mentioned:
    """Where somebody is named: the ticket (None for a removed one), the note's text, and who wrote it."""

    ticket: Document | None
    body: str
    by: str


def look_up_mentions(actor: Actor, mentions: Iterable[Mention]) -> dict[ObjectId, Mentioned]:
    """What these mentions, which are the actor's own, refer to: by their ids, in three round trips for all of them."""
    rows = list(mentions)
    tickets = TicketRepository(actor.tenant_id).find_by_ids([row.ticket_id for row in rows], fields=["number", "title"])
    notes = CommentRepository(actor.tenant_id).find_by_ids([row.comment_id for row in rows], fields=["body"])
    people = find_people(actor, [row.by_id for row in rows])
    return {
        row.pk: Mentioned(
            tickets.get(row.ticket_id),
            notes.get(row.comment_id, {}).get("body", ""),
            people[row.by_id]["name"] if row.by_id in people else "",
        )
        for row in rows
    }
