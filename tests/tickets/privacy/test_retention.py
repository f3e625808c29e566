"""Retention: what is due, what is kept, what was changed meanwhile."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.actor import Actor, Via
from accounts.services import change_user, deactivate_user
from tenants.services import change_settings, get_tenant
from tests.cast import Cast, actor_of, make_user
from tests.isolation.snapshot import Snapshot
from tests.tickets.privacy import story as s
from ticketing import clock
from ticketing.errors import InvalidInput
from ticketing.jobs import Run
from ticketing.mongo.client import get_database
from tickets.access import access_ticket
from tickets.conversation.services import add_comment
from tickets.privacy import jobs, retention
from tickets.privacy.holds import place_hold
from tickets.privacy.retention import Preview, apply_retention, preview_retention
from tickets.services import change_ticket, open_ticket

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def long_ago(cast: Cast) -> list[Any]:
    """Three tickets of Carl's, closed 40, 30 and 20 days ago, each with an answer; and one that is open."""
    closed = [_closed(cast, days) for days in (40, 30, 20)]
    open_ticket(actor_of(cast.carl), title="Still open")
    return closed


def test_nothing_is_due_without_a_policy(cast: Cast, long_ago: list[Any]) -> None:
    assert preview_retention(actor_of(cast.ada)) == Preview()
    before = Snapshot.take().stored
    jobs.retention(Run("privacy.retention"))
    assert Snapshot.take().stored == before


def test_the_preview_is_what_is_removed(cast: Cast, long_ago: list[Any]) -> None:
    _policy(cast, retention_ticket_days=25)
    preview = preview_retention(actor_of(cast.ada))
    assert (preview.tickets, preview.comments, preview.attachments, preview.is_complete) == (2, 2, 0, True)
    assert preview.sample == [long_ago[0]["number"], long_ago[1]["number"]]
    assert (preview.oldest_closed_at, preview.newest_closed_at) == (_closed_at(long_ago[0]), _closed_at(long_ago[1]))
    jobs.retention(Run("privacy.retention"))
    assert _redacted(cast) == {long_ago[0]["_id"], long_ago[1]["_id"]}
    assert preview_retention(actor_of(cast.ada)) == Preview()
    [entry] = get_database()["audit_log"].find({"action": "retention.applied"})
    assert (entry["details"]["tickets"], entry["details"]["comments"]) == (2, 2)


def test_files_and_their_bytes_are_counted(cast: Cast) -> None:
    story = s.tell(cast)
    _close(story.own["_id"], 40)
    _policy(cast, retention_ticket_days=30)
    preview = preview_retention(actor_of(cast.ada))
    assert (preview.attachments, preview.comments) == (2, 3)
    removed = apply_retention(cast.acme, Actor.system(cast.acme, Via.JOB))
    assert (removed["attachments"], removed["attachment_bytes"]) == (2, preview.attachment_bytes)
    assert removed["comments"] == preview.comments


@pytest.mark.parametrize("target", ["ticket", "user", "author", "tenant"])
def test_what_is_on_hold_is_never_touched(cast: Cast, long_ago: list[Any], target: str) -> None:
    _policy(cast, retention_ticket_days=25)
    references = {
        "ticket": ("ticket", str(long_ago[0]["_id"])),
        "user": ("user", str(cast.carl.pk)),
        "author": ("user", str(cast.amir.pk)),
        "tenant": ("tenant", ""),
    }
    kind, reference = references[target]
    place_hold(actor_of(cast.ada), target=kind, reference=reference, reason="A lawsuit")
    preview = preview_retention(actor_of(cast.ada))
    held = 1 if target == "ticket" else 2
    assert (preview.tickets, preview.held_tickets) == (2 - held, held)
    jobs.retention(Run("privacy.retention"))
    assert len(_redacted(cast)) == 2 - held
    assert long_ago[0]["_id"] not in _redacted(cast)


def test_a_run_that_is_stopped_is_taken_up_by_the_next(cast: Cast, long_ago: list[Any]) -> None:
    _policy(cast, retention_ticket_days=15)
    asked = iter([False, False, True, True, True, True])
    jobs.retention(Run("privacy.retention", stop=lambda: next(asked)))
    assert 0 < len(_redacted(cast)) < 3
    jobs.retention(Run("privacy.retention"))
    assert len(_redacted(cast)) == 3


def test_people_who_left_long_ago_are_erased(cast: Cast) -> None:
    gone = make_user(cast.acme, "gone@example.test", "Gone Gustav")
    waiting = make_user(cast.acme, "waiting@example.test", "Waiting Wanda")
    open_ticket(actor_of(waiting), title="Not answered yet")
    for user in (gone, waiting, cast.carla):
        deactivate_user(actor_of(cast.ada), user.pk)
    old = {"$set": {"updated_at": clock.now() - 40 * DAY}}
    get_database()["users"].update_many({"_id": {"$in": [gone.pk, waiting.pk, cast.greta.pk]}}, old)
    _policy(cast, retention_user_days=30)
    preview = preview_retention(actor_of(cast.ada))
    assert (preview.users, preview.sample_users) == (1, [gone.pk])
    jobs.retention(Run("privacy.retention"))
    erased = get_database()["users"].find({"erased_at": {"$ne": None}})
    assert [user["_id"] for user in erased] == [gone.pk]
    assert get_database()["erasures"].find_one()["state"] == "done"


@pytest.mark.parametrize("comes_back", ["account", "ticket"])
def test_who_comes_back_while_others_are_erased_is_not(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, comes_back: str
) -> None:
    people = [make_user(cast.acme, f"gone{number}@example.test", f"Gone {number}") for number in range(2)]
    for user in people:
        deactivate_user(actor_of(cast.ada), user.pk)
    old = {"$set": {"updated_at": clock.now() - 40 * DAY}}
    get_database()["users"].update_many({"_id": {"$in": [user.pk for user in people]}}, old)
    _policy(cast, retention_user_days=30)
    proceed, erased = retention.continue_erasure, []

    def meanwhile(actor: Actor, erasure: Any) -> Any:
        erased.append(erasure["user_id"])
        [other] = [user for user in people if user.pk != erasure["user_id"]]
        if comes_back == "account":
            change_user(actor_of(cast.ada), other.pk, {"is_active": True})
        else:
            open_ticket(actor_of(other), title="It is broken again")
        return proceed(actor, erasure)

    monkeypatch.setattr(retention, "continue_erasure", meanwhile)
    assert apply_retention(cast.acme, Actor.system(cast.acme, Via.JOB)) == {"users": 1}
    found = get_database()["users"].find({"erased_at": {"$ne": None}})
    assert [user["_id"] for user in found] == erased


def test_another_tenants_policy_is_its_own(cast: Cast, long_ago: list[Any]) -> None:
    tenant = get_tenant(cast.globex.pk)
    change_settings(tenant, {"retention_ticket_days": 1}, expected_version=tenant.version, by="tests")
    jobs.retention(Run("privacy.retention"))
    assert _redacted(cast) == set()


@pytest.mark.parametrize("value", [-1, 36_501, 1.5, True, "30", None])
def test_a_policy_is_whole_days(cast: Cast, value: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        _policy(cast, retention_ticket_days=value)
    assert [error.field for error in refused.value.errors] == ["retention_ticket_days"]


def test_due_tickets_are_found_by_their_index(cast: Cast, long_ago: list[Any]) -> None:
    where = {"tenant_id": cast.acme.pk, "status": "closed", "redacted_at": None, "closed_at": {"$lt": clock.now()}}
    found = get_database()["tickets"].find(where).sort([("closed_at", 1), ("_id", 1)]).explain()
    assert "tickets_retention" in repr(found["queryPlanner"]["winningPlan"])
    assert found["executionStats"]["totalDocsExamined"] == len(long_ago)


def _closed(cast: Cast, days: int) -> Any:
    ticket = open_ticket(actor_of(cast.carl), title=f"Closed {days} days ago")
    add_comment(actor_of(cast.amir), ticket["_id"], "Solved")
    change_ticket(actor_of(cast.amir), ticket["_id"], {"status": "resolved"})
    change_ticket(actor_of(cast.amir), ticket["_id"], {"status": "closed"})
    _close(ticket["_id"], days)
    return access_ticket(actor_of(cast.ada), ticket["_id"])


def _close(ticket_id: Any, days: int) -> None:
    closed = {"status": "closed", "closed_at": clock.now() - days * DAY}
    get_database()["tickets"].update_one({"_id": ticket_id}, {"$set": closed})


def _closed_at(ticket: Any) -> datetime:
    found: datetime = ticket["closed_at"]
    return found


def _policy(cast: Cast, **days: Any) -> None:
    tenant = get_tenant(cast.acme.pk)
    change_settings(tenant, days, expected_version=tenant.version, by="tests")


def _redacted(cast: Cast) -> set[Any]:
    found = get_database()["tickets"].find({"tenant_id": cast.acme.pk, "redacted_at": {"$ne": None}})
    return {ticket["_id"] for ticket in found}
