"""Many at once on the real server: no update is lost, no number given twice, and one key opens one ticket."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from tests.cast import Cast, actor_of, api
from tests.together import run_together
from ticketing.mongo.repository import Document
from ticketing.mongo.scope import tenant_scope
from tickets.access import access_ticket
from tickets.conversation.services import add_comment
from tickets.events.repository import EventRepository
from tickets.repository import TicketRepository
from tickets.services import change_ticket, open_ticket
from tickets.stats.services import differences

pytestmark = pytest.mark.django_db

TICKETS = "/api/v1/tickets"
AT_ONCE = 16


@pytest.fixture(autouse=True)
def _no_rate_limits(settings: Any) -> None:
    for limit in ("USER", "ADDRESS", "TENANT"):
        setattr(settings, f"RATE_LIMIT_{limit}_PER_MINUTE", 1_000_000)


def as_user(user: User, work: Callable[[], Any]) -> Callable[[], Any]:
    """The work in the scope of the user's tenant: a thread starts without one."""

    def run() -> Any:
        with tenant_scope(user.tenant_id):
            return work()

    return run


def history(ticket: Document) -> list[Document]:
    order = [("version", 1), ("position", 1)]
    return EventRepository(ticket["tenant_id"]).find({"ticket_id": ticket["_id"]}, sort=order)


@pytest.fixture
def ticket(cast: Cast) -> Document:
    return open_ticket(actor_of(cast.carla), title="Everybody's")


def test_writers_who_say_what_they_read_lose_nothing(cast: Cast, ticket: Document) -> None:
    """Each adds a tag of his own to the list that he has read, and starts over when somebody was faster."""

    def add_tag(number: int) -> int:
        client, refused = api(cast.amir), 0
        while True:
            read = client.get(f"{TICKETS}/1")
            tags = [*read.json()["tags"], f"tag{number:02}"]
            answer = client.patch(f"{TICKETS}/1", {"tags": tags}, HTTP_IF_MATCH=read["ETag"])
            if answer.status_code == 200:
                return refused
            assert answer.status_code == 412, answer.content
            refused += 1

    refused = run_together([lambda number=number: add_tag(number) for number in range(AT_ONCE)])

    assert all(isinstance(count, int) for count in refused), refused
    stored = access_ticket(actor_of(cast.amir), ticket["_id"])
    assert stored["tags"] == [f"tag{number:02}" for number in range(AT_ONCE)]
    assert stored["version"] == 1 + AT_ONCE
    changes = [event for event in history(stored) if event["type"] == "ticket.tags_changed"]
    assert [event["version"] for event in changes] == list(range(2, AT_ONCE + 2))
    before: list[str] = []
    for event in changes:
        old, new = event["changes"]["tags"]
        assert old == before
        assert len(new) == len(old) + 1
        before = new
    assert differences(cast.acme.pk) == {}


def test_writers_who_do_not_say_what_they_read_are_all_heard(cast: Cast, ticket: Document) -> None:
    """Answers, notes and changes of different fields at once: each happens, and one after the other."""
    amir = actor_of(cast.amir)
    work = [
        *(lambda n=n: add_comment(amir, ticket["_id"], f"answer {n}") for n in range(AT_ONCE // 2)),
        *(lambda n=n: add_comment(amir, ticket["_id"], f"note {n}", "internal") for n in range(AT_ONCE // 4)),
        lambda: change_ticket(amir, ticket["_id"], {"priority": "urgent"}),
        lambda: change_ticket(amir, ticket["_id"], {"category": "Network"}),
        lambda: change_ticket(amir, ticket["_id"], {"assigned_to": cast.amir.pk}),
        lambda: change_ticket(amir, ticket["_id"], {"title": "Nobody's"}),
    ]
    results = run_together([as_user(cast.amir, each) for each in work])

    assert [result for result in results if isinstance(result, Exception)] == []
    stored = access_ticket(amir, ticket["_id"])
    assert stored["version"] == 1 + AT_ONCE
    assert (stored["comment_count"], stored["internal_note_count"]) == (AT_ONCE // 2, AT_ONCE // 4)
    assert stored["public_version"] == 1 + AT_ONCE - AT_ONCE // 4
    assert (stored["priority"], stored["category"], stored["title"]) == ("urgent", "Network", "Nobody's")
    assert stored["assigned_to_id"] == cast.amir.pk
    assert {"answer", "note", "nobody's"} <= set(stored["all_terms"])
    assert sorted({event["version"] for event in history(stored)}) == list(range(1, AT_ONCE + 2))
    assert differences(cast.acme.pk) == {}


def test_creators_get_numbers_of_their_own(cast: Cast) -> None:
    def create(number: int) -> int:
        answer = api(cast.carla).post(TICKETS, {"title": f"Ticket {number}"})
        assert answer.status_code == 201, answer.content
        return int(answer.json()["number"])

    numbers = run_together([lambda number=number: create(number) for number in range(AT_ONCE)])

    assert len(set(numbers)) == AT_ONCE
    stored = TicketRepository(cast.acme.pk).find({}, fields=["number", "title"])
    assert sorted(each["number"] for each in stored) == sorted(numbers)
    assert sorted(each["title"] for each in stored) == sorted(f"Ticket {number}" for number in range(AT_ONCE))
    assert differences(cast.acme.pk) == {}


def test_one_key_opens_one_ticket(cast: Cast) -> None:
    def send() -> Any:
        return api(cast.carla).post(TICKETS, {"title": "Once"}, HTTP_IDEMPOTENCY_KEY="the one")

    answers: list[Any] = run_together([send] * AT_ONCE)

    [stored] = TicketRepository(cast.acme.pk).find({})
    opened = [answer for answer in answers if answer.status_code == 201]
    assert {answer.json()["id"] for answer in opened} == {str(stored["_id"])}
    assert len([answer for answer in opened if "Idempotent-Replay" not in answer]) == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert send().json()["id"] == str(stored["_id"])
    assert [event["type"] for event in history(stored)] == ["ticket.created"]
