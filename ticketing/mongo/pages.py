"""Keyset pages: a cursor names the row it stands on, so a page costs the same at any depth and never skips a row."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import bson

from ticketing.errors import InvalidInput
from ticketing.mongo import ObjectId
from ticketing.mongo.client import DOCUMENT_OPTIONS

Sort = Sequence[tuple[str, int]]
Document = dict[str, Any]

_KEY_TYPES = (datetime, ObjectId, int, str)
_LONGEST_CURSOR = 2048


@dataclass(frozen=True, slots=True)
class PageRequest:
    """At most ``limit`` rows after, or before, the row that a cursor names; at most one cursor is given.

    ``last`` asks, without a cursor, for the end of the list instead of its beginning.
    """

    limit: int
    after: str = ""
    before: str = ""
    last: bool = False

    @property
    def is_backward(self) -> bool:
        """Whether the rows are read against the list's order."""
        return bool(self.before) or self.last


@dataclass(frozen=True, slots=True)
class Page:
    """``after`` and ``before`` are the cursors of the next and the previous page, None where there is none.

    An incomplete page has fewer rows than there may be: reading came to a limit. It goes on from its cursor.
    """

    rows: list[Document]
    limit: int
    after: str | None
    before: str | None
    incomplete: bool = False

    @property
    def has_more(self) -> bool:
        """Whether rows follow in the list's own order."""
        return self.after is not None

    def stopped_at(self, cursor: str, request: PageRequest) -> "Page":
        """This page, where reading came to a limit at the cursor before it was known whether more rows follow."""
        incomplete = len(self.rows) < self.limit
        turn_back = cursor if not self.rows and (request.after or request.before) else None
        if request.is_backward:
            return replace(self, before=cursor, after=self.after or turn_back, incomplete=incomplete)
        return replace(self, after=cursor, before=self.before or turn_back, incomplete=incomplete)


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows a list has; at least so many where ``is_exact`` is False, because counting came to a limit."""

    amount: int
    is_exact: bool = True

    def shown(self, cap: int, figure: Callable[[int], str] = str) -> str:
        """ "37", or "10000+" for more than the cap, or for at least so many."""
        more = "" if self.is_exact and self.amount <= cap else "+"
        return f"{figure(min(self.amount, cap))}{more}"


def seek_filter(sort: Sort, request: PageRequest) -> tuple[Document, Sort]:
    """The condition that starts at the cursor, and the order to read in (reversed for ``before``).

    Raises InvalidInput for a cursor that is not one of ours or belongs to another ordering, and for two cursors.
    """
    if request.after and request.before:
        raise InvalidInput.of("before", "give either after or before, not both")
    order = [(key, -direction) for key, direction in sort] if request.is_backward else list(sort)
    if not (request.after or request.before):
        return {}, order
    name = "before" if request.before else "after"
    return _beyond(order, _decode(getattr(request, name), sort, name)), order


def leading_bound(seek: Document) -> Document:
    """The part of ``seek_filter``'s condition that any index answers by itself: rows of the cursor's own time pass."""
    return dict(seek["$and"][0]) if "$and" in seek else seek


def page_of(found: list[Document], sort: Sort, request: PageRequest) -> Page:
    """Makes a page of up to ``limit + 1`` rows read in the order of ``seek_filter``."""
    beyond = len(found) > request.limit
    rows = found[: request.limit]
    if request.is_backward:
        rows.reverse()
    follows = bool(request.before and rows) if request.is_backward else beyond
    precedes = beyond if request.is_backward else bool(request.after and rows)
    return Page(
        rows,
        request.limit,
        after=cursor_of(rows[-1], sort) if follows else None,
        before=cursor_of(rows[0], sort) if precedes else None,
    )


def _beyond(order: Sort, values: Sequence[Any]) -> Document:
    """Rows strictly behind ``values``. The leading bound stands alone so that it becomes the index's bound."""
    leading, direction = order[0]
    bound = {leading: {"$gte" if direction > 0 else "$lte": values[0]}}
    alternatives = []
    for depth, (key, sign) in enumerate(order):
        same = {order[i][0]: values[i] for i in range(depth)}
        alternatives.append({**same, key: {"$gt" if sign > 0 else "$lt": values[depth]}})
    return alternatives[0] if len(order) == 1 else {"$and": [bound, {"$or": alternatives}]}


def cursor_of(row: Mapping[str, Any], sort: Sort) -> str:
    """The cursor that stands on this row of a list in this order."""
    raw = bson.encode({"s": _signature(sort), "v": [row[key] for key, _ in sort]})
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(cursor: str, sort: Sort, name: str) -> list[Any]:
    values: Any = None
    if len(cursor) <= _LONGEST_CURSOR:
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            found = bson.decode(raw, DOCUMENT_OPTIONS)
            values = found.get("v") if found.get("s") == _signature(sort) else None
        except (binascii.Error, ValueError, bson.errors.BSONError, bson.errors.InvalidBSON):
            values = None
    if not isinstance(values, list) or len(values) != len(sort) or not all(isinstance(v, _KEY_TYPES) for v in values):
        raise InvalidInput.of(name, "this cursor is not one that this list gave out")
    return values


def _signature(sort: Sort) -> str:
    return ",".join(f"{key}:{direction}" for key, direction in sort)
