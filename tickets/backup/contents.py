"""What is in a backup and what is not, and which documents are a tenant's."""

from collections.abc import Mapping
from typing import Any

from ticketing.mongo import ObjectId

# Everything is backed up but the documents of these collections. Nobody is signed in after a restore: what was ended
# since would be good again.
LEFT_OUT = {
    "django_session": "sign-ins: people sign in again",
    "token_families": "sign-ins: people sign in again",
    "sign_in_attempts": "lock-outs of minutes",
    "rate_windows": "counts of one minute",
    "exports": "archives of some days, which are not among the attachments' files",
    "presence": "who looked at what at that moment",
    "jobs": "leases of processes that are not there; every job is due after a restore",
}
# What may be left of a tenant that is gone: it is only ever added to, and a restored tenant's is added to it.
STAYS = frozenset({"audit_log", "tenant_usage"})

ATTACHMENTS = "attachments"
TENANTS = "tenants"
MIGRATIONS = "django_migrations"
# Where a collection says whose a document is, if not in ``tenant_id``.
_OWNER = {TENANTS: "_id", "counters": "_id.tenant_id"}


def of_tenant(collection: str, tenant_id: ObjectId | None) -> dict[str, Any]:
    """The filter for a tenant's documents in a collection; for all of them where there is no tenant."""
    return {} if tenant_id is None else {_OWNER.get(collection, "tenant_id"): tenant_id}


def backed_up(collection: str, tenant_id: ObjectId | None) -> dict[str, Any]:
    """The filter for what a backup takes of a collection: of what is left out only its indexes."""
    return {"_id": {"$in": []}} if collection in LEFT_OUT else of_tenant(collection, tenant_id)


def owner_of(collection: str, document: Mapping[str, Any]) -> Any:
    """The id of the tenant that a document belongs to; None for the platform's own."""
    value: Any = document
    for name in _OWNER.get(collection, "tenant_id").split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def load_order(collections: list[str]) -> list[str]:
    """The collection that makes the rest reachable comes last: without it nobody can sign in to what is half there.

    What stays comes before it, because a restore that fails does not remove it again.
    """
    return sorted(collections, key=lambda name: (name == MIGRATIONS, name == TENANTS, name in STAYS, name))
