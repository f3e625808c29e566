"""The people of the tests: two tenants whose customers and agents could be mistaken for one another, and an operator.

Both tenants have people with the same e-mail address, so that whatever forgets the tenant shows it.
"""

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.contrib.auth.hashers import make_password
from rest_framework.test import APIClient

from accounts.actor import Actor, Via
from accounts.models import User
from accounts.repository import users_of
from accounts.roles import Role
from accounts.services import new_user_document
from accounts.sessions import open_session
from tenants.models import Tenant
from tenants.services import create_tenant, get_tenant
from ticketing.mongo import ObjectId
from ticketing.mongo.client import get_database
from ticketing.mongo.repository import Document

PASSWORD = "correct horse battery staple"


@dataclass
class Cast:
    """Everybody by name. Shared e-mail addresses: `admin@`, `agent@` and `carla@example.test` exist in both tenants."""

    acme: Tenant
    ada: User  # admin
    amir: User  # agent
    carla: User  # customer
    carl: User  # customer
    globex: Tenant
    gina: User  # admin
    gus: User  # agent
    greta: User  # customer
    olga: User  # operator of the platform


def new_cast() -> Cast:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    return Cast(
        acme=acme,
        ada=make_user(acme, "admin@example.test", "Ada Acme", Role.ADMIN),
        amir=make_user(acme, "agent@example.test", "Amir Acme", Role.AGENT),
        carla=make_user(acme, "carla@example.test", "Carla Customer"),
        carl=make_user(acme, "carl@example.test", "Carl Customer"),
        globex=globex,
        gina=make_user(globex, "admin@example.test", "Gina Globex", Role.ADMIN),
        gus=make_user(globex, "agent@example.test", "Gus Globex", Role.AGENT),
        greta=make_user(globex, "carla@example.test", "Greta Customer"),
        olga=make_operator("olga@platform.test", "Olga Operator"),
    )


def write_again(cast: Cast, documents: dict[str, list[Document]]) -> Cast:
    """The cast with new ids, from the documents that it left in each collection: a fifth of the work of making it."""
    ids: dict[ObjectId, ObjectId] = defaultdict(ObjectId)
    renewed = {name: [_with(ids, each) for each in found] for name, found in documents.items()}
    for name, found in renewed.items():
        get_database()[name].insert_many(found)
    by_id = {each["_id"]: each for found in renewed.values() for each in found}
    return Cast(**{name: type(each).from_document(by_id[ids[each.pk]]) for name, each in vars(cast).items()})


def _with(ids: dict[ObjectId, ObjectId], value: Any) -> Any:
    if isinstance(value, ObjectId):
        return ids[value]
    if isinstance(value, dict):
        return {name: _with(ids, each) for name, each in value.items()}
    return [_with(ids, each) for each in value] if isinstance(value, list) else value


def make_tenant(slug: str, **values: Any) -> Tenant:
    """An active tenant. `values` are what tenants.services.create_tenant takes."""
    return create_tenant({"slug": slug, "name": slug.title(), **values}, by="tests")


def make_user(tenant: Tenant, email: str, name: str = "", role: Role = Role.USER, **fields: Any) -> User:
    """An active account with PASSWORD; `fields` are stored as they are."""
    document = new_user_document(email, name or email, role) | {"password": _hash()} | fields
    return User.from_document(users_of(tenant.pk).insert(document))


def make_operator(email: str, name: str) -> User:
    document = new_user_document(email, name, Role.USER) | {"password": _hash(), "role": Role.OPERATOR.value}
    return User.from_document(users_of(None).insert(document))


def actor_of(user: User, via: Via = Via.API) -> Actor:
    """The user acting in his own tenant."""
    return Actor(user, get_tenant(user.tenant_id), Role(user.role), via)


def api(user: User | None = None) -> APIClient:
    """A client of the API, signed in with a real access token, or not at all."""
    client = APIClient()
    if user is not None:
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {open_session(user).access}")
    return client


@cache
def _hash() -> str:
    return make_password(PASSWORD)
