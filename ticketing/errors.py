"""The error taxonomy. Services and rules raise these; the API, the console and commands each render them once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


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


class InvalidInput(TicketingError):
    code, status, title = "invalid_input", 400, "The input is not valid"

    @classmethod
    def of(cls, field: str, message: str, code: str = "invalid") -> "InvalidInput":
        """The usual case: one field, one reason."""
        return cls(f"{field}: {message}", errors=[FieldError(field, code, message)])


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


class ProgrammingBug(Exception):
    """Base of mistakes in our own code: answered as 500, logged loudly, never shown in detail."""


class TenantScopeMissing(ProgrammingBug):
    """Tenant-owned data was touched without saying for which tenant."""


class CrossTenantWrite(ProgrammingBug):
    """A write named another tenant than the one it runs for."""


class DirectWriteError(ProgrammingBug):
    """Data that only services may change was written through a model or a queryset."""
