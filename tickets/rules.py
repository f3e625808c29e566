"""Pure rules of the ticket: what input is acceptable, and what a change brings with it."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ticketing.errors import Conflict, FieldError, InvalidInput, Message
from tickets.workflow.rules import CLOSED, RESOLVED, UNRESOLVED

REMOVED = "[removed]"  # stands where a text was that had to go
MAX_TITLE = 200
MAX_TEXT_BYTES = 64 * 1024
MAX_TAGS = 20
MAX_TAG = 40
MAX_CATEGORY = 60
MAX_FOLLOWERS = 100
MAX_MARKS = 30

STAMPS = ("resolved_at", "closed_at", "reopened_count")  # what entering a status sets besides it
# What people call the fields of a ticket, where a text names them.
FIELD_NAMES: Mapping[str, Message] = {
    "title": Message("title"),
    "description": Message("description"),
    "status": Message("status"),
    "priority": Message("priority"),
    "category": Message("category"),
    "type": Message("type"),
    "tags": Message("tags"),
    "assigned_to": Message("assignee"),
    "team": Message("team"),
    "follower_ids": Message("followers"),
}
CUSTOMER_MAY_EDIT = frozenset({"title", "description", "status"})

# Unicode's categories Cc and Cs, without line feed and tab.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")

Changes = dict[str, Any]


class TicketClosed(Conflict):
    """Closed is final: nothing on the ticket can be changed or answered any more."""

    code, title = "ticket_closed", "The ticket is closed; open a new one that refers to it"


@dataclass(frozen=True, slots=True)
class Content:
    """The texts of a ticket, cleaned."""

    title: str
    description: str


def check_open(status: str) -> None:
    """Raises TicketClosed for a closed ticket."""
    if status == CLOSED:
        raise TicketClosed


def clean_title(value: str) -> str:
    """One line of 1 to 200 characters. Raises InvalidInput."""
    title = " ".join(_printable(value, "title").split())
    if not title:
        raise InvalidInput.of("title", "may not be empty", "blank")
    if len(title) > MAX_TITLE:
        raise InvalidInput.of("title", Message("has more than {limit} characters", limit=MAX_TITLE), "max_length")
    return title


def clean_text(value: str, field: str, *, required: bool = False) -> str:
    """Text of at most 64 KB in UTF-8, with line feeds as line ends. Raises InvalidInput."""
    text = _printable(value.replace("\r\n", "\n").replace("\r", "\n"), field)
    if required and not text.strip():
        raise InvalidInput.of(field, "may not be empty", "blank")
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise InvalidInput.of(field, Message("has more than {limit} bytes", limit=MAX_TEXT_BYTES), "max_length")
    return text


def clean_category(value: str) -> str:
    """A category's name, possibly empty, of at most 60 characters. Raises InvalidInput."""
    category = " ".join(_printable(value, "category").split())
    if len(category) > MAX_CATEGORY:
        raise InvalidInput.of("category", Message("has more than {limit} characters", limit=MAX_CATEGORY), "max_length")
    return category


def clean_tags(values: Iterable[str]) -> list[str]:
    """Case-folded, distinct, sorted tags: at most 20 of at most 40 characters, without commas. Raises InvalidInput."""
    tags = sorted({fold_tag(value) for value in values} - {""})
    if len(tags) > MAX_TAGS:
        raise InvalidInput.of("tags", Message("are more than {limit}", limit=MAX_TAGS), "max_length")
    if any(len(tag) > MAX_TAG or "," in tag for tag in tags):
        raise InvalidInput.of("tags", Message("may have {limit} characters at most and no comma", limit=MAX_TAG))
    return tags


def fold_tag(value: str) -> str:
    """A tag in the form in which tags are kept and compared. Raises InvalidInput."""
    return " ".join(_printable(value, "tags").casefold().split())


def check_choice(field: str, value: str, choices: Iterable[str]) -> str:
    """The value, if it is one of the choices. Raises InvalidInput naming the field and the choices."""
    allowed = list(choices)
    if value not in allowed:
        raise InvalidInput.of(field, Message("must be one of {choices}", choices=(*allowed,)), "invalid_choice")
    return value


def check_customer_fields(names: Iterable[str]) -> None:
    """Raises InvalidInput naming the fields that only staff may set on an existing ticket."""
    forbidden = sorted(set(names) - CUSTOMER_MAY_EDIT)
    if forbidden:
        errors = [FieldError(name, "staff_only", "only staff may change this") for name in forbidden]
        raise InvalidInput(Message("Only staff may change {fields}", fields=(*forbidden,)), errors=errors)


def status_stamps(ticket: Mapping[str, Any], target: str, now: datetime) -> Changes:
    """What entering a status sets besides it: resolved_at, closed_at, and the count of reopenings."""
    changes: Changes = {"status": target}
    if target in (RESOLVED, CLOSED) and ticket["resolved_at"] is None:
        changes["resolved_at"] = now
    if target == CLOSED:
        changes["closed_at"] = now
    if target in UNRESOLVED and ticket["status"] == RESOLVED:
        changes["resolved_at"] = None
        changes["reopened_count"] = ticket["reopened_count"] + 1
    return changes


def participants(created_by_id: Any, follower_ids: Iterable[Any]) -> list[Any]:
    """Who sees the ticket as a customer: the requester and the followers, each once."""
    return list(dict.fromkeys([created_by_id, *follower_ids]))


def differences(ticket: Mapping[str, Any], wanted: Mapping[str, Any]) -> Changes:
    """The part of ``wanted`` that differs from what the ticket holds."""
    return {name: value for name, value in wanted.items() if ticket.get(name) != value}


def _printable(value: str, field: str) -> str:
    """Refuses control characters and lone surrogates, which no reader shows and some storages reject."""
    if not value.isascii():
        _check_marks(value, field)
    text = unicodedata.normalize("NFC", value)
    if _UNPRINTABLE.search(text):
        raise InvalidInput.of(field, "contains control characters", "control_characters")
    return text


def _check_marks(value: str, field: str) -> None:
    """At most 30 combining marks in a row, as Unicode's Stream-Safe Text Format has it (UAX #15, section 13); more of
    them mean nothing, and normalising them takes time that grows with their square."""
    run = 0
    for character in value:
        run = run + 1 if unicodedata.combining(character) else 0
        if run > MAX_MARKS:
            text = Message("has more than {limit} combining marks in a row", limit=MAX_MARKS)
            raise InvalidInput.of(field, text, "combining_marks")
