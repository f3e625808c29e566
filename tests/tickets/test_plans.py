"""How lists are read: what a page costs must not depend on how many tickets there are, nor on how deep the page lies.

Each list is asked for over HTTP, and MongoDB's profiler tells how the very queries were executed.
"""

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import User
from tests.cast import Cast, actor_of, api, make_user
from tests.profile import profiled, reads, table_scans
from ticketing import clock
from ticketing.api.renderers import rfc3339
from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Document
from tickets.conversation.repository import CommentRepository
from tickets.conversation.services import add_comment
from tickets.events.repository import EventRepository, NewEvent
from tickets.lists import ORDERINGS
from tickets.models import Priority, Status, Type
from tickets.repository import TicketRepository
from tickets.rules import Content
from tickets.services import new_ticket_document

pytestmark = pytest.mark.django_db

TICKETS = "/api/v1/tickets"
TICKETS_OF_EACH = 1500
LIMIT = 20
START = clock.now() - timedelta(days=200)
MIDDLE, LATER = START + timedelta(days=100), START + timedelta(days=120)
SLACK = 3  # the row behind the page, and rows of the cursor's own millisecond

# One value, several values, and values together with statuses: each is served by one index in each order.
NARROWED = [
    "",
    "status=pending",
    "status=closed",
    "status=open,pending,on_hold",
    "priority=urgent",
    "priority=low,high",
    "priority=high&status=open,new",
    "category=Network",
    "category=Network,Printers,Other",
    "category=Network&status=new,open,pending,on_hold",
    "type=incident",
    "type=incident&status=new",
    "team={team}",
    "team=none",
    "team={team}&status=open",
    "assigned_to=me",
    "assigned_to=none",
    "assigned_to=none,me",
    "assigned_to=me&status=new,open,pending,on_hold",
    "assigned_to=none&status=new,open",
    "created_by={customer}",
    "created_by={customer}&status=open",
    "tag=vpn",
    "tag=vpn,printer",
    "tag=vpn&status=open",
    "created_at__gte={middle}",
    "created_at__gte={middle}&created_at__lt={later}",
    "updated_at__gte={middle}",
    "updated_at__gte={middle}&updated_at__lt={later}",
]
SEARCHES = ["q=word7", "q=word7&created_at__gte={middle}"]
# Several columns at once: the planner chooses one to read by, and sorts in memory only what it has seen to be little.
COMBINED = ["priority=high&category=Network", "q=word7 word8", "q=word7&status=open", "tag=vpn&priority=high"]


@pytest.fixture
def tenant(cast: Cast, settings: Any) -> Cast:
    """Two tenants with equally many tickets of all kinds, interleaved in time; Carla has a tenth of acme's."""
    for limit in ("USER", "ADDRESS", "TENANT"):
        setattr(settings, f"RATE_LIMIT_{limit}_PER_MINUTE", 1_000_000)
    for tenant, agents, customers in (
        (cast.acme, [cast.ada, cast.amir], [cast.carla, cast.carl]),
        (cast.globex, [cast.gina, cast.gus], [cast.greta]),
    ):
        others = [make_user(tenant, f"c{number}@example.test") for number in range(8)]
        TicketRepository(tenant.pk).insert_many(_tickets(agents, [*customers, *others]))
    return cast


TEAM = ObjectId()


def _tickets(agents: list[User], customers: list[User]) -> Iterator[Document]:
    chance = random.Random(7)
    for number in range(1, TICKETS_OF_EACH + 1):
        created = clock.to_milliseconds(START + number * timedelta(days=200) / TICKETS_OF_EACH)
        public = clock.to_milliseconds(created + timedelta(minutes=chance.randrange(1, 20_000)))
        words = [f"word{chance.randrange(20)}" for _ in range(5)]
        customer = customers[number % len(customers)]
        yield new_ticket_document(number, Content(f"Ticket {number}", ""), customer.pk, "api") | {
            "status": chance.choices(Status.values, [5, 10, 5, 3, 17, 60])[0],
            "priority": chance.choices(Priority.values, [20, 60, 15, 5])[0],
            "type": chance.choice(Type.values),
            "category": chance.choice(["Network", "Printers", "Other", "Accounts", ""]),
            "tags": chance.sample(["home", "printer", "vpn"], chance.randrange(3)),
            "assigned_to_id": chance.choice([None, *(agent.pk for agent in agents)]),
            "team_id": chance.choice([None, TEAM]),
            "created_at": created,
            "public_updated_at": public,
            "updated_at": public + timedelta(seconds=chance.randrange(60)),
            "all_terms": sorted({"ticket", *words}),
            "public_terms": sorted({"ticket", *words[:4]}),
        }


def _pages(cast: Cast, user: User, query: str, ordering: str) -> Iterator[tuple[str, Document]]:
    """How the first page of a list, and one further behind, were read; a search takes some reads for a page."""
    client = api(user)
    given = query.format(team=TEAM, customer=cast.carl.pk, middle=rfc3339(MIDDLE), later=rfc3339(LATER))
    address = f"{TICKETS}?{given}&ordering={ordering}".replace("?&", "?")
    behind = client.get(f"{address}&limit=100").json()["page"]["after"]
    for cursor in ["", *([f"&after={behind}"] if behind else [])]:
        with profiled() as entries:
            response = client.get(f"{address}&limit={LIMIT}{cursor}")
        assert response.status_code == 200, response.content
        assert table_scans(entries) == [], address
        for read in reads(entries, "tickets"):
            yield f"{address}{cursor}", read


def _faults(where: str, read: Document, most: int) -> list[str]:
    plan = f"{read['nreturned']} of {read['docsExamined']} documents by {read['planSummary'][:120]}"
    if read.get("hasSortStage"):
        return [f"{where}: sorted in memory, {plan}"]
    return [] if read["docsExamined"] <= most else [f"{where}: read too much, {plan}"]


def test_staffs_lists_read_what_they_answer(tenant: Cast) -> None:
    faults = []
    cases = [(query, ordering) for query in NARROWED for ordering in ORDERINGS]
    cases += [(query, ordering) for query in SEARCHES for ordering in ORDERINGS if "created_at" in ordering]
    for query, ordering in cases:
        for where, read in _pages(tenant, tenant.amir, query, ordering):
            faults += _faults(where, read, 2 * read["nreturned"] + SLACK)
    assert faults == []


def test_combined_filters_read_no_more_than_one_of_them_matches(tenant: Cast) -> None:
    faults = []
    for query in COMBINED:
        matches = []
        for part in query.replace(" ", "&q=").split("&"):
            page = api(tenant.amir).get(f"{TICKETS}?{part}&count=true&limit=1").json()["page"]
            matches.append(int(page["count"]))
        for where, read in _pages(tenant, tenant.amir, query, "-created_at"):
            faults += _faults(where, read | {"hasSortStage": False}, max(matches) + SLACK)
    assert faults == []


def test_customers_lists_read_at_most_their_own_tickets(tenant: Cast) -> None:
    """Within a customer's own tickets a further filter is judged ticket by ticket; without one the page is all."""
    own = TICKETS_OF_EACH // 10
    faults = []
    for query in [*NARROWED, *SEARCHES, *COMBINED]:
        for ordering in ORDERINGS:
            if "q=" in query and "updated_at" in ordering:
                continue
            for where, read in _pages(tenant, tenant.carla, query, ordering):
                assert "participant_ids" in read["planSummary"], where
                faults += _faults(where, read, own if query else 2 * read["nreturned"] + SLACK)
    assert faults == []


def test_counts_read_index_keys_up_to_their_cap(tenant: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    cap = 50
    monkeypatch.setattr("tickets.api.tickets.COUNT_CAP", cap)
    monkeypatch.setattr("ticketing.api.pagination.COUNT_CAP", cap)
    client = api(tenant.amir)
    for query in ("", "status=closed", "priority=low,high", "tag=vpn", "assigned_to=none", "q=word7"):
        with profiled() as entries:
            page = client.get(f"{TICKETS}?{query}&count=true&limit=1".replace("?&", "?")).json()["page"]
        assert page["count"] == f"{cap}+"
        [_, count] = reads(entries, "tickets")
        assert "COLLSCAN" not in count["planSummary"]
        assert count["keysExamined"] <= 2 * cap + 40, (query, count["planSummary"])


def test_threads_and_histories_are_read_in_order_of_their_index(tenant: Cast) -> None:
    for number in (10, 20):  # both are Carla's
        _talk(tenant, number)

    for user, part in ((tenant.amir, "comments"), (tenant.carla, "comments"), (tenant.amir, "events")):
        cursor = ""
        for page in (1, 2, 3):
            with profiled() as entries:
                response = api(user).get(f"{TICKETS}/10/{part}?limit={LIMIT}{cursor}")
            assert response.status_code == 200, response.content
            assert table_scans(entries) == []
            [read] = reads(entries, part)
            assert _faults(f"{part} page {page}", read, read["nreturned"] + SLACK) == []
            cursor = f"&after={response.json()['page']['after']}"


def _talk(cast: Cast, number: int) -> None:
    """Two hundred comments, every other one internal, and as many events."""
    ticket = TicketRepository(cast.acme.pk).find_by_number(number)
    assert ticket
    comments = (
        {
            "ticket_id": ticket["_id"],
            "author_id": cast.amir.pk,
            "visibility": "internal" if position % 2 else "public",
            "body": str(position),
            "body_html": "",
            "created_at": START + timedelta(seconds=position),
            "edited_at": None,
            "version": 1,
            "external_id": None,
        }
        for position in range(200)
    )
    CommentRepository(cast.acme.pk).insert_many(comments)
    for version in range(2, 102):
        events = [NewEvent("ticket.updated"), NewEvent("ticket.assigned")]
        EventRepository(cast.acme.pk).record(actor_of(cast.amir), ticket["_id"], version, events, START)


def test_included_people_and_comments_take_one_read_each_for_a_page(tenant: Cast) -> None:
    client = api(tenant.amir)
    for ticket in client.get(f"{TICKETS}?status=open&limit=2").json()["data"]:  # a page without comments reads none
        add_comment(actor_of(tenant.amir), ticket["id"], body="We look into it")
    with profiled() as entries:
        response = client.get(f"{TICKETS}?include=comments,created_by,assigned_to&limit=100")
    assert len(response.json()["data"]) == 100
    assert table_scans(entries) == []
    assert len(reads(entries, "comments")) == 1
    with profiled() as alone:
        client.get(f"{TICKETS}?limit=100")
    assert len(reads(entries, "users")) == len(reads(alone, "users")) + 1
