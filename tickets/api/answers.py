"""Rows of tickets with what they include: one look-up for a whole page, never one for a row."""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Any

import orjson
from django.urls import get_script_prefix, reverse
from rest_framework.request import Request

from accounts.actor import Actor
from accounts.roles import Action
from ticketing.api.renderers import encode, joined
from ticketing.mongo import ObjectId
from ticketing.mongo.pages import Page, PageRequest
from ticketing.mongo.repository import Document
from tickets.api.attachments import attachment_url
from tickets.api.outputs import TicketOutput
from tickets.api.representation import (
    INCLUDED,
    PERSON_COLUMNS,
    TicketColumns,
    addresses,
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


class _Included:
    """What tickets include beyond their plain members: read once for all of them."""

    def __init__(
        self,
        request: Request,
        actor: Actor,
        tickets: Sequence[Any],
        members: Collection[str],
        comments: int,
        threads: Mapping[ObjectId, Page] | None = None,
    ) -> None:
        self._request, self._actor = request, actor
        if "comments" not in members:
            threads = {}
        self._threads = _threads(actor, tickets, comments) if threads is None else threads
        self._columns = {name: column for name, column in PERSON_COLUMNS.items() if name in members}
        self._others = [name for name in ("attachments", "allowed_transitions") if name in members]
        ids = [ticket[column] for ticket in tickets for column in self._columns.values()]
        writers = [id_ for page in self._threads.values() for id_ in authors(page)]
        self._people = find_people(actor, [*ids, *writers])

    def of(self, ticket: Document) -> Document:
        """The included members of one of them."""
        found: Document = {
            name: person(self._actor, ticket[column], self._people) for name, column in self._columns.items()
        }
        if self._threads:
            found["comments"] = comment_page(self._actor, self._threads[ticket["_id"]], self._people)
        if "attachments" in self._others:
            found["attachments"] = _attachments(self._request, self._actor, ticket)
        if "allowed_transitions" in self._others:
            found["allowed_transitions"] = allowed_transitions(self._actor, ticket)
        return found


def represent(
    request: Request,
    actor: Actor,
    tickets: Sequence[Document],
    columns: TicketColumns,
    members: Collection[str],
    *,
    comments: int = COMMENTS_OF_EACH,
    threads: Mapping[ObjectId, Page] | None = None,
) -> list[Document]:
    """The wanted members of each ticket, with at most so many comments; ``columns`` are those of the same members.

    ``threads`` are those comments, where they have been read already.
    """
    included = _Included(request, actor, tickets, members, comments, threads)
    base, urls = _base(request), _urls(members)
    return [columns.row(ticket) | included.of(ticket) | addresses(ticket, base, urls) for ticket in tickets]


def represent_stored(
    request: Request, actor: Actor, tickets: Sequence[Any], columns: TicketColumns, members: AbstractSet[str]
) -> list[orjson.Fragment]:
    """The same of ``StoredDocument``s, as JSON: most rows of a list have been written before."""
    base, urls = _base(request), _urls(members)
    rows = [columns.written(ticket, base, urls) for ticket in tickets]
    if not members.isdisjoint(INCLUDED.values()):
        included = _Included(request, actor, tickets, members, COMMENTS_OF_EACH)
        rows = [joined(row, encode(included.of(ticket))) for row, ticket in zip(rows, tickets, strict=True)]
    return [orjson.Fragment(row) for row in rows]


def represent_one(
    request: Request, actor: Actor, ticket: Document, members: Collection[str] = WHOLE, thread: Page | None = None
) -> Document:
    """The wanted members of a ticket on its own page, or as a write answers it; ``thread`` where it has been read."""
    columns = TicketColumns(actor, members)
    threads = None if thread is None else {ticket["_id"]: thread}
    return represent(request, actor, [ticket], columns, members, comments=COMMENTS_OF_ONE, threads=threads)[0]


def _base(request: Request) -> str:
    return request.build_absolute_uri(_path(get_script_prefix()))


@lru_cache(maxsize=8)
def _path(_prefix: str) -> str:
    """The path of the list of tickets, where the platform stands below this prefix."""
    return reverse("tickets")


def _urls(members: Collection[str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, path) for name, path in _URLS.items() if name in members)


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
