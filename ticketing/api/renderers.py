"""How answers are written: JSON for programs, pages for people."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from django.utils.functional import Promise
from rest_framework import renderers

from ticketing.mongo import ObjectId, stored_zone

_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS


def is_page(request: Any) -> bool:
    """Whether the answer is a page for people, which shows what it is given, instead of JSON."""
    return bool(request.accepted_renderer.format == BrowsableRenderer.format)


def rfc3339(moment: datetime) -> str:
    """UTC with milliseconds and ``Z``, as in every answer: ``2026-02-01T09:30:00.000Z``."""
    if moment.tzinfo is not stored_zone:  # what was stored is in UTC; a page of tickets has hundreds of times
        moment = moment.astimezone(UTC)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def encode(data: Any, *, indent: bool = False, canonical: bool = False) -> bytes:
    """JSON in UTF-8. ``canonical`` sorts the names, so that equal data give equal bytes."""
    options = _OPTIONS | (orjson.OPT_INDENT_2 if indent else 0) | (orjson.OPT_SORT_KEYS if canonical else 0)
    return orjson.dumps(data, default=_encode_other, option=options)


def joined(one: bytes, other: bytes) -> bytes:
    """One JSON object of two that have no name in common."""
    return one if other == b"{}" else other if one == b"{}" else one[:-1] + b"," + other[1:]


def _encode_other(value: Any) -> Any:
    if type(value) is ObjectId:
        return str(value)
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Promise):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


class JSONRenderer(renderers.BaseRenderer):
    """The default: what a client gets that does not ask for a page."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "text"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if data is None:
            return b""
        return encode(data, indent=bool((renderer_context or {}).get("indent")))


class BrowsableRenderer(renderers.BrowsableAPIRenderer):
    """The same answers as pages for people, with a form for every write that the reader may do."""

    template = "api/page.html"

    def get_context(self, data: Any, accepted_media_type: str | None, renderer_context: Any) -> dict[str, Any]:
        from ticketing.api.pages import page_context

        return page_context(data, renderer_context["view"], renderer_context["request"], renderer_context["response"])
