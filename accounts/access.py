"""Who may see and manage accounts, keys and tenants: the only way by which a view obtains one.

A foreign id is answered as a missing one: the same NotFound after the same look-up.
"""

from accounts.actor import Actor
from accounts.models import ApiKey, Team, User
from accounts.repository import ApiKeyRepository, TeamRepository, UserRepository
from accounts.roles import Action
from tenants.models import Tenant
from tenants.services import get_tenant
from ticketing.errors import NotAllowed, NotFound
from ticketing.mongo import ObjectId, parse_object_id
from ticketing.mongo.models import TenantQuerySet

Id = str | ObjectId


def visible_users(actor: Actor) -> TenantQuerySet:
    """All accounts of the tenant, for whoever manages them. Raises NotAllowed."""
    actor.check(Action.USERS_READ)
    users: TenantQuerySet = User.objects.all()
    return users


def visible_teams(actor: Actor) -> TenantQuerySet:
    """All teams of the tenant, for staff. Raises NotAllowed."""
    actor.check(Action.TEAMS_READ)
    teams: TenantQuerySet = Team.objects.all()
    return teams


def visible_api_keys(actor: Actor) -> TenantQuerySet:
    """All API keys of the tenant, for whoever manages them. Raises NotAllowed."""
    actor.check(Action.API_KEYS_MANAGE)
    keys: TenantQuerySet = ApiKey.objects.all()
    return keys


def access_user(actor: Actor, id_: Id) -> User:
    """An account of the tenant: any for whoever manages them, otherwise one's own. Raises NotFound."""
    user_id = _parsed(id_)
    allowed = actor.can(Action.USERS_READ) or (actor.can(Action.PROFILE_READ) and user_id == actor.user_id)
    where = {"_id": user_id if allowed else None}
    document = UserRepository(actor.tenant_id).find_one(where)
    if document is None:
        raise NotFound("The user does not exist")
    return User.from_document(document)


def access_team(actor: Actor, id_: Id) -> Team:
    """A team of the tenant, for staff. Raises NotFound, NotAllowed."""
    actor.check(Action.TEAMS_READ)
    document = TeamRepository(actor.tenant_id).find_one({"_id": _parsed(id_)})
    if document is None:
        raise NotFound("The team does not exist")
    return Team.from_document(document)


def access_api_key(actor: Actor, id_: Id) -> ApiKey:
    """An API key of the tenant, for whoever manages them. Raises NotFound, NotAllowed."""
    actor.check(Action.API_KEYS_MANAGE)
    document = ApiKeyRepository(actor.tenant_id).find_one({"_id": _parsed(id_)})
    if document is None:
        raise NotFound("The API key does not exist")
    return ApiKey.from_document(document)


def access_own_tenant(actor: Actor) -> Tenant:
    """The actor's tenant as it is now, to change its settings. Raises NotAllowed."""
    actor.check(Action.SETTINGS_MANAGE)
    return get_tenant(actor.tenant_id)


def access_tenant(user: User, tenant_id: Id) -> Tenant:
    """Any tenant, for an operator of the platform. Raises NotAllowed, NotFound."""
    check_operator(user)
    found = _parsed(tenant_id)
    if found is None:
        raise NotFound("The tenant does not exist")
    return get_tenant(found)


def check_operator(user: User) -> None:
    """Creating and suspending tenants is for operators of the platform. Raises NotAllowed."""
    if not user.can(Action.TENANTS_MANAGE):
        raise NotAllowed("Only an operator of the platform manages tenants")


def _parsed(id_: Id) -> ObjectId | None:
    return id_ if isinstance(id_, ObjectId) else parse_object_id(id_)
