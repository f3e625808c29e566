"""Log lines: a JSON object each, of a closed set of fields, without secrets and without what customers wrote.

Our own messages are written so, and looked through once more. What libraries log is cut where data begins, and of an
exception its type, code and traceback are kept, not its text: that may quote what somebody sent.
"""

import json
import logging
import re
import traceback
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import orjson
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

from ticketing import env
from ticketing.errors import ProgrammingBug
from ticketing.mongo.scope import find_scope

request_id: ContextVar[str] = ContextVar("request_id", default="-")
current_request: ContextVar[HttpRequest | None] = ContextVar("current_request", default=None)

# What a line may have beside the fields of every line; whatever else a record carries is left out.
FIELDS = (
    *("method", "route", "status", "milliseconds", "cpu_milliseconds", "database_milliseconds", "database_calls"),
    *("bytes", "command", "collection", "shape", "documents", "job", "outcome", "notes", "attachment"),
)
LEFT_OUT = "…"
_TOLD = (ProgrammingBug, ImproperlyConfigured, ImportError)  # errors whose texts are ours
MOST_FRAMES, MOST_CAUSES, LONGEST_MESSAGE = 30, 5, 2000

# Ours have none; gunicorn quotes what it has been sent.
_DATA_BEGINS = {"ticketing": None, "gunicorn": re.compile(r"['\"\n]")}
_LIBRARIES_DATA_BEGINS = re.compile(r"[:'\"\n]")
_TELLING = re.compile(
    r"(?<=://)[^/\s@]*@"  # user and password of a URI
    r"|(?<=\?)[^\s'\"]+"  # a query
    r"|[^\s@<>()\[\]{}'\",;:=]+@[^\s@<>()\[\]{}'\",;:=]+"  # an address of mail
    r"|\beyJ[\w-]+\.[\w-]+\.[\w-]*|\btk_[\w-]+"  # tokens and keys
    r"|(?<=\b[Bb]earer )\S+|(?<=\b[Aa]pi-[Kk]ey )\S+|(?<=\b[Bb]asic )\S+"
)
_SUSPICIOUS = re.compile(r"[@?]|eyJ|tk_|[Bb]earer|[Aa]pi-[Kk]ey|[Bb]asic")  # found quickly; most texts are not
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CODE = re.compile(r"\w{1,60}")
_GROUP = re.compile(r"\(\?P<(\w+)>[^()]*\)\$?")  # in patterns that are regular expressions: the console has one
# Django tells of them as errors, with a traceback, on loggers of their names.
CLIENTS_FAULTS = (
    *("DisallowedHost", "DisallowedRedirect", "RequestDataTooBig", "SuspiciousFileOperation"),
    *("SuspiciousMultipartForm", "SuspiciousOperation", "TooManyFieldsSent", "TooManyFilesSent"),
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def console_of_logs() -> dict[str, Any]:
    """The handler "console" of all processes, for a logging configuration: standard error, as LOG_FORMAT says."""
    kind = env.choice("LOG_FORMAT", ("json", "line"), "json")
    return {
        "formatters": {"json": {"()": JsonFormatter}, "line": {"()": LineFormatter}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": kind}},
    }


def tone_down(record: logging.LogRecord) -> bool:
    """A filter that tells what a client did wrong in one line: anybody can send that as often as he likes."""
    record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
    record.exc_info = None
    return True


class JsonFormatter(logging.Formatter):
    """One JSON object on one line. Fields that do not apply are left out."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
            **_context(record),
            **{name: _looked_through(value) for name in FIELDS if (value := record.__dict__.get(name)) is not None},
        }
        if record.exc_info and record.exc_info[1]:
            line["exception"] = describe_exception(record.exc_info[1])
        try:
            return orjson.dumps(line, default=str).decode()
        except TypeError:  # a lone surrogate, such as in a file's name
            return json.dumps(line, default=str)


class LineFormatter(logging.Formatter):
    """For people at their own machine: exceptions come with their texts."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s request=%(request_id)s tenant=%(tenant)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        record.__dict__.update({"request_id": "-", "tenant": "-", **_context(record)})
        record.message = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", _message(record))
        return super().formatMessage(record)


def method_of(request: HttpRequest) -> str:
    """The method, or "OTHER" for one that is none: a client may send any word as such."""
    return str(request.method) if request.method in _METHODS else "OTHER"


def route_of(request: HttpRequest) -> str:
    """The pattern that matched the path, such as ``/api/v1/tickets/<str:reference>``; "unmatched" where none did."""
    match = request.resolver_match
    return "unmatched" if match is None else "/" + _GROUP.sub(r"<\1>", match.route)


def describe_exception(error: BaseException) -> str:
    """The tracebacks of an error and of what it was raised from, the first cause first. Texts of _TOLD alone."""
    described = []
    for each in reversed(list(_chain(error))):
        frames = traceback.format_tb(each.__traceback__, limit=-MOST_FRAMES)
        described.append(f"{''.join(frames)}{_name(each)}")
    return "\n\n".join(described)


def _name(error: BaseException) -> str:
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    if isinstance(error, _TOLD):
        return f"{name}: {error}"
    code = getattr(error, "code", None) or getattr(error, "errno", None)
    return f"{name} ({code})" if _CODE.fullmatch(str(code)) and code is not None else name


def _chain(error: BaseException) -> Iterator[BaseException]:
    following: BaseException | None = error
    for _ in range(MOST_CAUSES):
        if following is None:
            return
        yield following
        following = following.__cause__ or (None if following.__suppress_context__ else following.__context__)


def _message(record: logging.LogRecord) -> str:
    try:
        message = record.getMessage()
    except Exception:  # noqa: BLE001 - what logging would do instead is to print the arguments
        message = str(record.msg)
    data_begins = _DATA_BEGINS.get(record.name.partition(".")[0], _LIBRARIES_DATA_BEGINS)
    if data_begins:
        message = data_begins.split(message, maxsplit=1)[0]
    return str(_looked_through(message[:LONGEST_MESSAGE]))


def _looked_through(value: Any) -> Any:
    """The same without what must not be told, should it have come in by mistake."""
    if isinstance(value, int | float):
        return value
    if isinstance(value, Mapping):
        return {str(name): _looked_through(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_looked_through(inner) for inner in value]
    text = str(value)
    return _TELLING.sub(LEFT_OUT, text) if _SUSPICIOUS.search(text) else text


def _context(record: logging.LogRecord) -> dict[str, str]:
    """Which request or job a line belongs to, for which tenant it ran, and who asked: ids only."""
    request = getattr(record, "request", None)  # Django logs an answer once the request's context is left
    if not isinstance(request, HttpRequest):
        request = current_request.get()
    own = getattr(request, "request_id", None) or request_id.get()
    scope = find_scope() or getattr(request, "scope", None)
    found = {
        "request_id": own,
        "trace_id": getattr(request, "trace_id", own),
        "tenant": None if scope is None else str(scope.tenant_id or "platform"),
        "actor": None if request is None else _actor(request),
    }
    return {name: value for name, value in found.items() if value not in {None, "-"}}


def _actor(request: HttpRequest) -> str | None:
    """The key's id, or the user's; nobody's before authentication."""
    actor = getattr(request, "auth", None) or getattr(request, "actor", None)
    found = actor.key_id or actor.user_id if actor else getattr(getattr(request, "user", None), "pk", None)
    return None if found is None else str(found)
