"""Who may see and manage accounts, keys and tenants: the only way by which a view obtains one.

A foreign id is answered as a missing one: the same NotFound after the same look-up.
"""

from functools import reduce
from operator import or_

from django.db.models import Q

from accounts.actor import Actor
from accounts.models import ApiKey, Team, User
from accounts.repository import ApiKeyRepository, TeamRepository, UserRepository
from accounts.roles import Action
from accounts.rules import spellings_of
from tenants.models import Tenant
from tenants.services import get_tenant
from ticketing.errors import NotAllowed, NotFound
from ticketing.mongo import ObjectId, parse_object_id
from ticketing.mongo.models import TenantQuerySet
from ticketing.mongo.pages import Page, PageRequest, Sort
from ticketing.mongo.repository import Repository

Id = str | ObjectId
_REPOSITORIES: dict[type, type[Repository]] = {User: UserRepository, Team: TeamRepository, ApiKey: ApiKeyRepository}


def visible_users(actor: Actor) -> TenantQuerySet:
    """All accounts of the tenant, for whoever manages them. Raises NotAllowed."""
    actor.check(Action.USERS_READ)
    users: TenantQuerySet = User.objects.all()
    return users


def named(users: TenantQuerySet, beginning: str) -> TenantQuerySet:
    """Those whose name begins so."""
    found: TenantQuerySet = users.filter(reduce(or_, (Q(name__startswith=each) for each in spellings_of(beginning))))
    return found


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


def members_of_team(actor: Actor, team_id: ObjectId, *, at_most: int) -> list[User]:
    """The team's people, the newest first. Raises NotAllowed."""
    actor.check(Action.USERS_READ)
    newest = [("created_at", -1), ("_id", -1)]
    found = UserRepository(actor.tenant_id).find({"team_ids": team_id}, sort=newest, limit=at_most)
    return [User.from_document(document) for document in found]


def page_of_accounts(actor: Actor, rows: TenantQuerySet, sort: Sort, request: PageRequest) -> Page:
    """One page of a filtered ``visible_users``, ``visible_teams`` or ``visible_api_keys``. Raises InvalidInput."""
    return _REPOSITORIES[rows.model](actor.tenant_id).page(rows.match(), sort, request)


def count_accounts(actor: Actor, rows: TenantQuerySet, *, cap: int) -> int:
    """How many rows there are, counting no further than ``cap``."""
    return _REPOSITORIES[rows.model](actor.tenant_id).count(rows.match(), cap=cap)


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


def check_person(actor: Actor) -> User:
    """The user himself: an API key must not end its owner's sessions or change his password. Raises NotAllowed."""
    if actor.user is None or actor.scopes is not None:
        raise NotAllowed("This is for people who have signed in, not for API keys")
    return actor.user


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
