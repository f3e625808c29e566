"""How tickets and what belongs to them look in the API: plain functions from stored documents, no serializer per row.

Customers see the public half of everything: versions, times and counts that internal notes do not move.
``tickets.api.outputs`` documents the same members; a test holds the two together.
"""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from accounts.actor import Actor
from accounts.roles import STAFF_ROLES
from ticketing.api.renderers import encode
from ticketing.mongo import ObjectId
from ticketing.mongo.client import StoredDocument, decoded
from ticketing.mongo.pages import Page
from ticketing.mongo.repository import Document
from tickets.access import sees_internal
from tickets.lists import time_column

People = Mapping[ObjectId, Document]
Pairs = tuple[tuple[str, str], ...]

# Members of a ticket that are a column under another name; all other plain members are the column of their own name.
_RENAMED = {"id": "_id", "created_by": "created_by_id", "assigned_to": "assigned_to_id", "team": "team_id"}
_RENAMED |= {"followers": "follower_ids", "merged_into": "merged_into_id"}
PLAIN = (
    *("id", "number", "title", "description", "description_html", "status", "priority", "category", "type", "tags"),
    *("channel", "created_by", "assigned_to", "team", "followers", "comment_count", "attachment_count", "version"),
    *("created_at", "updated_at", "first_responded_at", "resolved_at", "closed_at", "reopened_count", "merged_into"),
)
# What staff's counts have besides the public ones.
_INTERNAL_COUNTS = {"comment_count": "internal_note_count", "attachment_count": "internal_attachment_count"}
# Members that take a look-up: what `include=` calls them, and what they are made from.
INCLUDED = {"comments": "comments", "created_by": "created_by_user", "assigned_to": "assigned_to_user"}
PERSON_COLUMNS = {"created_by_user": "created_by_id", "assigned_to_user": "assigned_to_id"}


KEPT_ROWS, LARGEST_KEPT = 512, 4096  # a worker keeps at most that many rows, of documents of so many bytes


class TicketColumns:
    """Which columns hold the wanted members as the actor sees them; made once for all rows of an answer."""

    def __init__(self, actor: Actor, members: Collection[str]) -> None:
        internal = sees_internal(actor)
        self._columns = {name: _column(actor, name) for name in PLAIN if name in members}
        self._added = {name: column for name, column in _INTERNAL_COUNTS.items() if internal and name in members}
        people = [column for name, column in PERSON_COLUMNS.items() if name in members]
        self.names = list(dict.fromkeys(["_id", *self._columns.values(), *self._added.values(), *people]))
        self._shape = _Shape.of(tuple(self._columns.items()), tuple(self._added.items()))

    def row(self, ticket: Document) -> Document:
        """The plain members of a ticket."""
        return self._shape.row(ticket)

    def written(self, ticket: StoredDocument, base: str, urls: Pairs) -> bytes:
        """The plain members of a stored ticket as a JSON object, and its ``urls``: names, and what follows its address
        below ``base``."""
        stored = bytes(ticket.raw)
        return (_kept if len(stored) <= LARGEST_KEPT else _written)(self._shape, base, urls, stored)


class _Shape:
    """The members of a row and their columns: one object for all requests that want the same."""

    def __init__(self, columns: Pairs, added: Pairs) -> None:
        self._columns, self._added = dict(columns), dict(added)

    @staticmethod
    @lru_cache(maxsize=256)
    def of(columns: Pairs, added: Pairs) -> "_Shape":
        return _Shape(columns, added)

    def row(self, ticket: Document) -> Document:
        # Older tickets have not got all. A comprehension takes three times as long, for every row of a page.
        row: Document = dict(zip(self._columns, map(ticket.get, self._columns.values()), strict=True))
        for name, column in self._added.items():
            row[name] += ticket[column]
        return row


def addresses(ticket: Document, base: str, urls: Pairs) -> Document:
    """Where a ticket and what belongs to it are: of each name what follows the ticket's own address."""
    own = f"{base}/{ticket['_id']}"
    return {name: own + path for name, path in urls}


def _written(shape: _Shape, base: str, urls: Pairs, stored: bytes) -> bytes:
    ticket = decoded(stored)
    return encode(shape.row(ticket) | addresses(ticket, base, urls))


# Equal bytes make equal rows, whatever was written meanwhile: nothing in here can be out of date. To decode a page of
# tickets and to write it as JSON is otherwise half of what a list costs.
_kept = lru_cache(maxsize=KEPT_ROWS)(_written)


def person(actor: Actor, id_: ObjectId | None, people: People) -> Document | None:
    """Somebody as the actor may know him: e-mail addresses are for staff. None stands for nobody, or the platform."""
    found = people.get(id_) if id_ is not None else None
    if found is None:
        return None
    return {
        "id": found["_id"],
        "name": found["name"],
        "is_staff": found["role"] in STAFF_ROLES,
        "email": found["email"] if actor.is_staff else None,
    }


def comment(actor: Actor, document: Document, people: People) -> Document:
    """One comment."""
    return {
        "id": document["_id"],
        "ticket": document["ticket_id"],
        "author": person(actor, document["author_id"], people),
        "visibility": document["visibility"],
        "body": document["body"],
        "body_html": document["body_html"],
        "created_at": document["created_at"],
        "edited_at": document["edited_at"],
        "version": document["version"],
    }


def comment_page(actor: Actor, page: Page, people: People) -> Document:
    """A page of comments within a ticket, in the shape of the list of comments."""
    return {"data": [comment(actor, document, people) for document in page.rows], "page": page_members(page)}


def page_members(page: Page) -> Document:
    """What is told about a page besides its rows."""
    return {"limit": page.limit, "has_more": page.has_more, "after": page.after, "before": page.before}


def attachment(document: Document, url: str) -> Document:
    """What is known about a file; ``url`` is where its bytes are."""
    return {
        "id": document["_id"],
        "ticket": document["ticket_id"],
        "comment": document["comment_id"],
        "visibility": document["visibility"],
        "name": document["name"],
        "size": document["size"],
        "content_type": document["content_type"],
        "sniffed_type": document["sniffed_type"],
        "sha256": document["sha256"],
        "uploaded_by": document["uploaded_by_id"],
        "created_at": document["created_at"],
        "url": url,
    }


def related_ticket(document: Document) -> Document:
    """A ticket as another one's links name it."""
    return {"id": document["_id"], **{name: document[name] for name in ("number", "title", "status", "created_at")}}


def event(document: Document) -> Document:
    """One event of the history, under the API's names."""
    return {
        "id": document["_id"],
        "ticket": document["ticket_id"],
        "type": document["type"],
        "version": document["version"],
        "actor": document["actor"],
        "changes": {_api_name(name): {"old": old, "new": new} for name, (old, new) in document["changes"].items()},
        "data": document["data"],
        "at": document["at"],
    }


def visible_count(actor: Actor, ticket: Document, name: str) -> int:
    """``comment_count`` or ``attachment_count`` of a ticket as the actor sees it."""
    count: int = TicketColumns(actor, [name]).row(ticket)[name]
    return count


def authors(page: Page) -> list[Any]:
    """The ids of those who wrote the comments of a page."""
    return [document["author_id"] for document in page.rows]


def _column(actor: Actor, name: str) -> str:
    if name == "version":
        return "version" if sees_internal(actor) else "public_version"
    return time_column(actor, name) if name == "updated_at" else _RENAMED.get(name, name)


def _api_name(column: str) -> str:
    return next((name for name, stored in _RENAMED.items() if stored == column), column)
