"""Keyset pages in the API: what is asked for, and how a page is answered."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from rest_framework.request import Request
from rest_framework.response import Response

from ticketing.errors import InvalidInput
from ticketing.mongo.pages import Count, Page, PageRequest

PAGE_PARAMETERS = ("limit", "after", "before", "count")
DEFAULT_LIMIT, MAX_LIMIT = 25, 100
COUNT_CAP = 10_000


def page_request(request: Request) -> PageRequest:
    """What ``limit``, ``after`` and ``before`` ask for. Raises InvalidInput."""
    given = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not (given.isascii() and given.isdecimal() and len(given) <= 3 and 1 <= int(given) <= MAX_LIMIT):
        raise InvalidInput.of("limit", f"this must be a whole number from 1 to {MAX_LIMIT}")
    after, before = (request.query_params.get(name, "") for name in ("after", "before"))
    if after and before:
        raise InvalidInput.of("before", "give either after or before, not both")
    return PageRequest(int(given), after, before)


def wants_count(request: Request) -> bool:
    """Whether ``count=true`` is asked for. Raises InvalidInput."""
    given = request.query_params.get("count", "false")
    if given not in {"true", "false"}:
        raise InvalidInput.of("count", "this must be true or false")
    return given == "true"


def page_response(request: Request, page: Page, data: Sequence[Any], count: Count | int | None = None) -> Response:
    """``{data, page}`` with a ``Link`` header (RFC 8288). ``count`` is the number counted up to ``COUNT_CAP + 1``.

    The count is always a string, "37" or "10000+", so that its type does not depend on its size. ``incomplete`` is
    there only where it is true.
    """
    about: dict[str, Any] = {
        "limit": page.limit,
        "has_more": page.has_more,
        "after": page.after,
        "before": page.before,
    }
    if page.incomplete:
        about["incomplete"] = True
    if count is not None:
        about["count"] = (count if isinstance(count, Count) else Count(count)).shown(COUNT_CAP)
    response = Response({"data": data, "page": about})
    links = [
        f'<{_page_url(request, name, cursor)}>; rel="{relation}"'
        for name, cursor, relation in (("after", page.after, "next"), ("before", page.before, "prev"))
        if cursor
    ]
    if links:
        response["Link"] = ", ".join(links)
    return response


def _page_url(request: Request, name: str, cursor: str) -> str:
    query = [(key, value) for key, value in request.query_params.items() if key not in {"after", "before"}]
    return request.build_absolute_uri(f"{request.path}?{urlencode([*query, (name, cursor)])}")
