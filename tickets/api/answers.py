"""Rows of tickets with what they include: one look-up for a whole page, never one for a row."""

from collections.abc import Collection, Sequence

from django.urls import reverse
from rest_framework.request import Request

from accounts.actor import Actor
from accounts.roles import Action
from ticketing.mongo import ObjectId
from ticketing.mongo.pages import Page, PageRequest
from ticketing.mongo.repository import Document
from tickets.api.attachments import attachment_url
from tickets.api.outputs import TicketOutput
from tickets.api.representation import (
    PERSON_COLUMNS,
    TicketColumns,
    attachment,
    authors,
    comment_page,
    person,
    visible_count,
)
from tickets.attachments.lists import page_of_attachments
from tickets.conversation.lists import first_pages
from tickets.people import find_people
from tickets.services import allowed_transitions

COMMENTS_OF_ONE, COMMENTS_OF_EACH = 25, 10
ATTACHMENTS_OF_ONE = 100
WHOLE = tuple(TicketOutput().fields)
_URLS = {"url": "", "comments_url": "/comments", "attachments_url": "/attachments"}


def represent(
    request: Request,
    actor: Actor,
    tickets: Sequence[Document],
    columns: TicketColumns,
    members: Collection[str],
    *,
    comments: int = COMMENTS_OF_EACH,
) -> list[Document]:
    """The wanted members of each ticket, with at most so many comments; ``columns`` are those of the same members."""
    threads = _threads(actor, tickets, comments) if "comments" in members else {}
    people_columns = {name: column for name, column in PERSON_COLUMNS.items() if name in members}
    ids = [ticket[column] for ticket in tickets for column in people_columns.values()]
    people = find_people(actor, [*ids, *(id_ for page in threads.values() for id_ in authors(page))])
    base = request.build_absolute_uri(reverse("tickets"))
    urls = [(name, path) for name, path in _URLS.items() if name in members]
    rows = []
    for ticket in tickets:
        row = columns.row(ticket)
        for name, column in people_columns.items():
            row[name] = person(actor, ticket[column], people)
        if threads:
            row["comments"] = comment_page(actor, threads[ticket["_id"]], people)
        if "attachments" in members:
            row["attachments"] = _attachments(request, actor, ticket)
        if "allowed_transitions" in members:
            row["allowed_transitions"] = allowed_transitions(actor, ticket)
        own = f"{base}/{row['id'] if 'id' in row else ticket['_id']}"
        for name, path in urls:
            row[name] = own + path
        rows.append(row)
    return rows


def represent_one(request: Request, actor: Actor, ticket: Document, members: Collection[str] = WHOLE) -> Document:
    """The wanted members of a ticket on its own page, or as a write answers it."""
    columns = TicketColumns(actor, members)
    return represent(request, actor, [ticket], columns, members, comments=COMMENTS_OF_ONE)[0]


def _attachments(request: Request, actor: Actor, ticket: Document) -> list[Document]:
    """The first files of one ticket; none where an API key may not read files."""
    if not actor.can(Action.ATTACHMENTS_READ) or not visible_count(actor, ticket, "attachment_count"):
        return []
    page = page_of_attachments(actor, ticket, PageRequest(ATTACHMENTS_OF_ONE))
    return [attachment(row, attachment_url(request, row)) for row in page.rows]


def _threads(actor: Actor, tickets: Sequence[Document], limit: int) -> dict[ObjectId, Page]:
    """The first comments of each ticket; none where an API key may not read comments."""
    if not actor.can(Action.COMMENTS_READ_PUBLIC):
        return {ticket["_id"]: Page([], limit, None, None) for ticket in tickets}
    return first_pages(actor, tickets, limit)
