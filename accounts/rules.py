"""What accounts, teams and keys may look like, and the rules that need no look-up."""

import unicodedata
from collections.abc import Collection, Iterable
from typing import Any

from accounts.roles import KEY_SCOPES, STAFF_ROLES, TENANT_ROLES, Role, ScopeLevel
from ticketing.errors import Conflict, InvalidInput, Message

MAX_TEAMS_OF_USER = 50
INVITATION_DAYS = 7
_NOT_IN_NAMES = {"Cc", "Cs", "Zl", "Zp"}
# Overrides and isolates make a name read differently from what it says (Unicode TR 36, 2.6).
_OVERRIDES = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


class LastAdmin(Conflict):
    """A tenant without an active admin could not be managed any more."""

    code, title = "last_admin", "This is the tenant's last active admin"


def spellings_of(beginning: str) -> list[str]:
    """How a name may begin that was typed so: as it stands, or in the usual cases; an index knows no other way."""
    return sorted({beginning, beginning.title(), beginning.lower(), beginning.upper()})


def clean_name(name: object, longest: int = 120) -> str:
    """The name of a person, a team or a key without blanks around it. Raises InvalidInput."""
    if not isinstance(name, str) or not name.strip():
        raise InvalidInput.of("name", "must not be empty", "blank")
    name = name.strip()
    if len(name) > longest:
        raise InvalidInput.of("name", Message("must have at most {limit} characters", limit=longest), "max_length")
    if any(unicodedata.category(c) in _NOT_IN_NAMES or unicodedata.bidirectional(c) in _OVERRIDES for c in name):
        raise InvalidInput.of("name", "must not contain control characters")
    return name


def check_looks(email: str) -> None:
    """An address that cannot be taken for another one: some letters of other alphabets look like those of ASCII, and
    a quoted name is the mailbox of the same name without quotes (RFC 5321, 4.1.2). Raises InvalidInput.
    """
    if not email.isascii():
        text = "must be written in the letters a to z; write an international domain in its xn-- form"
        raise InvalidInput.of("email", text, "not_ascii")
    if email.startswith('"'):
        raise InvalidInput.of("email", "must not be quoted", "quoted")


def clean_role(role: Any) -> str:
    """One of the roles that a tenant's people have. Raises InvalidInput."""
    if role not in TENANT_ROLES:
        raise InvalidInput.of("role", Message("must be one of {choices}", choices=(*TENANT_ROLES,)))
    return Role(role).value


def clean_flag(field: str, value: Any) -> bool:
    """True or False, nothing that merely looks like it. Raises InvalidInput."""
    if not isinstance(value, bool):
        raise InvalidInput.of(field, "must be true or false")
    return value


def check_teams(role: str, teams: Collection[Any]) -> None:
    """Teams are for staff. Raises InvalidInput."""
    if teams and role not in STAFF_ROLES:
        raise InvalidInput.of("team_ids", "customers are in no team")
    if len(teams) > MAX_TEAMS_OF_USER:
        raise InvalidInput.of("team_ids", Message("at most {limit} teams", limit=MAX_TEAMS_OF_USER), "max_length")


def check_admins_left(admins: int) -> None:
    """Raises LastAdmin when a change would leave the tenant without an active admin."""
    if admins < 1:
        raise LastAdmin("Make somebody else an admin first")


def clean_scopes(scopes: Any, held: frozenset[str] | None) -> list[str]:
    """A new key's scopes in the order of the documentation. Raises InvalidInput.

    ``held`` are the scopes of the key that asks for it, which can pass on no more than it has; None for a person.
    """
    if not isinstance(scopes, list | tuple | set | frozenset) or not scopes:
        raise InvalidInput.of("scopes", "name at least one", "required")
    unknown = [scope for scope in scopes if scope not in KEY_SCOPES]
    if unknown:
        text = Message("{value} is not one of {choices}", value=repr(unknown[0]), choices=(*KEY_SCOPES,))
        raise InvalidInput.of("scopes", text)
    if held is not None and not set(scopes) <= _with_included(held):
        raise InvalidInput.of("scopes", "a key cannot give away more than it may do itself")
    return [scope for scope in KEY_SCOPES if scope in scopes]


def _with_included(scopes: Iterable[str]) -> set[str]:
    levels = list(ScopeLevel)
    included = set()
    for scope in scopes:
        resource, level = scope.split(":")
        included |= {f"{resource}:{lower}" for lower in levels[: levels.index(ScopeLevel(level)) + 1]}
    return included
