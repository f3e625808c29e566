"""Writers, folders and readers at the same time, on the real server."""

from functools import partial
from typing import Any

import pytest

from tests.cast import Cast, actor_of
from tests.together import run_together
from ticketing.mongo import ObjectId
from tickets.repository import TicketRepository
from tickets.services import change_ticket, open_ticket
from tickets.stats import services
from tickets.stats.repository import DeltaRepository
from tickets.stats.rules import StatsFilter
from tickets.stats.services import differences, fold_all, fold_some, ticket_stats

pytestmark = pytest.mark.django_db

TICKETS, CHANGES = 6, 12


def test_every_reading_is_one_moment_and_nothing_is_lost(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "randbelow", lambda _: 1)
    agent = actor_of(cast.amir)
    ids = [open_ticket(actor_of(cast.carla), title=f"Ticket {n}", priority="high")["_id"] for n in range(TICKETS)]
    fold_all(cast.acme.pk)
    writing = set(ids)
    readings: list[dict[str, Any]] = []

    def write(id_: ObjectId) -> None:
        try:
            for number in range(CHANGES):
                change_ticket(agent, id_, {"status": ("open", "pending")[number % 2]})
        finally:
            writing.discard(id_)

    def fold() -> None:
        while writing:
            fold_some(cast.acme.pk, at_most=3)

    def read() -> None:
        while writing:
            readings.append(ticket_stats(agent, filters=StatsFilter(priority=("high",))))
            readings.append(ticket_stats(agent, filters=StatsFilter(priority=("high",), type=("question",))))

    assert run_together([*(partial(write, id_) for id_ in ids), fold, fold, read, read]) == [None] * (TICKETS + 4)

    assert len(readings) > 4
    assert all(sum(stats["status"].values()) == stats["total"] == TICKETS for stats in readings)
    assert all(min(stats["status"].values()) >= 0 and sum(stats["age"].values()) == TICKETS for stats in readings)
    fold_all(cast.acme.pk)
    assert DeltaRepository(cast.acme.pk).count({}) == 0
    assert differences(cast.acme.pk) == {}
    assert ticket_stats(agent)["status"]["pending"] == TICKETS
    assert {t["version"] for t in TicketRepository(cast.acme.pk).find({})} == {1 + CHANGES}


def test_two_who_fold_everything_count_each_change_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "randbelow", lambda _: 1)
    monkeypatch.setattr(services, "FOLD_IN_BULK", 2)
    for number in range(12):
        open_ticket(actor_of(cast.carla), title=f"Ticket {number}", category=f"category {number}")
    assert run_together([partial(fold_all, cast.acme.pk)] * 3) == [None] * 3
    assert differences(cast.acme.pk) == {}
    assert ticket_stats(actor_of(cast.amir))["total"] == 12
