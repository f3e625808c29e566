"""The one source of "now": aware UTC with the millisecond precision that BSON keeps."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment in UTC, cut to whole milliseconds so that a stored time equals the one read back."""
    return to_milliseconds(datetime.now(UTC))


def to_milliseconds(moment: datetime) -> datetime:
    """The same moment in UTC, cut to whole milliseconds. A naive time is a caller's bug and raises ValueError."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone is ambiguous; give it one")
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
