"""Asking, and what an answer must not say."""

import base64
import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from django.test.client import BOUNDARY, MULTIPART_CONTENT, Client, encode_multipart
from django.utils.html import escape

from tests.console.queries import sent_commands
from tests.isolation.world import Ids

# The words of a time are kept together.
_SPACE = r"\s|&nbsp;|\\u00a0"
# What differs between two answers to the same question,
_EVERY_TIME = [
    (re.compile(r'"request_id":\s*"[^"]*",?'), ""),
    (re.compile(r"&quot;request_id&quot;:\s*&quot;.*?&quot;,?"), ""),
    (re.compile(r"\b[0-9a-f]{32}\b"), "<uuid>"),
    (re.compile(r"(csrfmiddlewaretoken|csrfToken)(\W+(value=)?\W*)\w{64}"), r"\1\2<csrf>"),
    (re.compile(rf"\bjust now\b|\b\d+(?:{_SPACE})(?:second|minute|hour)s?\b(?:(?:{_SPACE})ago\b)?"), "<a while>"),
]
# and between two things that were made by them.
_EACH_NEW_THING = [
    (re.compile(r"\b[0-9a-f]{24}\b"), "<id>"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT[\d:.]+(Z|\+[\d:]+)"), "<time>"),
    (re.compile(r"\b[\w-]{16,}[.:][\w-]+[.:][\w-]+"), "<token>"),
    (re.compile(r'"key":\s*"[^"]*"|"prefix":\s*"[^"]*"'), "<secret>"),
]
_CURSOR = re.compile(r'"(?:after|before)":\s*"([\w-]+)"')
_COUNTERS = {"ratelimit-remaining", "ratelimit-reset"}
_HEADERS_THAT_DIFFER = {"x-request-id", "expires", "last-modified", "set-cookie", "content-length", *_COUNTERS}
# Kept for any request, whoever sends it.
_OF_ANY_REQUEST = {"rate_windows", "django_session", "django_content_type"}
_WRITES = {"insert", "update", "delete", "findAndModify"}
SHORTEST_SECRET = len("globex")
_client = Client(raise_request_exception=False)
_strict_client = Client(raise_request_exception=False, enforce_csrf_checks=True)
# The parts of a command that say what it is about.
_TELLING = ("filter", "query", "pipeline", "projection", "sort", "limit", "update", "updates", "deletes", "documents")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: str
    commands: tuple[str, ...]  # with their shapes
    written: frozenset[str]  # the collections

    @property
    def has_written(self) -> bool:
        return bool(self.written)

    @property
    def whole(self) -> str:
        """Everything in it, with what its cursors hold in hexadecimal."""
        cursors = [base64.urlsafe_b64decode(each + "=" * (-len(each) % 4)).hex() for each in _CURSOR.findall(self.body)]
        return "\n".join([*(f"{name}: {value}" for name, value in self.headers.items()), "", self.body, *cursors])


def ask(
    credentials: Mapping[str, str],
    method: str,
    url: str,
    body: Any = None,
    *,
    html: bool = False,
    form: bool = False,
    csrf: bool = False,
    **extra: str,
) -> Answer:
    """Sends a request over Django's whole stack. `form` sends multipart fields, as a browser does; `csrf` asks for the
    token that forms carry."""
    extra = {"HTTP_COOKIE": "", **credentials, **extra, **({"HTTP_ACCEPT": "text/html"} if html else {})}
    if method == "PUT":
        extra.setdefault("HTTP_IF_MATCH", "*")
    with sent_commands() as commands:
        response: Any = (_strict_client if csrf else _client).generic(method, url, **_encoded(body, form=form), **extra)
    parts = [(*map(str, next(iter(command.items()))), command) for command in commands]
    sent = tuple(f"{name} {on} {_shape(command)}" for name, on, command in parts if on not in _OF_ANY_REQUEST)
    written = frozenset(on for name, on, _ in parts if name in _WRITES) - {"rate_windows"}
    content = b"".join(response.streaming_content) if response.streaming else response.content
    headers = {**response.headers, "Set-Cookie": response.cookies.output(header="")}
    return Answer(response.status_code, headers, content.decode(errors="replace"), sent, written)


def leak(answer: Answer, secrets: re.Pattern[str], *sent: object) -> str:
    """The first secret in the answer that the request itself did not send, with its surroundings; else empty."""
    text = answer.whole
    # What is shorter than a secret is none, and without each "1" an id may look like another.
    for value in sorted({str(each) for each in sent if len(str(each)) >= SHORTEST_SECRET}, key=len, reverse=True):
        for written in (value, escape(value), json.dumps(value)[1:-1], quote(value), quote(quote(value))):
            text = text.replace(written, "")
    found = secrets.search(text)
    return "" if found is None else text[max(0, found.start() - 60) : found.end() + 60]


def difference(foreign: Answer, ids: Ids, missing: Answer, missing_ids: Ids) -> str:
    """What tells the two answers apart, but for the ids that were asked for and what was made; empty: nothing does."""

    def plain(text: str, ids: Ids) -> str:
        # In this order: the digits of a ticket's number may be in the middle of a request's random id.
        return _without(_unnamed(_without(text, _EVERY_TIME), ids), _EACH_NEW_THING)

    [one, other] = [
        _parts(answer, lambda text, ids=ids: plain(text, ids), {"etag"})
        for answer, ids in ((foreign, ids), (missing, missing_ids))
    ]
    return _first_difference(one, other)


def change(before: Answer, after: Answer) -> str:
    """What has changed in the answer to the same question, to the last byte; empty when nothing has."""
    [one, other] = [_parts(each, lambda text: _without(text, _EVERY_TIME)) for each in (before, after)]
    return _first_difference(one, other)


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


def _parts(answer: Answer, plain: Callable[[str], str], differing: Collection[str] = ()) -> dict[str, Any]:
    differing = {*_HEADERS_THAT_DIFFER, *differing}
    headers = {name: plain(value) for name, value in sorted(answer.headers.items()) if name.lower() not in differing}
    return {"status": answer.status, "headers": headers, "body": plain(answer.body), "commands": answer.commands}


def _first_difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    for part, value in one.items():
        if value != other[part]:
            return f"{part} differs:\n  {_short(value, other[part])}\n  {_short(other[part], value)}"
    return ""


def _unnamed(text: str, ids: Ids) -> str:
    for written, placeholder in _placeholders(ids):
        text = text.replace(written, placeholder)
    return text


@cache
def _placeholders(ids: Ids) -> list[tuple[str, str]]:
    """Each id in every way that an answer writes it, the longest first, with what stands for it."""
    return [
        (written, f"<{name}>")
        for name, value in sorted(ids.values().items(), key=lambda item: -len(item[1]))
        for written in dict.fromkeys((value, quote(value), quote(quote(value))))
    ]


def _without(text: str, patterns: Sequence[tuple[re.Pattern[str], str]]) -> str:
    for pattern, placeholder in patterns:
        text = pattern.sub(placeholder, text)
    return text


def _short(value: object, other: object) -> str:
    text, against = str(value), str(other)
    start = next((at for at, (a, b) in enumerate(zip(text, against, strict=False)) if a != b), 0)
    return "…" + text[max(0, start - 80) : start + 200]


def _shape(command: Mapping[str, Any]) -> str:
    """What a command asks for, without the values: the same work for another thing has the same shape."""

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: plain(each) for name, each in value.items()}
        if isinstance(value, list | tuple):  # each kind once: words have several stems
            return list(dict.fromkeys(map(str, map(plain, value))))
        return value if isinstance(value, bool) or value is None else type(value).__name__

    return str({part: plain(command[part]) for part in _TELLING if part in command})


def _encoded(body: Any, *, form: bool) -> dict[str, Any]:
    if body is None:
        return {}
    if form or any(hasattr(value, "read") for value in (body.values() if isinstance(body, Mapping) else ())):
        return {"data": encode_multipart(BOUNDARY, body), "content_type": MULTIPART_CONTENT}
    return {"data": json.dumps(body), "content_type": "application/json"}
