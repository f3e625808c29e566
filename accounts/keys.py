"""API keys for integrations: a secret that acts for a member of staff, within scopes, until it ends."""

import hashlib
import logging
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from accounts import rules
from accounts.actor import Actor, Via
from accounts.models import ApiKey
from accounts.repository import ApiKeyRepository, UserRepository
from accounts.roles import STAFF_ROLES, Action
from accounts.sessions import find_account
from tenants.services import find_tenant, record
from ticketing.clock import now, to_milliseconds
from ticketing.errors import InvalidInput, NotAuthenticated, StorageUnavailable
from ticketing.mongo import ObjectId
from ticketing.mongo.client import transactional

PREFIX = "tk"
LONGEST_NAME = 80
_USE_IS_NOTED_EVERY = timedelta(minutes=1)
_SHOWN = 6
logger = logging.getLogger("ticketing.accounts")


@transactional
def create_api_key(
    actor: Actor,
    *,
    name: str,
    scopes: Collection[str],
    expires_at: datetime | None = None,
    owner_id: ObjectId | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its secret, which is not stored and so is shown this once.

    The key acts for ``owner_id``, an active member of staff (none: the actor). Raises InvalidInput, NotAllowed.
    """
    actor.check(Action.API_KEYS_MANAGE)
    at = now()
    if expires_at is not None and expires_at <= at:
        raise InvalidInput.of("expires_at", "must be in the future")
    secret = secrets.token_urlsafe(32)
    stored = ApiKeyRepository(actor.tenant_id).insert(
        {
            "name": rules.clean_name(name, LONGEST_NAME),
            "prefix": secret[:_SHOWN],
            "secret_hash": _hash(secret),
            "scopes": rules.clean_scopes(scopes, actor.scopes),
            "owner_id": _owner(actor, owner_id),
            "created_at": at,
            "expires_at": None if expires_at is None else to_milliseconds(expires_at),
            "last_used_at": None,
            "revoked_at": None,
        }
    )
    record(
        "api_key.created",
        by=actor.by,
        tenant_id=actor.tenant_id,
        key=str(stored["_id"]),
        owner=str(stored["owner_id"]),
        scopes=stored["scopes"],
    )
    return ApiKey.from_document(stored), f"{PREFIX}_{actor.tenant.slug}_{secret}"


@transactional
def revoke_api_key(actor: Actor, key_id: ObjectId) -> ApiKey:
    """Ends a key at once; ending it again changes nothing. Raises NotFound, NotAllowed."""
    actor.check(Action.API_KEYS_MANAGE)
    keys = ApiKeyRepository(actor.tenant_id)
    stored = keys.update_where({"_id": key_id, "revoked_at": None}, {"revoked_at": now()})
    if stored is not None:
        record("api_key.revoked", by=actor.by, tenant_id=actor.tenant_id, key=str(key_id))
    return ApiKey.from_document(stored or keys.get(key_id))


def get_actor_of_key(raw: str, host: str = "") -> tuple[Actor, ObjectId | None]:
    """The actor behind a key: its owner in the role that he has now, limited to the key's scopes; and the tenant whose
    own the host name is.

    Raises NotAuthenticated for a key that is unknown, revoked or expired, and when its owner is no active staff.
    """
    prefix, slug, secret = [*raw.split("_", 2), "", ""][:3]
    tenant = find_tenant(slug) if prefix == PREFIX and secret else None
    at = now()
    keys = ApiKeyRepository(tenant.pk if tenant else ObjectId())
    key = keys.find_one({"secret_hash": _hash(secret)})
    if key is None or key["revoked_at"] or (key["expires_at"] and key["expires_at"] <= at):
        raise _refused()
    account = find_account(key["tenant_id"], key["owner_id"], host)
    if account is None or not account.user.is_agent:
        raise _refused()
    _note_use(keys, key["_id"], key["last_used_at"], at)
    actor = account.actor(Via.API, scopes=frozenset(key["scopes"]), key_id=key["_id"], key_name=key["name"])
    return actor, account.host_owner_id


def _note_use(keys: ApiKeyRepository, key_id: ObjectId, last_used_at: datetime | None, at: datetime) -> None:
    if last_used_at is not None and at - last_used_at < _USE_IS_NOTED_EVERY:
        return
    try:
        keys.note_use(key_id, at, _USE_IS_NOTED_EVERY)
    except StorageUnavailable:  # good to know, but no reason to refuse the request
        logger.warning("the use of the API key %s could not be noted", key_id)


def _owner(actor: Actor, owner_id: ObjectId | None) -> ObjectId:
    wanted = {"_id": owner_id or actor.user_id, "is_active": True, "role": {"$in": [str(role) for role in STAFF_ROLES]}}
    owner = UserRepository(actor.tenant_id).find_one(wanted, fields=["_id"])
    if owner is None:
        raise InvalidInput.of("owner_id", "must be an active member of the tenant's staff", "not_found")
    found: ObjectId = owner["_id"]
    return found


def _hash(secret: str) -> str:
    """SHA-256 is enough for a random secret of 256 bits: there is nothing to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _refused() -> NotAuthenticated:
    return NotAuthenticated("The API key is not valid, or not any more")
