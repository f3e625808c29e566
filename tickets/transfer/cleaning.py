"""Turns the values of one row into a ticket's draft, or says everything that is wrong with it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, TypeVar

from ticketing import clock
from ticketing.errors import FieldError, InvalidInput
from tickets.conversation.models import Visibility
from tickets.models import Channel, Priority, Status, Type
from tickets.rules import MAX_TITLE, check_choice, clean_category, clean_tags, clean_text, clean_title
from tickets.workflow.rules import CLOSED, RESOLVED

MAX_EXTERNAL_ID = 120
TIMES = ("created_at", "updated_at", "first_responded_at", "resolved_at", "closed_at")
_COMMENT_KEYS = {"body", "author", "author_name", "visibility", "created_at"}
_TITLE_WORDS = 12
# Enumerations make their lists anew each time they are asked.
_STATUSES, _PRIORITIES, _TYPES, _CHANNELS = Status.values, Priority.values, Type.values, Channel.values
_VISIBILITIES = Visibility.values
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DraftComment:
    author: str
    author_name: str
    body: str
    visibility: str
    created_at: datetime

    @property
    def is_public(self) -> bool:
        return self.visibility == Visibility.PUBLIC.value


@dataclass(slots=True)
class Draft:
    """A ticket as the file tells it: cleaned, with people as e-mail addresses and the team as a name."""

    title: str = ""
    description: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    times: dict[str, datetime | None] = field(default_factory=dict)
    requester: str = ""
    requester_name: str = ""
    assignee: str = ""
    team: str = ""
    comments: list[DraftComment] = field(default_factory=list)
    external_id: str = ""

    @property
    def is_solved(self) -> bool:
        return self.fields["status"] in (RESOLVED, CLOSED)


@dataclass(frozen=True, slots=True)
class Cleaner:
    """``zone`` is that of times without one, ``time_format`` strptime's (none: ISO 8601), ``now`` the import's time."""

    zone: tzinfo
    time_format: str
    now: datetime

    def draft(self, values: Mapping[str, Any]) -> Draft:
        """Raises InvalidInput with every field at fault."""
        problems = Problems()
        draft = Draft()
        with problems.noted():
            draft.title, draft.description = _texts(_string(values, "title"), _string(values, "description"))
        draft.fields = problems.cleaned(
            {
                "status": lambda: check_choice("status", _status(values), _STATUSES),
                "priority": lambda: check_choice("priority", _string(values, "priority", "normal"), _PRIORITIES),
                "type": lambda: check_choice("type", _string(values, "type", "question"), _TYPES),
                "channel": lambda: check_choice("channel", _string(values, "channel", "import"), _CHANNELS),
                "category": lambda: clean_category(_string(values, "category")),
                "tags": lambda: clean_tags(_tags(values.get("tags", []))),
            }
        )
        texts = problems.cleaned(
            {
                "requester": lambda: _required(_string(values, "requester"), "requester"),
                **{name: _reader(values, name) for name in ("requester_name", "assignee", "team")},
                "external_id": lambda: _external_id(_string(values, "external_id")),
            }
        )
        for name, text in texts.items():
            setattr(draft, name, text)
        draft.times = problems.cleaned({name: self._time_reader(values, name) for name in TIMES})
        with problems.noted():
            draft.comments = sorted(self._comments(values.get("comments", [])), key=lambda each: each.created_at)
        problems.check()
        self._complete_times(draft)
        return draft

    def _time_reader(self, values: Mapping[str, Any], name: str) -> Callable[[], datetime | None]:
        return lambda: self._time(_string(values, name), name)

    def _time(self, text: str, name: str) -> datetime | None:
        if not text:
            return None
        try:
            moment = clock.to_milliseconds(self._aware(text))
        except (ValueError, OverflowError):
            form = self.time_format or "ISO 8601, such as 2026-03-01T09:30:00+01:00"
            raise InvalidInput.of(name, f"{text[:40]!r} is not a time ({form})") from None
        if not datetime(1970, 1, 1, tzinfo=UTC) <= moment <= self.now:
            raise InvalidInput.of(name, f"{text[:40]!r} is not a time in the past")
        return moment

    def _aware(self, text: str) -> datetime:
        moment = (
            datetime.strptime(text, self.time_format)  # noqa: DTZ007 - it gets its zone below
            if self.time_format
            else datetime.fromisoformat(text)
        )
        return moment if moment.tzinfo else moment.replace(tzinfo=self.zone)

    def _comments(self, values: Any) -> Iterator[DraftComment]:
        if not isinstance(values, list):
            raise InvalidInput.of("comments", "must be a list of objects")
        for position, value in enumerate(values):
            name = f"comments[{position}]"
            if not isinstance(value, dict) or value.keys() - _COMMENT_KEYS:
                raise InvalidInput.of(name, f"must be an object of {', '.join(sorted(_COMMENT_KEYS))}")
            created_at = self._time(_string(value, "created_at"), f"{name}.created_at")
            if created_at is None:
                raise InvalidInput.of(f"{name}.created_at", "is required", "required")
            visibility = _string(value, "visibility", Visibility.PUBLIC.value)
            yield DraftComment(
                _required(_string(value, "author"), f"{name}.author"),
                _string(value, "author_name"),
                clean_text(_string(value, "body"), f"{name}.body", required=True),
                check_choice(f"{name}.visibility", visibility, _VISIBILITIES),
                created_at,
            )

    def _complete_times(self, draft: Draft) -> None:
        """Fills in what the file leaves open and the status asks for. Raises InvalidInput for what cannot be."""
        times = draft.times
        status = draft.fields["status"]
        opened = times["created_at"] = times["created_at"] or self.now
        for name, moment in times.items():
            if moment is not None and moment < opened:
                raise InvalidInput.of(name, "is before created_at")
        if any(comment.created_at < opened for comment in draft.comments):
            raise InvalidInput.of("comments", "one is older than the ticket")
        if (times["closed_at"] and status != CLOSED) or (times["resolved_at"] and not draft.is_solved):
            raise InvalidInput.of("status", f"{status} has no time of being resolved or closed")
        known = [moment for moment in times.values() if moment] + [comment.created_at for comment in draft.comments]
        times["updated_at"] = max(known)
        if status == CLOSED:
            times["closed_at"] = times["closed_at"] or times["updated_at"]
        if draft.is_solved:
            times["resolved_at"] = times["resolved_at"] or times["closed_at"] or times["updated_at"]


class Problems:
    """Collects what is wrong with the fields of one row."""

    def __init__(self) -> None:
        self.errors: list[FieldError] = []

    @contextmanager
    def noted(self) -> Iterator[None]:
        try:
            yield
        except InvalidInput as error:
            self.errors += error.errors

    def cleaned(self, cleaners: Mapping[str, Callable[[], T]]) -> dict[str, T]:
        """The results by field, without those that failed."""
        results: dict[str, T] = {}
        for name, clean in cleaners.items():
            try:
                results[name] = clean()
            except InvalidInput as error:
                self.errors += error.errors
        return results

    def check(self) -> None:
        """Raises InvalidInput with everything noted, if anything was."""
        if self.errors:
            raise InvalidInput("; ".join(f"{each.field}: {each.message}" for each in self.errors), errors=self.errors)


def _texts(title: str, description: str) -> tuple[str, str]:
    """An empty title is made of the text's first words; of one that is too long, the whole opens the text."""
    description = clean_text(description, "description")
    title = " ".join(title.split())
    if not title:
        title = " ".join(description.split()[:_TITLE_WORDS])
        if not title:
            raise InvalidInput.of("title", "is empty, and so is the description", "blank")
        return clean_title(_shortened(title)), description
    if len(title) > MAX_TITLE:
        description = clean_text(f"{title}\n\n{description}".rstrip(), "description")
    return clean_title(_shortened(title)), description


def _shortened(title: str) -> str:
    return title if len(title) <= MAX_TITLE else title[: MAX_TITLE - 1].rstrip() + "…"


def _string(values: Mapping[str, Any], name: str, default: str = "") -> str:
    """The value as text. Numbers and truth values are written out as JSON does."""
    value = values.get(name)
    if value is None or value == "":
        return default
    if isinstance(value, list | dict):
        raise InvalidInput.of(name, "must be text")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _reader(values: Mapping[str, Any], name: str) -> Callable[[], str]:
    return lambda: _string(values, name)


def _required(value: str, name: str) -> str:
    if not value:
        raise InvalidInput.of(name, "is required", "required")
    return value


def _status(values: Mapping[str, Any]) -> str:
    """The given status, or what the times say."""
    return _string(values, "status") or next(
        (status for name, status in (("closed_at", CLOSED), ("resolved_at", RESOLVED)) if values.get(name)), "new"
    )


def _tags(value: Any) -> list[str]:
    if isinstance(value, str):
        return value.replace(";", ",").split(",")
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise InvalidInput.of("tags", "must be text, separated by commas, or a list of texts")
    return value


def _external_id(value: str) -> str:
    if len(value) > MAX_EXTERNAL_ID or not value.isprintable():
        raise InvalidInput.of("external_id", f"must be one line of at most {MAX_EXTERNAL_ID} characters")
    return value
