"""Asking, and what an answer must not say."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from django.test.client import BOUNDARY, MULTIPART_CONTENT, Client, encode_multipart
from django.utils.html import escape

from tests.console.queries import counted_queries
from tests.isolation.world import Ids

# What differs between two answers to the same question.
_MODULO = [
    (re.compile(r'"request_id":\s*"[^"]*",?'), ""),
    (re.compile(r"&quot;request_id&quot;:\s*&quot;.*?&quot;,?"), ""),
    (re.compile(r"\b[0-9a-f]{32}\b"), "<uuid>"),
    (re.compile(r"\b[0-9a-f]{24}\b"), "<id>"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT[\d:.]+(Z|\+[\d:]+)"), "<time>"),
    (re.compile(r"\b[\w-]{16,}[.:][\w-]+[.:][\w-]+"), "<token>"),
    (re.compile(r"(csrfmiddlewaretoken|csrfToken)(\W+(value=)?\W*)\w{64}"), r"\1\2<csrf>"),
    (re.compile(r'"key":\s*"[^"]*"|"prefix":\s*"[^"]*"'), "<secret>"),
]
_COUNTERS = {"ratelimit-remaining", "ratelimit-reset"}
_HEADERS_THAT_DIFFER = {"x-request-id", "expires", "last-modified", "set-cookie", "etag", "content-length", *_COUNTERS}
# Kept for any request, whoever sends it.
_OF_ANY_REQUEST = {"rate_windows", "django_session", "django_content_type"}
_WRITES = {"insert", "update", "delete", "findAndModify"}
_client = Client(raise_request_exception=False)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: str
    commands: tuple[str, ...]
    has_written: bool

    @property
    def whole(self) -> str:
        return "\n".join([*(f"{name}: {value}" for name, value in self.headers.items()), "", self.body])

    def modulo(self, ids: Ids, *, etag: bool = False) -> dict[str, Any]:
        """The answer without what differs between two requests, and without the ids that it was asked for by."""
        differ = _HEADERS_THAT_DIFFER - {"etag"} if etag else _HEADERS_THAT_DIFFER
        headers = {
            name: _plain(value, ids) for name, value in sorted(self.headers.items()) if name.lower() not in differ
        }
        return {
            "status": self.status,
            "headers": headers,
            "body": _plain(self.body, ids),
            "commands": self.commands,
        }


def ask(
    credentials: Mapping[str, str],
    method: str,
    url: str,
    body: Any = None,
    *,
    html: bool = False,
    form: bool = False,
    **extra: str,
) -> Answer:
    """Sends a request over Django's whole stack. `form` sends multipart fields, as a browser does."""
    extra = {"HTTP_COOKIE": "", **credentials, **extra, **({"HTTP_ACCEPT": "text/html"} if html else {})}
    if method == "PUT":
        extra.setdefault("HTTP_IF_MATCH", "*")
    with counted_queries() as commands:
        response: Any = _client.generic(method, url, **_encoded(body, form=form), **extra)
    sent = tuple(command for command in commands if command.split()[-1] not in _OF_ANY_REQUEST)
    has_written = any(command.split()[0] in _WRITES and "rate_windows" not in command for command in commands)
    content = b"".join(response.streaming_content) if response.streaming else response.content
    headers = {**response.headers, "Set-Cookie": response.cookies.output(header="")}
    return Answer(response.status_code, headers, content.decode(errors="replace"), sent, has_written)


def leak(answer: Answer, secrets: re.Pattern[str], *sent: object) -> str:
    """The first secret in the answer that the request itself did not send, with its surroundings; else empty."""
    text = answer.whole
    for value in sorted({str(each) for each in sent if each}, key=len, reverse=True):
        for written in (value, escape(value), json.dumps(value)[1:-1], quote(value), quote(quote(value))):
            text = text.replace(written, "")
    found = secrets.search(text)
    return "" if found is None else text[max(0, found.start() - 60) : found.end() + 60]


def difference(one: Answer, one_ids: Ids, other: Answer, other_ids: Ids, *, etag: bool = False) -> str:
    """What tells the two answers apart; empty when nothing does. The tag of a new thing is never the same."""
    first, second = one.modulo(one_ids, etag=etag), other.modulo(other_ids, etag=etag)
    for part, value in first.items():
        if value != second[part]:
            return f"{part} differs:\n  {_short(value, second[part])}\n  {_short(second[part], value)}"
    return ""


def texts_of_url(url: str) -> list[str]:
    """What a URL names: its long path segments and the values of its query."""
    parts = urlsplit(url)
    values = [text for value in dict(parse_qsl(parts.query)).values() for text in value.split(",")]
    return [*(part for part in parts.path.split("/") if len(part) > 12), *values]


def texts_in(body: Any) -> list[str]:
    """Every text within a body, to be told apart from what the answer adds."""
    if isinstance(body, Mapping):
        return [text for value in body.values() for text in texts_in(value)]
    if isinstance(body, list | tuple):
        return [text for value in body for text in texts_in(value)]
    return [] if body is None else [str(body)]


def _plain(text: str, ids: Ids) -> str:
    for name, value in sorted(ids.values().items(), key=lambda item: -len(item[1])):
        for written in (value, quote(value), quote(quote(value))):
            text = text.replace(written, f"<{name}>")
    for pattern, placeholder in _MODULO:
        text = pattern.sub(placeholder, text)
    return text


def _short(value: object, other: object) -> str:
    text, against = str(value), str(other)
    start = next((at for at, (a, b) in enumerate(zip(text, against, strict=False)) if a != b), 0)
    return "…" + text[max(0, start - 80) : start + 200]


def _encoded(body: Any, *, form: bool) -> dict[str, Any]:
    if body is None:
        return {}
    if form or any(hasattr(value, "read") for value in (body.values() if isinstance(body, Mapping) else ())):
        return {"data": encode_multipart(BOUNDARY, body), "content_type": MULTIPART_CONTENT}
    return {"data": json.dumps(body), "content_type": "application/json"}
