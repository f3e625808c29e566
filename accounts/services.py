"""What happens to people: created, registered, changed, deactivated. Every way in calls these."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, validate_email

from accounts import rules
from accounts.actor import Actor
from accounts.models import User, email_key
from accounts.passwords import hash_password
from accounts.repository import TeamRepository, UserRepository, users_of
from accounts.roles import STAFF_ROLES, Action, Role
from tenants.models import Tenant
from tenants.repository import TenantRepository
from tenants.rules import can_register, check_quota, clean_language, clean_time_zone, differences
from tenants.services import record
from ticketing.clock import now
from ticketing.errors import AlreadyExists, Conflict, InvalidInput, Message, NotAllowed, StaleVersion
from ticketing.mongo import ObjectId
from ticketing.mongo.client import transactional
from ticketing.mongo.repository import Document

LONGEST_EMAIL = 254  # RFC 5321, errata 1690
# What people may change about themselves, and what admins may change about them.
PROFILE = frozenset({"name", "language", "time_zone"})
EDITABLE = frozenset({"email", "name", "role", "is_active", "team_ids"})

_STAFF = [role.value for role in STAFF_ROLES]
_ADMIN = [Role.ADMIN.value]


def create_user(
    actor: Actor,
    *,
    email: str,
    name: str,
    role: str = Role.USER.value,
    team_ids: Iterable[ObjectId] = (),
    password: str | None = None,
) -> User:
    """A new account in the actor's tenant. Without a password it waits for its invitation (accounts.passwords).

    Raises InvalidInput, NotAllowed, AlreadyExists, QuotaExceeded.
    """
    actor.check(Action.USERS_MANAGE)
    document = new_user_document(email, name, role)
    document["team_ids"] = _clean_teams(actor.tenant_id, list(team_ids))
    rules.check_teams(document["role"], document["team_ids"])
    return _store_user(actor.tenant_id, document, password, actor.by)


def create_operator(*, email: str, name: str, password: str | None = None) -> User:
    """A new operator of the platform; for the command line only. Raises InvalidInput, AlreadyExists."""
    document = new_user_document(email, name, Role.USER.value) | {"role": Role.OPERATOR.value}
    return _store_user(None, document, password, "the platform (command)")


def register_customer(tenant: Tenant | None, *, email: str, name: str, password: str) -> User:
    """The customer account that somebody opens for himself, where the tenant allows it; no tenant (None) does not.

    Raises InvalidInput, NotAllowed, AlreadyExists.
    """
    document = new_user_document(email, name, Role.USER.value)
    if tenant is None or not tenant.is_active or not _lets_register(tenant, document["email"]):
        raise NotAllowed("Accounts cannot be opened here with this address; ask the support team for one")
    return _store_user(tenant.pk, document, password, document["email"])


def change_profile(actor: Actor, changes: Mapping[str, Any], *, expected_version: int | None = None) -> User:
    """What people may change about themselves: ``name``, ``language`` and ``time_zone`` (empty: the tenant's).

    Raises NotFound, InvalidInput, NotAllowed, StaleVersion.
    """
    actor.check(Action.PROFILE_EDIT)
    if actor.user is None:
        raise NotAllowed("The platform has no profile")
    return _change_profile(actor.user, changes, expected_version, actor.by)


def change_operator_profile(operator: User, changes: Mapping[str, Any], *, expected_version: int | None = None) -> User:
    """The same for an operator of the platform, who need not act for a tenant. Raises as ``change_profile``."""
    if not operator.can(Action.TENANTS_MANAGE):
        raise NotAllowed("This is for the platform's operators")
    return _change_profile(operator, changes, expected_version, operator.email)


def change_user(
    actor: Actor, user_id: ObjectId, changes: Mapping[str, Any], *, expected_version: int | None = None
) -> User:
    """Changes ``email``, ``name``, ``role``, ``is_active`` or ``team_ids`` of an account of the actor's tenant.

    Another role, or deactivation, ends all sessions and tokens of the account. A customer is in no team, so one who
    becomes a customer leaves his. Raises NotFound, InvalidInput, NotAllowed, AlreadyExists, StaleVersion, LastAdmin,
    QuotaExceeded.
    """
    actor.check(Action.USERS_MANAGE)
    for field in changes.keys() - EDITABLE:
        raise InvalidInput.of(field, "cannot be changed", "unknown_field")
    return _change(actor.tenant_id, user_id, changes, expected_version, actor.by)


def deactivate_user(actor: Actor, user_id: ObjectId, *, expected_version: int | None = None) -> User:
    """Ends an account for good or for a while; what it wrote stays its own. Raises as ``change_user``."""
    return change_user(actor, user_id, {"is_active": False}, expected_version=expected_version)


def new_user_document(email: str, name: str, role: str) -> Document:
    """A complete new account without a password; services and importers fill in what else they know."""
    at = now()
    email = _clean_email(email)
    return {
        "email": email,
        "email_key": email_key(email),
        "name": rules.clean_name(name),
        "role": rules.clean_role(role),
        "team_ids": [],
        "is_active": True,
        "password": make_password(None),
        "last_login_at": None,
        "token_epoch": 0,
        "version": 1,
        "created_at": at,
        "updated_at": at,
        "external_id": None,
        "former_emails": [],
        "erased_at": None,
        "language": "",
        "time_zone": "",
    }


def _lets_register(tenant: Tenant, email: str) -> bool:
    return can_register(tenant.registration, tenant.registration_domains, email)


def _store_user(tenant_id: ObjectId | None, document: Document, password: str | None, by: str) -> User:
    if password is not None:  # outside the transaction: hashing is slow on purpose
        draft = User(email=document["email"], name=document["name"])
        document["password"] = hash_password(password, draft)
    return _insert_user(tenant_id, document, by)


@transactional
def _insert_user(tenant_id: ObjectId | None, document: Document, by: str) -> User:
    users = users_of(tenant_id)
    _check_email_free(users, document["email_key"])
    stored = users.insert(document)
    if tenant_id is not None:
        check_staff(tenant_id, users, None, stored)
    record("user.created", by=by, tenant_id=tenant_id, user=str(stored["_id"]), role=stored["role"])
    return User.from_document(stored)


def _change_profile(user: User, changes: Mapping[str, Any], expected_version: int | None, by: str) -> User:
    for field in changes.keys() - PROFILE:
        raise NotAllowed(Message("Only an admin can change {field}", field=field))
    return _change(user.tenant_id, user.pk, changes, expected_version, by)


@transactional
def _change(
    tenant_id: ObjectId | None,
    user_id: ObjectId,
    wanted: Mapping[str, Any],
    expected_version: int | None,
    by: str,
) -> User:
    users = users_of(tenant_id)
    before = users.get(user_id)
    if expected_version not in (None, before["version"]):
        raise StaleVersion(data={"current_version": before["version"]})
    if before.get("erased_at"):
        raise Conflict("An erased account cannot be changed any more")
    changes = _clean(tenant_id, before, wanted)
    if not changes:
        return User.from_document(before)
    if "email_key" in changes and changes["email_key"] != before["email_key"]:
        _check_email_free(users, changes["email_key"])
    ends_sessions = "role" in changes or changes.get("is_active") is False
    operators: dict[str, Any] = {"$inc": {"token_epoch": 1}} if ends_sessions else {}
    if "email" in changes:
        operators["$addToSet"] = {"former_emails": before["email"]}
    after = users.update(
        user_id, changes | {"updated_at": now()}, expected_version=before["version"], operators=operators
    )
    if tenant_id is not None:
        check_staff(tenant_id, users, before, after)
    told = differences(before, {field: value for field, value in changes.items() if field != "email_key"})
    record("user.changed", by=by, tenant_id=tenant_id, user=str(user_id), changes=told)
    return User.from_document(after)


def check_staff(tenant_id: ObjectId, users: UserRepository, before: Document | None, after: Document) -> None:
    """After a change, in its transaction: one more member of staff keeps to the quota, one admin less leaves another.

    Raises QuotaExceeded, LastAdmin.
    """
    gains_staff = _is_active(after, _STAFF) and not _is_active(before, _STAFF)
    loses_admin = _is_active(before, _ADMIN) and not _is_active(after, _ADMIN)
    if not (gains_staff or loses_admin):
        return
    # Only this write makes two such changes at the same moment collide, so that the later one counts the earlier.
    tenant = TenantRepository().lock_staff(tenant_id)
    if gains_staff:
        check_quota("max_staff", tenant["max_staff"], users.active_with(_STAFF))
    if loses_admin:
        rules.check_admins_left(users.active_with(_ADMIN))


def _clean(tenant_id: ObjectId | None, before: Document, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The wanted fields under their stored names, checked; only those that differ."""
    cleaners: dict[str, Callable[[Any], Any]] = {
        "email": _clean_email,
        "name": rules.clean_name,
        "role": rules.clean_role,
        "is_active": lambda value: rules.clean_flag("is_active", value),
        "team_ids": lambda value: _clean_teams(tenant_id, value, before.get("team_ids", ())),
        "language": lambda value: value and clean_language("language", value, [code for code, _ in settings.LANGUAGES]),
        "time_zone": lambda value: value and clean_time_zone("time_zone", value),
    }
    cleaned = {field: cleaners[field](value) for field, value in wanted.items()}
    if "email" in cleaned:
        cleaned["email_key"] = email_key(cleaned["email"])
    role = str(cleaned.get("role", before["role"]))
    if role not in STAFF_ROLES and "team_ids" not in cleaned:
        cleaned["team_ids"] = []
    rules.check_teams(role, cleaned.get("team_ids", ()))
    return {field: value for field, value in cleaned.items() if value != before.get(field, "")}


def _clean_email(email: Any) -> str:
    try:
        email = email.strip()
        validate_email(email)
        MaxLengthValidator(LONGEST_EMAIL)(email)
    except (AttributeError, ValidationError):
        raise InvalidInput.of("email", "must be an e-mail address") from None
    rules.check_looks(email)
    return str(email)


def _clean_teams(
    tenant_id: ObjectId | None, team_ids: Iterable[ObjectId], kept: Iterable[ObjectId] = ()
) -> list[ObjectId]:
    """Active teams of the tenant, or ``kept`` ones: members stay in a team that is taken out of use."""
    wanted = list(dict.fromkeys(team_ids))
    found = TeamRepository(tenant_id).find_by_ids(wanted, fields=["is_active"]) if tenant_id else {}
    if any(not found.get(id_, {}).get("is_active") for id_ in wanted if id_ not in kept):
        raise InvalidInput.of("team_ids", "names a team that is not an active one of this tenant", "not_found")
    return wanted


def _check_email_free(users: UserRepository, key: str) -> None:
    """Names the field; the unique index settles what happens at the same moment."""
    if users.find_one({"email_key": key}, fields=["_id"]):
        raise AlreadyExists.of("email", "there is an account with this address", "already_exists")


def _is_active(user: Document | None, roles: list[str]) -> bool:
    return user is not None and user["is_active"] and user["role"] in roles
