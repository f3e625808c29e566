"""What happens to tenants.

This package knows no people: accounts.access says who may; ``by`` says who did, for the audit log.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from tenants.models import Tenant, TenantStatus
from tenants.repository import AuditRepository, TenantRepository
from tenants.rules import EDITABLE, SETTINGS, check_registration, clean_tenant, differences
from ticketing.clock import now
from ticketing.errors import AlreadyExists, InvalidInput, Message
from ticketing.mongo import ObjectId
from ticketing.mongo.client import transactional
from ticketing.mongo.models import TenantModel
from ticketing.mongo.repository import Document
from ticketing.mongo.scope import platform_scope


def get_tenant(tenant_id: ObjectId) -> Tenant:
    """The tenant with this id. Raises NotFound."""
    return Tenant.from_document(TenantRepository().get(tenant_id))


def find_active_tenant(tenant_id: ObjectId) -> Tenant | None:
    """The tenant with this id, unless it is suspended."""
    return _tenant(TenantRepository().find_one({"_id": tenant_id, "status": TenantStatus.ACTIVE.value}))


def list_tenants_with(reason: str, *rows: tuple[type[TenantModel], Mapping[str, Any]]) -> list[Tenant]:
    """The tenants that own any of these rows, a model and a filter each, by slug; ``reason`` is that of the scope.

    For jobs: what there is to do costs as much as there is, however many tenants have nothing. The filter needs an
    index that the tenant does not lead.
    """
    with platform_scope(reason):
        found = [model.objects.filter(**where).order_by().values_list("tenant_id", flat=True) for model, where in rows]
        ids = {id_ for each in found for id_ in each.distinct()}
    return list(Tenant.objects.filter(pk__in=ids).order_by("slug")) if ids else []


def find_tenant(slug: str) -> Tenant | None:
    """The tenant of this name, suspended ones too."""
    return _tenant(TenantRepository().find_by_slug(slug))


def find_tenant_by_host(host: str) -> Tenant | None:
    """The tenant that answers at this host name: one of its own, or ``<slug>.<a platform domain>``.

    ``host`` comes without a port. A tenant's own name wins.
    """
    host = host.lower().rstrip(".")
    found = TenantRepository().find_by_host(host)
    if found is None and (slug := slug_of_host(host)):
        found = TenantRepository().find_by_slug(slug)
    return _tenant(found)


def slug_of_host(host: str) -> str:
    """The slug that a host below a platform domain names, or an empty text."""
    name, _, domain = host.partition(".")
    return name if domain in settings.PLATFORM_DOMAINS else ""


@transactional
def create_tenant(values: Mapping[str, Any], *, by: str) -> Tenant:
    """A new, active tenant. Needs ``slug`` and ``name``; every other field of rules.EDITABLE has a default.

    Raises InvalidInput, AlreadyExists (the slug or a host name is taken).
    """
    cleaned = _clean(values, EDITABLE)
    for field in ("slug", "name"):
        if field not in cleaned:
            raise InvalidInput.of(field, "is required", "required")
    tenant = Tenant(**cleaned, created_at=now())
    check_registration(tenant.registration, tenant.registration_domains)
    _check_free(cleaned)
    stored = TenantRepository().insert(_document(tenant))
    record("tenant.created", by=by, tenant_id=stored["_id"], slug=tenant.slug)
    return Tenant.from_document(stored)


def change_tenant(tenant: Tenant, values: Mapping[str, Any], *, expected_version: int, by: str) -> Tenant:
    """Changes any field of rules.EDITABLE; the operator's way. Raises InvalidInput, AlreadyExists, StaleVersion."""
    return _change(tenant, _clean(values, EDITABLE), expected_version, by)


def change_settings(tenant: Tenant, values: Mapping[str, Any], *, expected_version: int, by: str) -> Tenant:
    """Changes fields of rules.SETTINGS; the tenant's admin's way. Raises InvalidInput, StaleVersion."""
    return _change(tenant, _clean(values, SETTINGS), expected_version, by)


@transactional
def suspend_tenant(tenant: Tenant, *, by: str) -> Tenant:
    """Ends every sign-in, token, key and session of the tenant from the next request on. Keeps all data."""
    return _set_status(tenant, TenantStatus.SUSPENDED, "tenant.suspended", by)


@transactional
def reactivate_tenant(tenant: Tenant, *, by: str) -> Tenant:
    """Lets a suspended tenant work again."""
    return _set_status(tenant, TenantStatus.ACTIVE, "tenant.reactivated", by)


def record(action: str, *, by: str, tenant_id: ObjectId | None, **details: Any) -> None:
    """Adds an entry to the audit log, in the transaction under way if there is one. ``action`` is dotted past tense."""
    AuditRepository().add(tenant_id, action, by, details, now())


@transactional
def _change(tenant: Tenant, cleaned: dict[str, Any], expected_version: int, by: str) -> Tenant:
    check_registration(
        cleaned.get("registration", tenant.registration),
        cleaned.get("registration_domains", tenant.registration_domains),
    )
    _check_free(cleaned, but_for=tenant.pk)
    stored = TenantRepository().update(tenant.pk, cleaned, expected_version=expected_version)
    record("tenant.changed", by=by, tenant_id=tenant.pk, changes=differences(vars(tenant), cleaned))
    return Tenant.from_document(stored)


def _set_status(tenant: Tenant, status: TenantStatus, action: str, by: str) -> Tenant:
    where = {"_id": tenant.pk, "status": {"$ne": status.value}}
    stored = TenantRepository().update_where(where, {"status": status.value}, operators={"$inc": {"version": 1}})
    if stored is None:  # it is so already, or there is no such tenant
        return get_tenant(tenant.pk)
    record(action, by=by, tenant_id=tenant.pk)
    return Tenant.from_document(stored)


def _clean(values: Mapping[str, Any], allowed: frozenset[str]) -> dict[str, Any]:
    return clean_tenant(values, allowed=allowed, locales=[code for code, _ in settings.LANGUAGES])


def _check_free(cleaned: Mapping[str, Any], but_for: ObjectId | None = None) -> None:
    """Names the field that is taken; the unique indexes settle what happens at the same moment."""
    tenants = TenantRepository()
    taken = {}
    if "slug" in cleaned:
        taken["slug"] = tenants.find_by_slug(cleaned["slug"])
    for host in cleaned.get("hosts", ()):
        taken["hosts"] = taken.get("hosts") or _other(tenants.find_by_host(host), but_for)
    for field, found in taken.items():
        if _other(found, but_for):
            raise AlreadyExists.of(field, _TAKEN[field], "already_exists")


_TAKEN = {
    "slug": Message("another tenant has this slug"),
    "hosts": Message("another tenant has this host name"),
}


def _other(found: Document | None, but_for: ObjectId | None) -> Document | None:
    return found if found is not None and found["_id"] != but_for else None


def _document(tenant: Tenant) -> Document:
    """Every column but the key, so that a stored document has the whole shape from its first day."""
    fields = [field for field in Tenant._meta.concrete_fields if not field.primary_key]
    return {str(field.column): getattr(tenant, field.attname) for field in fields}


def _tenant(document: Document | None) -> Tenant | None:
    return None if document is None else Tenant.from_document(document)
