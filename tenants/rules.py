"""What a tenant's fields may hold, and which limits its quotas set."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ticketing.errors import Conflict, FieldError, InvalidInput, Message

REGISTRATIONS = ("open", "domains", "closed")
# What a tenant's admin may change; the rest is the operator's.
RETENTION = frozenset({"retention_ticket_days", "retention_user_days"})
SETTINGS = RETENTION | {"registration", "registration_domains", "time_zone", "locale", "brand_name", "brand_color"}
QUOTAS = frozenset({"max_staff", "max_storage_mb", "max_requests_per_minute"})
EDITABLE = SETTINGS | QUOTAS | {"slug", "name", "hosts"}

# WCAG 2.2, 1.4.3 (AA), for text of any size.
TEXT_CONTRAST = 4.5
# The lightest surface of the dark look on which links stand: unfold's base-800.
DARK_SURFACE = "#1e2939"
LARGEST_QUOTA = 2_000_000_000
LONGEST_RETENTION_DAYS = 36_500

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_COLOR = re.compile(r"#[0-9a-f]{6}")


class QuotaExceeded(Conflict):
    """The tenant has reached a limit that its operator set."""

    code, title = "quota_exceeded", "The tenant's quota is used up"


def clean_tenant(values: Mapping[str, Any], *, allowed: Collection[str], locales: Collection[str]) -> dict[str, Any]:
    """The given fields in the form they are stored in. ``locales`` are the languages the platform speaks.

    Raises InvalidInput with every field at fault, those outside ``allowed`` included.
    """
    cleaned: dict[str, Any] = {}
    errors: list[FieldError] = []
    for field, value in values.items():
        try:
            if field not in allowed:
                raise InvalidInput.of(field, "this cannot be changed here", "unknown")
            cleaned[field] = (
                clean_language(field, value, locales) if field == "locale" else _CLEANERS[field](field, value)
            )
        except InvalidInput as error:
            errors += error.errors
    if errors:
        raise InvalidInput("; ".join(f"{error.field}: {error.message}" for error in errors), errors=errors)
    return cleaned


def check_registration(registration: str, domains: Collection[str]) -> None:
    """Registration by domain needs a domain. Raises InvalidInput."""
    if registration == "domains" and not domains:
        raise InvalidInput.of("registration_domains", "name at least one e-mail domain", "required")


def can_register(registration: str, domains: Collection[str], email: str) -> bool:
    """Whether somebody with this address may open a customer account by himself."""
    domain = email.rpartition("@")[2].lower()
    return registration == "open" or (registration == "domains" and domain in domains)


def check_quota(name: str, limit: int, used: int) -> None:
    """Raises QuotaExceeded when ``used`` is more than ``limit`` allows; 0 is no limit."""
    if limit and used > limit:
        text = Message("the quota {name} of {limit} is used up", name=name, limit=limit)
        raise QuotaExceeded(text, data={"quota": name, "limit": limit})


def is_color(text: str) -> bool:
    """Whether it is a colour as they are stored, ``#rrggbb``."""
    return _COLOR.fullmatch(text) is not None


def contrast(color: str, other: str = "#ffffff") -> float:
    """The contrast ratio of two colours ``#rrggbb``, 1 to 21 (WCAG 2.2, definition of contrast ratio)."""
    lighter, darker = sorted((_luminance(color), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def under_white_text(color: str) -> str:
    """The colour, or as much darker as white text on it needs, which is what it needs as text on white too."""
    return _mixed_until(color, "#000000", against="#ffffff")


def on_dark_surface(color: str) -> str:
    """The colour, or as much lighter as it needs as text on DARK_SURFACE."""
    return _mixed_until(color, "#ffffff", against=DARK_SURFACE)


def _mixed_until(color: str, added: str, *, against: str) -> str:
    """The colour with the least of another (in steps of 1 %) with which it can be read."""
    shares = (_mixed(color, added, share / 100) for share in range(101))
    return next(mixed for mixed in shares if contrast(mixed, against) >= TEXT_CONTRAST)


def _mixed(color: str, added: str, share: float) -> str:
    parts = zip(_channels(color), _channels(added), strict=True)
    return "#" + "".join(f"{round(old + (new - old) * share):02x}" for old, new in parts)


def _channels(color: str) -> list[int]:
    return [int(color[start : start + 2], 16) for start in (1, 3, 5)]


def _luminance(color: str) -> float:
    channels = [value / 255 for value in _channels(color)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """What ``after`` has that ``before`` has not, each as its old and its new value, for the audit log."""
    values = {field: [_plain(before.get(field)), _plain(value)] for field, value in after.items()}
    return {field: [old, new] for field, (old, new) in values.items() if old != new}


def _plain(value: Any) -> Any:
    """What JSON can say; anything else (an id, a time) becomes text."""
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)


def _text(field: str, value: object, longest: int) -> str:
    if not isinstance(value, str):
        raise InvalidInput.of(field, "must be text")
    value = value.strip()
    if len(value) > longest:
        raise InvalidInput.of(field, Message("must have at most {limit} characters", limit=longest), "max_length")
    return value


def _clean_name(field: str, value: Any) -> str:
    name = _text(field, value, 120)
    if not name:
        raise InvalidInput.of(field, "must not be empty", "blank")
    return name


def _clean_brand_name(field: str, value: Any) -> str:
    return _text(field, value, 60)


def _clean_slug(field: str, value: object) -> str:
    if not isinstance(value, str) or not _SLUG.fullmatch(value):
        raise InvalidInput.of(field, "use 1 to 40 of a-z, 0-9 and hyphens, none at the ends")
    return value


def _clean_domains(field: str, value: Any) -> list[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise InvalidInput.of(field, "must be a list of names")
    names = [each.strip().lower().rstrip(".") for each in value]
    for name in names:
        if not _DOMAIN.fullmatch(name):
            text = "{name} is not a domain name (international ones in their xn-- form)"
            raise InvalidInput.of(field, Message(text, name=repr(name)))
    return list(dict.fromkeys(names))


def _clean_registration(field: str, value: Any) -> str:
    if value not in REGISTRATIONS:
        raise InvalidInput.of(field, Message("must be one of {choices}", choices=REGISTRATIONS))
    return str(value)


def clean_time_zone(field: str, value: Any) -> str:
    """The name of a time zone. Raises InvalidInput."""
    try:
        return ZoneInfo(value).key
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise InvalidInput.of(field, "must be an IANA time zone such as Europe/Berlin") from None


def clean_language(field: str, value: Any, locales: Collection[str]) -> str:
    """One of the languages the platform speaks. Raises InvalidInput."""
    if value not in locales:
        raise InvalidInput.of(field, "is not a language of this platform")
    return str(value)


def clean_color(field: str, value: Any) -> str:
    """A colour as ``#rrggbb``. One that is too light to be read is taken: see ``under_white_text``."""
    color = value.strip().lower() if isinstance(value, str) else ""
    if not is_color(color):
        raise InvalidInput.of(field, "must be a colour such as #2563eb")
    return color


def _clean_quota(field: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_QUOTA:
        text = "must be a whole number from 0 (no limit) to {limit}"
        raise InvalidInput.of(field, Message(text, limit=LARGEST_QUOTA))
    return value


def _clean_days(field: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LONGEST_RETENTION_DAYS:
        text = "must be a whole number of days from 0 (for ever) to {limit}"
        raise InvalidInput.of(field, Message(text, limit=LONGEST_RETENTION_DAYS))
    return value


_CLEANERS: dict[str, Callable[[str, Any], Any]] = {
    "slug": _clean_slug,
    "name": _clean_name,
    "hosts": _clean_domains,
    "registration": _clean_registration,
    "registration_domains": _clean_domains,
    "time_zone": clean_time_zone,
    "brand_name": _clean_brand_name,
    "brand_color": clean_color,
    **dict.fromkeys(QUOTAS, _clean_quota),
    **dict.fromkeys(RETENTION, _clean_days),
}
