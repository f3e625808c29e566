"""Loads the demo's tenants, people and tickets."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from django.contrib.auth.hashers import make_password
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from accounts.actor import Actor, Via
from accounts.models import User
from accounts.repository import OperatorRepository, TeamRepository, UserRepository
from accounts.roles import STAFF_ROLES, Role
from accounts.services import create_operator, new_user_document
from tenants.models import Tenant
from tenants.quotas import reserve_storage
from tenants.services import create_tenant, find_tenant
from ticketing.errors import AlreadyExists
from ticketing.mongo import ObjectId
from ticketing.mongo.client import after_commit, transactional
from ticketing.mongo.repository import Document
from tickets.attachments.repository import AttachmentRepository
from tickets.demo.history import History
from tickets.demo.people import DEMO_OPERATOR, DEMO_TENANTS, DemoTenant
from tickets.demo.stories import DAYS, Cast, tell_stories
from tickets.repository import TicketRepository
from tickets.transfer.storing import store_past

TICKETS = 240


def load_demo(today: date) -> list[str]:
    """Creates what is missing of the demo's tenants and its operator; returns the slugs of the tenants created.

    A tenant that exists is left as it is. All times lie before ``today`` (UTC); the same day gives the same data.
    """
    if OperatorRepository().find_by_email(DEMO_OPERATOR.email) is None:
        create_operator(email=DEMO_OPERATOR.email, name=DEMO_OPERATOR.name, password=DEMO_OPERATOR.password)
    end = datetime.combine(today, time(), UTC)
    missing = [demo for demo in DEMO_TENANTS if find_tenant(demo.slug) is None]
    created = []
    for demo in missing:
        # Outside the transaction: hashing is slow on purpose.
        passwords = {person.email: make_password(person.password or None) for person in demo.people}
        try:
            _load_tenant(demo, passwords, end)
        except AlreadyExists:  # it lives here under another name, or another process has just loaded it
            continue
        created.append(demo.slug)
    return created


@transactional
def _load_tenant(demo: DemoTenant, passwords: dict[str, str], end: datetime) -> None:
    """All of it or nothing, so that a tenant that exists is complete."""
    tenant = create_tenant({"slug": demo.slug, **demo.settings}, by="load_demo")
    founded = end - timedelta(days=DAYS + 1)
    people = _load_people(demo, tenant, passwords, founded)
    customers = [_actor(user, tenant) for user in people if user["role"] == Role.USER]
    staff = [_actor(user, tenant) for user in people if user["role"] in STAFF_ROLES and user["team_ids"]]
    first = TicketRepository(tenant.pk).reserve_numbers(TICKETS)
    histories = list(tell_stories(Cast(customers, staff, demo.secret), first, TICKETS, end))
    store_past(
        tenant.pk,
        tickets=[history.ticket for history in histories],
        comments=[comment for history in histories for comment in history.comments],
        events=[event for history in histories for event in history.events],
    )
    attachments = [row for history in histories for row in history.attachments]
    AttachmentRepository(tenant.pk).insert_many(attachments)
    reserve_storage(tenant.pk, sum(row["size"] for row in attachments))
    # Not before: an attempt that is rolled back would leave its files.
    after_commit(lambda: _store_files(histories))


def _load_people(demo: DemoTenant, tenant: Tenant, passwords: dict[str, str], at: datetime) -> list[Document]:
    random = Random(f"people of {demo.slug}")  # noqa: S311 - must be repeatable
    team_ids = {name: _new_id(random, at) for name in demo.teams}
    TeamRepository(tenant.pk).insert_many(
        {"_id": id_, "name": name, "is_active": True, "version": 1, "created_at": at} for name, id_ in team_ids.items()
    )
    return UserRepository(tenant.pk).insert_many(
        new_user_document(person.email, person.name, person.role)
        | {
            "_id": _new_id(random, at),
            "password": passwords[person.email],
            "team_ids": [team_ids[name] for name in person.teams],
            "is_active": person.is_active,
            "created_at": at,
            "updated_at": at,
        }
        for person in demo.people
    )


def _store_files(histories: Iterable[History]) -> None:
    for history in histories:
        for key, content in history.files.items():
            default_storage.save(key, ContentFile(content))


def _actor(user: Document, tenant: Tenant) -> Actor:
    role = Role(user["role"])
    return Actor(User.from_document(user), tenant, role, Via.CONSOLE if role in STAFF_ROLES else Via.API)


def _new_id(random: Random, at: datetime) -> ObjectId:
    return ObjectId(int(at.timestamp()).to_bytes(4, "big") + random.randbytes(8))
