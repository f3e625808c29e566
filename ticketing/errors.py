"""The error taxonomy. Services and rules raise these; the API, the console and commands each render them once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self


class Message(str):
    """English text that still knows what it was made of, so that the console can say it in another language.

    ``template`` names its values as ``str.format`` does: ``Message("at most {limit} teams", limit=20)``; a tuple shows
    as a list with commas. A text without values needs no Message: extraction finds what is given to an error as a
    literal.
    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, **values: object) -> Self:
        message = super().__new__(cls, _filled(template, values, str))
        message.template, message.values = template, values
        return message


def translated(text: str, translate: Callable[[str], str]) -> str:
    """The text in the language of ``translate``, which takes English; values that are Messages are translated too."""
    if not isinstance(text, Message):
        return translate(text)
    return _filled(translate(text.template), text.values, lambda value: translated(value, translate))


def to_stored(name: str, text: str) -> dict[str, Any]:
    """The fields of a document that keep the text: in English under the name, and beside it what it was made of."""
    return {name: str(text), f"{name}_message": _parts(text) if isinstance(text, Message) else None}


def from_stored(name: str, document: Mapping[str, Any]) -> str:
    """The text that ``to_stored`` has kept; one that was kept without what it was made of stays as it is."""
    text: str = document[name]
    parts = document.get(f"{name}_message")
    message = _whole(parts) if parts else text
    return message if message == text else text


def _parts(message: Message) -> dict[str, Any]:
    def kept(value: object) -> object:
        if isinstance(value, tuple):
            return [kept(each) for each in value]
        return _parts(value) if isinstance(value, Message) else value if isinstance(value, int) else str(value)

    return {"template": message.template, "values": {name: kept(value) for name, value in message.values.items()}}


def _whole(parts: Mapping[str, Any]) -> Message:
    def read(value: object) -> object:
        if isinstance(value, list):
            return tuple(read(each) for each in value)
        return _whole(value) if isinstance(value, Mapping) else value

    return Message(parts["template"], **{name: read(value) for name, value in parts["values"].items()})


def _filled(template: str, values: Mapping[str, object], say: Callable[[Message], str]) -> str:
    """The template with its values, Messages among them as ``say`` has it; one without values may hold braces."""

    def shown(value: object) -> object:
        if isinstance(value, tuple):
            return ", ".join(str(shown(each)) for each in value)
        return say(value) if isinstance(value, Message) else value

    return template.format(**{name: shown(value) for name, value in values.items()}) if values else template


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of the input, in the API's names (``comments.body`` for nested ones)."""

    field: str
    code: str
    message: str


class TicketingError(Exception):
    """Base of every error a caller can do something about.

    ``code`` is stable and meant for programs, ``detail`` for people; ``data`` holds members that the problem document
    carries beside the standard ones (RFC 9457, section 3.2); ``headers`` are HTTP headers the answer needs.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong"

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.detail = detail or self.title
        self.errors = list(errors)
        self.data = dict(data or {})
        self.headers = dict(headers or {})
        super().__init__(self.detail)

    @classmethod
    def of(cls, field: str, message: str, code: str = "invalid") -> Self:
        """One field, one reason."""
        whole = message if isinstance(message, Message) else Message(message)
        return cls(Message("{field}: {message}", field=field, message=whole), errors=[FieldError(field, code, message)])


class InvalidInput(TicketingError):
    code, status, title = "invalid_input", 400, "The input is not valid"


class NotAuthenticated(TicketingError):
    code, status, title = "not_authenticated", 401, "Sign in first"


class NotAllowed(TicketingError):
    code, status, title = "not_allowed", 403, "Your role does not allow this"


class NotFound(TicketingError):
    code, status, title = "not_found", 404, "Not found"


class Conflict(TicketingError):
    code, status, title = "conflict", 409, "The present state does not allow this"


class InvalidTransition(Conflict):
    """``data["allowed_transitions"]`` lists the statuses that the caller may choose instead."""

    code, title = "invalid_transition", "The workflow does not allow this change of status"


class AlreadyExists(Conflict):
    code, title = "already_exists", "It exists already"


class StaleVersion(TicketingError):
    """Somebody changed it meanwhile; ``data["current_version"]`` tells the version that is stored now."""

    code, status, title = "stale_version", 412, "It was changed meanwhile"


class PreconditionRequired(TicketingError):
    """RFC 6585, section 3: replacing without saying what was read would lose a concurrent change."""

    code, status, title = "precondition_required", 428, "Say which version you are replacing"


class TooLarge(TicketingError):
    code, status, title = "too_large", 413, "Too large"


class LimitExceeded(TicketingError):
    code, status, title = "limit_exceeded", 429, "Too many requests"


class StorageUnavailable(TicketingError):
    code, status, title = "storage_unavailable", 503, "The database cannot be reached just now"


class FilesUnavailable(TicketingError):
    """The storage of files is full, failing or out of reach. Nothing was kept of what was sent."""

    code, status, title = "files_unavailable", 503, "Files cannot be stored or read just now"


class ProgrammingBug(Exception):
    """Base of mistakes in our own code: answered as 500, logged loudly, never shown in detail."""


class TenantScopeMissing(ProgrammingBug):
    """Tenant-owned data was touched without saying for which tenant."""


class CrossTenantWrite(ProgrammingBug):
    """A write named another tenant than the one it runs for."""


class DirectWriteError(ProgrammingBug):
    """Data that only services may change was written through a model or a queryset."""
