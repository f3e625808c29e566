"""What is stored of a ticket."""

from accounts.actor import Actor
from ticketing.mongo.pages import PageRequest
from ticketing.mongo.repository import Document
from tickets.attachments.repository import AttachmentRepository
from tickets.conversation.lists import page_of_comments
from tickets.conversation.repository import CommentRepository
from tickets.events.repository import EventRepository
from tickets.repository import TicketRepository

COUNTERS = ("comment_count", "internal_note_count", "attachment_count", "internal_attachment_count")


def stored(ticket: Document) -> Document:
    return TicketRepository(ticket["tenant_id"]).get(ticket["_id"])


def thread(actor: Actor, ticket: Document) -> list[str]:
    return [row["body"] for row in page_of_comments(actor, ticket, PageRequest(100)).rows]


def counted(ticket: Document) -> tuple[int, ...]:
    """The counters, which must be what there is."""
    rows: dict[str, int] = dict.fromkeys(COUNTERS, 0)
    for repository, public, internal in (
        (CommentRepository, "comment_count", "internal_note_count"),
        (AttachmentRepository, "attachment_count", "internal_attachment_count"),
    ):
        for row in repository(ticket["tenant_id"]).find({"ticket_id": ticket["_id"]}):
            rows[internal if row["visibility"] == "internal" else public] += 1
    now = stored(ticket)
    assert {name: now[name] for name in COUNTERS} == rows
    return tuple(rows.values())


def unchanging(ticket: Document) -> Document:
    """The ticket but for versions and times; words in order."""
    left_out = {"version", "public_version", "updated_at", "public_updated_at"}
    now = {name: value for name, value in stored(ticket).items() if name not in left_out}
    return now | {name: sorted(now[name]) for name in ("all_terms", "public_terms")}


def types_of(ticket: Document) -> list[str]:
    order = [("version", 1), ("position", 1)]
    return [
        each["type"] for each in EventRepository(ticket["tenant_id"]).find({"ticket_id": ticket["_id"]}, sort=order)
    ]
