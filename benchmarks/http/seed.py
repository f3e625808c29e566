"""`python benchmarks/http/seed.py SIZE`: the reference's data set as the platform keeps it after an import.

Each ticket has its comments, history, words and counters, and every tenant its statistics. Prints what a client needs
as a line of JSON: the agent's and a customer's access token, an API key, and the ids of tickets to look at.
"""

import json
import multiprocessing
import os
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

import ticketing.wsgi  # noqa: F401 - sets Django up

# isort: split

from django.core.management import call_command

from accounts.keys import create_api_key
from accounts.models import User
from accounts.repository import UserRepository
from accounts.roles import Role
from accounts.services import new_user_document
from accounts.sessions import open_session
from benchmarks.reference import dataset
from tenants.services import get_tenant
from tests.cast import actor_of, make_tenant, make_user
from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Document
from tickets.conversation.repository import CommentRepository
from tickets.events.repository import EventRepository
from tickets.repository import TicketRepository
from tickets.search.rules import language_of
from tickets.stats.services import recount
from tickets.transfer.cleaning import Draft, DraftComment
from tickets.transfer.documents import Documents, Resolved

PRIORITIES = dict(zip(dataset.PRIORITIES, ("low", "normal", "high", "urgent"), strict=True))
STATUSES = {"in_progress": "on_hold"}  # the others have the same name
LOOKED_AT = 200


class People:
    """A tenant's accounts by their number in the data set."""

    def __init__(self, tenant: int, tenant_id: ObjectId) -> None:
        found = UserRepository(tenant_id).find({}, fields=["email", "name", "role"])
        by_email = {document["email"]: document for document in found}
        self.tenant_id = tenant_id
        self.agents = [by_email[_agent(tenant, number)] for number in range(dataset.AGENTS)]
        self.customers = [by_email[_customer(tenant, number)] for number in range(dataset.REQUESTERS)]


def main(size: int) -> None:
    call_command("migrate", verbosity=0)
    tenant_ids = [_make_tenant(number) for number in range(dataset.TENANTS)]
    starts = range(0, size, dataset.CHUNK)
    context = multiprocessing.get_context("spawn")  # a connection does not survive a fork
    with ProcessPoolExecutor(os.cpu_count(), context) as pool:
        for done, _ in enumerate(pool.map(partial(store_chunk, tenant_ids, size), starts), 1):
            if done % 20 == 0:
                print(f"  {done * dataset.CHUNK:,} of {size:,} tickets", file=sys.stderr, flush=True)
    for tenant_id in tenant_ids:
        TicketRepository(tenant_id).reserve_numbers(size)
        recount(tenant_id)
    print(json.dumps(_client(tenant_ids[dataset.BIG_TENANT], size)))


def store_chunk(tenant_ids: Sequence[ObjectId], size: int, start: int) -> None:
    """One chunk's tickets, in a process of the pool."""
    people = [People(number, tenant_id) for number, tenant_id in enumerate(tenant_ids)]
    documents = [Documents(language_of(get_tenant(tenant_id).locale)) for tenant_id in tenant_ids]
    for ticket in dataset.chunk(size, start):
        documents[ticket.tenant].add(_resolved(ticket, people[ticket.tenant]), ticket.index + 1)
    for tenant_id, found in zip(tenant_ids, documents, strict=True):
        TicketRepository(tenant_id).insert_many(found.tickets)
        CommentRepository(tenant_id).insert_many(found.comments)
        EventRepository(tenant_id).insert_many(found.events)


def _resolved(ticket: dataset.Ticket, people: People) -> Resolved:
    status = STATUSES.get(ticket.status, ticket.status)
    fields: dict[str, Any] = {"status": status, "priority": PRIORITIES[ticket.priority], "category": ticket.category}
    done = ticket.updated if status in ("resolved", "closed") else None
    draft = Draft(
        title=ticket.title,
        description=ticket.description,
        fields=fields,
        times={
            "created_at": ticket.created,
            "updated_at": ticket.updated,
            "first_responded_at": None,
            "resolved_at": done,
            "closed_at": done if status == "closed" else None,
        },
        comments=[_comment(comment) for comment in ticket.comments],
        external_id=str(ticket.index),
    )
    return Resolved(
        draft,
        requester=people.customers[ticket.requester],
        assignee=None if ticket.assignee is None else people.agents[ticket.assignee],
        authors=[people.agents[comment.author] for comment in ticket.comments],
    )


def _comment(comment: dataset.Comment) -> DraftComment:
    return DraftComment("", "", comment.body, "internal" if comment.internal else "public", comment.created)


def _make_tenant(number: int) -> ObjectId:
    tenant = make_tenant(f"t{number}")
    first = new_user_document("a@example.org", "A", Role.USER)  # hashing a password for each takes a minute
    agents = [(_agent(number, each), Role.AGENT) for each in range(dataset.AGENTS)]
    customers = [(_customer(number, each), Role.USER) for each in range(dataset.REQUESTERS)]
    UserRepository(tenant.pk).insert_many(
        first | {"email": email, "email_key": email, "name": email.partition("@")[0], "role": role.value}
        for email, role in (*agents, *customers)
    )
    id_: ObjectId = tenant.pk
    return id_


def _client(tenant_id: ObjectId, size: int) -> Document:
    tenant_people = People(dataset.BIG_TENANT, tenant_id)
    agent, customer = (_user(tenant_id, each[0]) for each in (tenant_people.agents, tenant_people.customers))
    admin = make_user(actor_of(agent).tenant, "admin@example.org", "Admin", Role.ADMIN)
    _, key = create_api_key(actor_of(admin), name="benchmark", scopes=["tickets:read"])
    indexes = dataset.big_tenant_indexes(size, LOOKED_AT)
    still_open = _indexes_of(size, "open")
    return {
        "agent": open_session(agent).access,
        "customer": open_session(customer).access,
        "key": key,
        "tickets": _ids(tenant_id, indexes),
        "open_tickets": _ids(tenant_id, still_open),
        "indexes": indexes,
        "open_indexes": still_open,
    }


def _indexes_of(size: int, status: str) -> list[int]:
    """The indexes of some of the big tenant's tickets with a status, of the whole time."""
    starts = range(0, size, max(dataset.CHUNK, size // 8 // dataset.CHUNK * dataset.CHUNK))
    tickets = (ticket for start in starts for ticket in dataset.chunk(size, start))
    found = [each.index for each in tickets if each.tenant == dataset.BIG_TENANT and each.status == status]
    return found[:: max(1, len(found) // LOOKED_AT)]


def _ids(tenant_id: ObjectId, indexes: Iterable[int]) -> list[str]:
    """In the same order."""
    numbers = [index + 1 for index in indexes]
    found = TicketRepository(tenant_id).find({"number": {"$in": numbers}}, fields=["number"])
    by_number = {document["number"]: str(document["_id"]) for document in found}
    return [by_number[number] for number in numbers]


def _user(tenant_id: ObjectId, document: Document) -> User:
    return User.from_document(UserRepository(tenant_id).get(document["_id"]))


def _agent(tenant: int, number: int) -> str:
    return f"{dataset.agent_login(tenant, number)}@example.org"


_customer = dataset.requester_email


if __name__ == "__main__":
    main(int(sys.argv[1]))
