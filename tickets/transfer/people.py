"""Finds the people and teams that a file names, and makes accounts for the customers among them that are new."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from accounts.models import email_key
from accounts.repository import TeamRepository, UserRepository
from accounts.roles import STAFF_ROLES, Role
from accounts.services import new_user_document
from ticketing.errors import InvalidInput
from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Document

_FIELDS = ("email_key", "name", "role", "is_active")


@dataclass
class People:
    """What is known of a tenant's people so far. ``known`` and ``new`` are by email_key, ``teams`` by folded name."""

    tenant_id: ObjectId
    may_create: bool
    known: dict[str, Document] = field(default_factory=dict)
    new: dict[str, Document] = field(default_factory=dict)
    teams: dict[str, ObjectId] = field(default_factory=dict)

    def __post_init__(self) -> None:
        active = TeamRepository(self.tenant_id).find({"is_active": True}, fields=["name"])
        self.teams = {team["name"].casefold(): team["_id"] for team in active}

    def look_up(self, emails: Iterable[str]) -> None:
        """Reads the accounts of these addresses that are not known yet, in one round trip."""
        wanted = sorted({email_key(email) for email in emails if email} - self.known.keys())
        if wanted:
            found = UserRepository(self.tenant_id).find({"email_key": {"$in": wanted}}, fields=_FIELDS)
            self.known |= {user["email_key"]: user for user in found}

    def customer(self, email: str, name: str, field_name: str) -> Document:
        """The account of this address, of whatever role; made up when it is missing. Raises InvalidInput."""
        key = email_key(email)
        user = self.known.get(key) or self.new.get(key)
        if user is not None:
            return user
        if not self.may_create:
            raise InvalidInput.of(field_name, f"{email!r} has no account here", "not_found")
        try:
            user = {"_id": ObjectId(), **new_user_document(email, name or email.partition("@")[0], Role.USER.value)}
        except InvalidInput as error:
            raise InvalidInput.of(field_name, f"{email[:80]!r}: {error.errors[0].message}") from None
        self.new[key] = user
        return user

    def staff(self, email: str, field_name: str, *, must_be_active: bool) -> Document:
        """The agent's or admin's account of this address. Raises InvalidInput."""
        user = self.known.get(email_key(email))
        if user is None or user["role"] not in STAFF_ROLES or (must_be_active and not user["is_active"]):
            kind = "an active member of staff" if must_be_active else "a member of staff"
            raise InvalidInput.of(field_name, f"{email[:80]!r} is not {kind} here", "not_found")
        return user

    def team(self, name: str) -> ObjectId:
        """The active team of this name. Raises InvalidInput."""
        team_id = self.teams.get(name.casefold())
        if team_id is None:
            raise InvalidInput.of("team", f"{name[:80]!r} is not an active team here", "not_found")
        return team_id

    def settle(self, accounts: Iterable[Document]) -> None:
        """These new accounts are stored now."""
        for user in accounts:
            self.known[user["email_key"]] = self.new.pop(user["email_key"])


def is_staff(user: Mapping[str, str]) -> bool:
    return user["role"] in STAFF_ROLES
