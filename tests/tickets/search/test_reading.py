"""Searches: what they find equals a look at every ticket, what they read has a limit, and the limit is told."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from accounts.actor import Actor
from accounts.models import User
from tests.cast import Cast, actor_of, api
from tests.profile import profiled, reads, table_scans
from ticketing import clock
from ticketing.errors import InvalidInput, StorageUnavailable
from ticketing.mongo.client import ran_out_of_time
from ticketing.mongo.pages import Page, PageRequest
from ticketing.mongo.repository import Document
from ticketing.mongo.scope import tenant_scope
from tickets.access import visible_tickets
from tickets.lists import count_tickets, matching, page_of_tickets
from tickets.repository import TicketRepository
from tickets.rules import Content
from tickets.search import reading
from tickets.search.reading import Lead, Search
from tickets.services import new_ticket_document

pytestmark = pytest.mark.django_db

TICKETS = "/api/v1/tickets"
AMOUNT = 300
START = clock.to_milliseconds(clock.now() - timedelta(days=100))


@pytest.fixture
def desk(cast: Cast) -> Cast:
    """Tickets with common, rare and secret words in both tenants; several share a time, as an import may bring them."""
    for tenant, customers, amount in ((cast.acme, [cast.carla, cast.carl], AMOUNT), (cast.globex, [cast.greta], 50)):
        TicketRepository(tenant.pk).insert_many(_tickets(customers, amount))
    return cast


def _tickets(customers: list[User], amount: int) -> Iterator[Document]:
    chance = random.Random(11)
    for number in range(1, amount + 1):
        title = " ".join([*chance.sample(["red", "green", "blue", "grey"], 2), chance.choice(["printers", "printing"])])
        title += " even" if number % 2 else " odd"
        title += " rare" if number % 41 == 0 else ""
        customer = chance.choice(customers)
        ticket = new_ticket_document(number, Content(title, ""), customer.pk, "api", "en")
        secret = ["secret", *(["rare"] if number % 5 == 0 else [])]
        ticket |= {
            "created_at": START + timedelta(minutes=number // 4),
            "status": chance.choice(["open", "new", "closed"]),
            "priority": chance.choice(["low", "high"]),
            "tags": chance.sample(["a", "b"], chance.randrange(3)),
        }
        yield ticket | {"all_terms": sorted({*ticket["all_terms"], *secret})}


def search(actor: Actor, query: str, request: PageRequest, ordering: str = "-created_at", **filters: Any) -> Page:
    with tenant_scope(actor.tenant_id):
        found = matching(actor, visible_tickets(actor).filter(**filters), query)
        return page_of_tickets(actor, found, request, ordering=ordering, fields=["number"])


def walk(ask: Callable[[PageRequest], Page], limit: int, *, backward: bool = False) -> list[int]:
    """The numbers on all pages from one end of a list to the other, in the list's order."""
    numbers: list[list[int]] = []
    request = PageRequest(limit, last=backward)
    while True:
        page = ask(request)
        assert len(page.rows) <= limit
        assert page.incomplete <= (len(page.rows) < limit)
        numbers.append([row["number"] for row in page.rows])
        cursor = page.before if backward else page.after
        if cursor is None:
            break
        request = PageRequest(limit, before=cursor) if backward else PageRequest(limit, after=cursor)
    return [number for some in (reversed(numbers) if backward else numbers) for number in some]


def expected(user: User, words: str, ordering: str, column: str, **filters: Any) -> list[int]:
    """By a look at every ticket."""
    found = [
        (ticket["created_at"], ticket["_id"], ticket["number"])
        for ticket in TicketRepository(user.tenant_id).find({})
        if set(words.split()) <= set(ticket[column])
        and (user.role != "user" or user.pk in ticket["participant_ids"])
        and all(ticket[name] == value or value in ticket[name] for name, value in filters.items())
    ]
    return [number for *_, number in sorted(found, reverse=ordering.startswith("-"))]


@pytest.mark.parametrize("limits", [(5, 20, 10), (500, 2000, 1000)])
def test_every_page_both_ways_equals_a_look_at_every_ticket(
    desk: Cast, limits: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in zip(("FIRST_READ", "THEN_READ", "COUNT_READ"), limits, strict=True):
        monkeypatch.setattr(reading, name, value)
    queries = ["red", "red green", "red green blue", "rare", "rare red", "secret", "even odd", "nosuch", "print red"]
    filters: list[dict[str, Any]] = [{}, {"priority": "high"}, {"status": "new", "tags": "b"}]
    chance = random.Random(5)
    readers = [(desk.amir, "all_terms"), (desk.carla, "public_terms")]
    cases = list(product(readers, queries, ("-created_at", "created_at"), filters))
    for (user, column), query, ordering, given in chance.sample(cases, 24):
        actor = actor_of(user)
        asked = {"tags__overlap" if name == "tags" else name: [v] if name == "tags" else v for name, v in given.items()}
        truth = expected(user, query, ordering, column, **given)

        def ask(request: PageRequest) -> Page:
            return search(actor, query, request, ordering, **asked)  # noqa: B023 - asked within the round

        limit = chance.choice([1, 7, 100])
        assert walk(ask, limit) == truth, (user.name, query, ordering, given)
        assert walk(ask, limit, backward=True) == truth, (user.name, query, ordering, given)
        with tenant_scope(actor.tenant_id):
            count = count_tickets(actor, matching(actor, visible_tickets(actor).filter(**asked), query), cap=10_000)
        assert count.amount == len(truth) if count.is_exact else count.amount <= len(truth)


def test_a_reader_without_notes_finds_public_words_only(desk: Cast) -> None:
    key = replace(actor_of(desk.amir), scopes=frozenset({"tickets:read"}))
    found = walk(lambda asked: search(key, "rare red", asked), 100)
    assert found == expected(desk.amir, "rare red", "-created_at", "public_terms")
    assert search(key, "secret", PageRequest(10)).rows == []


def test_inflected_words_and_numbers_are_found_through_the_api(desk: Cast) -> None:
    def numbers(query: str) -> list[int]:
        answer = api(desk.amir).get(TICKETS, {"q": query, "limit": 2})
        assert answer.status_code == 200, answer.content
        return [row["number"] for row in answer.json()["data"]]

    assert numbers("Printed even") == numbers("PRINTING even") != []
    assert numbers("#42") == [42]
    assert numbers("121") == [121]
    assert numbers("#4242") == []
    assert api(desk.greta).get(TICKETS, {"q": "#42"}).json()["data"] != []
    other = next(row for row in TicketRepository(desk.acme.pk).find({}) if row["created_by_id"] != desk.carla.pk)
    assert api(desk.carla).get(TICKETS, {"q": f"#{other['number']}"}).json()["data"] == []


def test_two_frequent_words_read_no_more_than_the_limit_and_say_so(desk: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "FIRST_READ", 30)
    monkeypatch.setattr(reading, "THEN_READ", 50)
    monkeypatch.setattr(reading, "COUNT_READ", 40)
    client = api(desk.amir)
    with profiled() as entries:
        page = client.get(f"{TICKETS}?q=even+odd&count=true").json()["page"]
    assert (page["incomplete"], page["has_more"], page["count"]) == (True, True, "0+")
    assert table_scans(entries) == []
    found = reads(entries, "tickets")
    ties = 4
    assert sum(read["docsExamined"] for read in found) <= 30 + 50 + 40 + 3 * ties
    assert sum(read["keysExamined"] for read in found) <= 4 * (30 + 50 + 40) + 60
    assert not any(read.get("hasSortStage") for read in found)
    pages = 0
    while page["after"]:
        page = client.get(f"{TICKETS}?q=even+odd&after={page['after']}").json()["page"]
        pages += 1
    assert "incomplete" not in page
    assert pages <= AMOUNT / 80 + 1


def test_a_rare_word_beside_a_frequent_one_is_what_is_read(desk: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "FIRST_READ", 50)
    for query in ("even tail", "tail even"):
        ticket = TicketRepository(desk.acme.pk).find_by_number(3)
        assert ticket
        TicketRepository(desk.acme.pk).update_all(
            {"_id": ticket["_id"]}, {}, operators={"$addToSet": {"all_terms": "tail"}}
        )
        with profiled() as entries:
            answer = api(desk.amir).get(f"{TICKETS}?q={query}").json()
        assert [row["number"] for row in answer["data"]] == [3]
        assert "incomplete" not in answer["page"]
        assert sum(read["docsExamined"] for read in reads(entries, "tickets")) == 1


def test_a_filter_rarer_than_the_words_is_what_is_read(desk: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "FIRST_READ", 50)
    repository = TicketRepository(desk.acme.pk)
    repository.update_all({"number": {"$in": [5, 7]}}, {"assigned_to_id": desk.amir.pk})
    with profiled() as entries:
        answer = api(desk.amir).get(f"{TICKETS}?q=even+secret&assigned_to=me").json()
    assert [row["number"] for row in answer["data"]] == [7, 5]
    # How rare a filter is may be told by its documents where there are that few.
    assert sum(read["docsExamined"] for read in reads(entries, "tickets")) <= 2 * 2


def test_a_customers_search_reads_his_own_tickets_only(desk: Cast) -> None:
    with profiled() as entries:
        api(desk.carla).get(f"{TICKETS}?q=red+secret&count=true")
    assert {"participant_ids" in read["planSummary"] for read in reads(entries, "tickets")} == {True}


def test_when_the_time_is_up_the_newest_found_so_far_are_answered(desk: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "FIRST_READ", 40)
    whole = walk(lambda asked: search(actor_of(desk.amir), "red green", asked), 100)
    monkeypatch.setattr(reading, "SECONDS", 0)
    page = search(actor_of(desk.amir), "red green", PageRequest(100))
    assert page.incomplete
    assert page.rows
    assert [row["number"] for row in page.rows] == whole[: len(page.rows)]
    assert walk(lambda asked: search(actor_of(desk.amir), "red green", asked), 100) == whole


def test_the_server_stops_what_takes_too_long(desk: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "FIRST_READ", 4)
    monkeypatch.setattr(reading, "SECONDS", 0.3)
    slow = {"$where": "sleep(10) || true"}
    word = {"all_terms": {"$in": ["even"]}}
    tickets = TicketRepository(desk.acme.pk)
    asked = Search(tickets, [word, slow], [Lead("tickets_terms", [word])])
    page = asked.page((("created_at", -1), ("_id", -1)), PageRequest(100), ["number", "created_at"])
    assert page.incomplete
    assert 1 <= len(page.rows) <= 8
    with pytest.raises(StorageUnavailable) as caught:
        tickets.find({"$and": [word, slow]}, milliseconds=20)
    assert ran_out_of_time(caught.value)


def test_a_cursor_of_another_list_is_refused(desk: Cast) -> None:
    cursor = search(actor_of(desk.amir), "red green", PageRequest(1)).after
    with pytest.raises(InvalidInput):
        search(actor_of(desk.amir), "red green", PageRequest(1, after=cursor or ""), "created_at")
