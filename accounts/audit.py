"""Reading the audit log: a tenant's, for its admins, and what concerns the platform, for its operators."""

from collections.abc import Iterable, Iterator

from django.db.models import Q

from accounts.access import check_operator
from accounts.actor import Actor
from accounts.models import User
from accounts.repository import ApiKeyRepository, TeamRepository, users_of
from accounts.roles import Action
from tenants.models import AuditEntry
from tenants.repository import TenantRepository
from ticketing.mongo import ObjectId, parse_object_id
from ticketing.mongo.models import ServiceWrittenQuerySet

# What is told of tenants to the platform's operators; what their people do is told within the tenant only.
OF_TENANTS = (
    *("tenant.created", "tenant.changed", "tenant.suspended", "tenant.reactivated", "tenant.entered", "tenant.left"),
    *("tenant.exported", "tenant.import_started", "tenant.imported", "backup.made", "backup.restored"),
)

_MOST_AUTHORS = 20


def visible_entries(actor: Actor) -> ServiceWrittenQuerySet:
    """The log of the actor's tenant. Raises NotAllowed."""
    actor.check(Action.AUDIT_READ)
    entries: ServiceWrittenQuerySet = AuditEntry.objects.filter(tenant_id=actor.tenant_id)
    return entries


def platform_entries(operator: User) -> ServiceWrittenQuerySet:
    """What happened to the platform itself, and to tenants as a whole. Raises NotAllowed."""
    check_operator(operator)
    entries: ServiceWrittenQuerySet = AuditEntry.objects.filter(Q(tenant_id=None) | Q(action__in=OF_TENANTS))
    return entries


def authors_named(tenant_id: ObjectId | None, beginning: str) -> list[str]:
    """Who may be meant by the beginning of a name or an e-mail address, as entries name their authors: these people,
    the first few, and the text itself, which may be the name of a command. Without a tenant they are operators.
    """
    typed = beginning.strip()
    found = users_of(tenant_id).find_beginning(typed, at_most=_MOST_AUTHORS) if typed else []
    return list(dict.fromkeys([typed, *(person["email"] for person in found)]))


def names_in(tenant_id: ObjectId | None, entries: Iterable[AuditEntry]) -> dict[str, str]:
    """The names, as they are now, of whom and what the entries speak of, by id; one look-up for each collection.

    Without a tenant they are the names of operators and of tenants.
    """
    entries = list(entries)
    people = {id_ for entry in entries for id_ in _ids(entry, "user", "owner")}
    found = users_of(tenant_id).find_by_ids(people, fields=["name"])
    if tenant_id is None:
        found |= TenantRepository().find_by_ids({entry.tenant_id for entry in entries}, fields=["name"])
    else:
        teams = {id_ for entry in entries for id_ in _ids(entry, "team", "team_ids")}
        found |= TeamRepository(tenant_id).find_by_ids(teams, fields=["name"])
        keys = {id_ for entry in entries for id_ in _ids(entry, "key")}
        found |= ApiKeyRepository(tenant_id).find_by_ids(keys, fields=["name"])
    return {str(id_): str(document["name"]) for id_, document in found.items()}


def _ids(entry: AuditEntry, *fields: str) -> Iterator[ObjectId]:
    """The ids in the fields of an entry's details, and in their old and new values."""
    changes = entry.details.get("changes", {})
    for field in fields:
        for value in (entry.details.get(field), *changes.get(field, ())):
            for each in value if isinstance(value, list) else [value]:
                if (id_ := parse_object_id(each)) is not None:
                    yield id_
