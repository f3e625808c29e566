"""Merges, answers and what takes them back at the same moment: one wins, the others are told, and all is counted."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from tests.cast import Cast, actor_of
from tests.tickets.merging.looking import counted, stored
from tests.together import run_together
from ticketing.mongo.repository import Document
from ticketing.mongo.scope import tenant_scope
from tickets.conversation.repository import CommentRepository
from tickets.conversation.services import add_comment
from tickets.merging.rules import AlreadyMerged, AlreadySplit, NotMerged
from tickets.merging.services import merge_ticket, unmerge_ticket
from tickets.merging.splitting import split_comment
from tickets.repository import TicketRepository
from tickets.services import open_ticket
from tickets.stats.services import differences

pytestmark = pytest.mark.django_db


def as_user(user: User, work: Callable[[], Any]) -> Callable[[], Any]:
    def run() -> Any:
        with tenant_scope(user.tenant_id):
            return work()

    return run


@pytest.fixture
def tickets(cast: Cast) -> list[Document]:
    """Carl's three tickets, each with an answer."""
    opened = [open_ticket(actor_of(cast.carl), title=f"Smoke {number}") for number in (1, 2, 3)]
    for ticket in opened:
        add_comment(actor_of(cast.carl), ticket["_id"], f"More of {ticket['number']}")
    return opened


def test_of_merges_into_several_tickets_one_wins(cast: Cast, tickets: list[Document]) -> None:
    """Also of one in each direction: nothing is merged in a circle."""
    amir = actor_of(cast.amir)
    first, second, third = (str(ticket["number"]) for ticket in tickets)
    pairs = [(first, second), (first, third), (second, first), (first, second)]
    results = run_together(
        [as_user(cast.amir, lambda pair=pair: merge_ticket(amir, *pair)) for pair in pairs]  # type: ignore[misc]
    )

    refused = [each for each in results if isinstance(each, Exception)]
    assert all(isinstance(each, AlreadyMerged) for each in refused), refused
    now = [stored(ticket) for ticket in tickets]
    merged = [each for each in now if each["merged_into_id"] is not None]
    assert len(merged) == len(results) - len(refused) >= 1
    for each in merged:
        into = next(ticket for ticket in now if ticket["_id"] == each["merged_into_id"])
        assert into["merged_into_id"] is None
        assert each["_id"] in into["merged_ids"]
    assert sum(counted(ticket)[0] for ticket in tickets) == 3 + len(merged)
    assert differences(cast.acme.pk) == {}


def test_answers_during_a_merge_are_all_in_one_place(cast: Cast, tickets: list[Document]) -> None:
    carl, amir = actor_of(cast.carl), actor_of(cast.amir)
    first, second, _ = (str(ticket["number"]) for ticket in tickets)
    answers = [
        as_user(cast.carl, lambda n=n: add_comment(carl, first, f"answer {n}"))  # type: ignore[misc]
        for n in range(6)
    ]
    results = run_together([as_user(cast.amir, lambda: merge_ticket(amir, first, second)), *answers])

    assert [each for each in results if isinstance(each, Exception)] == []
    assert counted(tickets[0]) == (0, 0, 0, 0)
    assert counted(tickets[1]) == (9, 0, 0, 0)
    unmerge_ticket(amir, first)
    assert counted(tickets[0]) == (7, 0, 0, 0)
    assert counted(tickets[1]) == (1, 0, 0, 0)
    assert differences(cast.acme.pk) == {}


def test_what_is_taken_back_or_split_twice_at_once_happens_once(cast: Cast, tickets: list[Document]) -> None:
    amir = actor_of(cast.amir)
    first, second, _ = (str(ticket["number"]) for ticket in tickets)
    merge_ticket(amir, first, second)
    results = run_together([as_user(cast.amir, lambda: unmerge_ticket(amir, first))] * 3)
    assert sorted(type(each).__name__ for each in results) == [NotMerged.__name__] * 2 + ["dict"]

    comment = CommentRepository(cast.acme.pk).find({"ticket_id": tickets[0]["_id"]})[0]
    results = run_together([as_user(cast.amir, lambda: split_comment(amir, comment["_id"]))] * 3)
    assert sorted(type(each).__name__ for each in results) == [AlreadySplit.__name__] * 2 + ["dict"]
    assert TicketRepository(cast.acme.pk).count({}) == 4
    assert differences(cast.acme.pk) == {}
