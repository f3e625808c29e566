"""A desk of any size: tickets of two years with answers, as its agents would have left them."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random

from accounts.actor import Actor
from accounts.models import User
from accounts.roles import Role
from accounts.teams import create_team
from tenants.models import Tenant
from tests.cast import actor_of, make_tenant, make_user
from ticketing import clock
from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Document
from tickets.conversation.repository import CommentRepository
from tickets.conversation.services import add_comment, new_comment_document
from tickets.models import Priority, Status, Type
from tickets.repository import TicketRepository
from tickets.rules import Content
from tickets.services import new_ticket_document
from tickets.stats.services import recount

AGENTS, TEAMS, CUSTOMERS, WORDS = 20, 6, 300, 40
SUBJECT, SUBJECT_EVERY = ("word7", "word8"), 10  # so often that they fill a page at every size
YEARS = 2
BATCH = 2000
LONG_THREAD = 30  # comments of the ticket that is looked at
OWN = 60  # unresolved tickets of the agent who looks: what one person has to do does not grow with the desk's history
# New, open, pending, on hold, resolved, closed.
_SHARES = (4, 8, 6, 2, 10, 70)


def seed(amount: int) -> User:
    """Fills the database with one tenant's tickets, and returns the agent who looks at them."""
    tenant = make_tenant("bench")
    admin = make_user(tenant, "admin@example.test", "Ada Admin", Role.ADMIN)
    teams = [create_team(actor_of(admin), name=f"Team {number}").pk for number in range(TEAMS)]
    agents = [
        make_user(tenant, f"agent{number}@example.test", f"Agent {number}", Role.AGENT) for number in range(AGENTS)
    ]
    customers = [make_user(tenant, f"customer{number}@example.test").pk for number in range(CUSTOMERS)]
    _store(tenant, _tickets(amount, [agent.pk for agent in agents[1:]], teams, customers))
    _hand_over(agents[0])
    recount(tenant.pk)
    _talk(actor_of(agents[0]), amount)
    return agents[0]


def _store(tenant: Tenant, tickets: Iterator[Document]) -> None:
    batch: list[Document] = []
    for ticket in tickets:
        batch.append(ticket)
        if len(batch) == BATCH:
            _store_batch(tenant, batch)
            batch = []
    _store_batch(tenant, batch)


def _store_batch(tenant: Tenant, batch: list[Document]) -> None:
    stored = TicketRepository(tenant.pk).insert_many(batch)
    comment = new_comment_document(ObjectId(), None, "We look **into** it.", "public", clock.now())
    CommentRepository(tenant.pk).insert_many(
        {
            **comment,
            "ticket_id": ticket["_id"],
            "author_id": ticket["assigned_to_id"],
            "created_at": ticket["first_responded_at"],
        }
        for ticket in stored
        if ticket["first_responded_at"]
    )


def _tickets(
    amount: int, agents: list[ObjectId], teams: list[ObjectId], customers: list[ObjectId]
) -> Iterator[Document]:
    random, now = Random(7), clock.now()
    base = new_ticket_document(0, Content("A ticket", "Something does **not** work."), customers[0], "api")
    for number in range(1, amount + 1):
        created = now - timedelta(days=365 * YEARS) * ((amount - number) / amount)
        responded = created + timedelta(minutes=random.lognormvariate(5, 1.2))
        resolved = created + timedelta(hours=random.lognormvariate(3, 1.2))
        status = random.choices(Status.values, _SHARES)[0]
        is_done = status in ("resolved", "closed")
        subject = () if number % SUBJECT_EVERY else SUBJECT
        words = sorted({*subject, *(f"word{random.randrange(WORDS)}" for _ in range(6))})
        customer = random.choice(customers)
        answered = None if status == "new" else clock.to_milliseconds(min(responded, now))
        done = clock.to_milliseconds(min(resolved, now)) if is_done else None
        changed = done or answered or clock.to_milliseconds(created)
        yield {
            **base,
            "number": number,
            "title": f"Ticket {number} {' '.join(words)}",
            "status": status,
            "priority": random.choices(Priority.values, (20, 60, 15, 5))[0],
            "type": random.choice(Type.values),
            "category": f"Category {random.randrange(30)}",
            "tags": [f"tag{random.randrange(50)}"],
            "created_by_id": customer,
            "participant_ids": [customer],
            "assigned_to_id": None if status == "new" else random.choice(agents),
            "team_id": random.choice([None, *teams]),
            "created_at": clock.to_milliseconds(created),
            "updated_at": changed,
            "public_updated_at": changed,
            "first_responded_at": answered,
            "resolved_at": done,
            "closed_at": done if status == "closed" else None,
            "comment_count": 1 if answered else 0,
            "all_terms": words,
            "public_terms": words,
        }


def _hand_over(agent: User) -> None:
    """The newest unresolved tickets to the agent who looks."""
    tickets = TicketRepository(agent.tenant_id)
    where = {"status": {"$in": ["open", "pending", "on_hold"]}}
    newest = tickets.find(where, fields=["_id"], sort=[("number", -1)], limit=OWN)
    tickets.update_all({"_id": {"$in": [each["_id"] for each in newest]}}, {"assigned_to_id": agent.pk})


def _talk(agent: Actor, amount: int) -> None:
    """A long conversation on the newest open ticket."""
    where = {"status": "open", "number": {"$gt": amount - 500}}
    found = TicketRepository(agent.tenant_id).find(where, fields=["number"], sort=[("number", -1)], limit=1)
    for number in range(LONG_THREAD):
        add_comment(agent, found[0]["_id"], f"Answer {number} with a [link](https://example.test) and `code`.")
