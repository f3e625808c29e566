"""Erasing: once, at the same moment, half-way, refused."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.actor import Actor, Via
from accounts.roles import Role
from accounts.rules import LastAdmin
from accounts.services import change_user, deactivate_user
from accounts.sessions import get_account_of_token, open_session
from tests.cast import Cast, actor_of, make_user
from tests.console.queries import sent_commands
from tests.isolation.snapshot import Snapshot
from tests.tickets.privacy import story as s
from tests.together import run_together
from ticketing import clock
from ticketing.errors import Conflict, NotAllowed, NotAuthenticated, NotFound
from ticketing.jobs import Run
from ticketing.mongo import ObjectId
from ticketing.mongo.client import get_database
from ticketing.mongo.scope import tenant_scope
from tickets.conversation.services import add_comment
from tickets.privacy import erasure, jobs, redaction
from tickets.privacy.erasure import continue_erasure, preview_erasure, request_erasure
from tickets.privacy.holds import lift_hold, place_hold
from tickets.privacy.rules import OnLegalHold, receipt_hash
from tickets.services import open_ticket
from tickets.transfer.exports import request_export

pytestmark = pytest.mark.django_db


class Killed(Exception):
    """The process died here."""


def finish(cast: Cast, found: Any) -> Any:
    return continue_erasure(Actor.system(cast.acme, Via.JOB), found)


def erase(cast: Cast, story: s.Story, *, content: bool = True) -> Any:
    return finish(cast, request_erasure(actor_of(cast.ada), story.user.pk, content=content))


def test_the_receipt_tells_what_was_done_and_nothing_of_what_was(cast: Cast) -> None:
    story = s.tell(cast, Role.AGENT)
    done = erase(cast, story)
    receipt = done["receipt"]
    assert {name: receipt[name] for name in ("tenant", "user", "content_removed", "requested_by", "requested_via")} == {
        "tenant": "acme",
        "user": str(story.user.pk),
        "content_removed": True,
        "requested_by": str(cast.ada.pk),
        "requested_via": "api",
    }
    assert receipt["counts"] == {
        "api_keys": 1,
        "attachment_bytes": sum([*range(0), receipt["counts"]["attachment_bytes"]]),
        "attachments": 4,
        "audit_log": 3,
        "canned_replies": 1,
        "comments": 5,
        "drafts": 2,
        "event_texts": receipt["counts"]["event_texts"],
        "events": receipt["counts"]["events"],
        "followed_tickets": 2,
        "idempotency_records": 1,
        "legal_holds": 2,
        "saved_views": 1,
        "tickets": 1,
        "token_families": 1,
        "uploads": 1,
        "users": 1,
    }
    assert receipt["sha256"] == receipt_hash(receipt)
    assert done["emails"] == []


def test_the_account_is_nameless_and_ended(cast: Cast) -> None:
    story = s.tell(cast)
    access = open_session(story.user).access
    done = erase(cast, story)
    user = get_database()["users"].find_one({"_id": story.user.pk})
    assert (user["name"], user["email"]) == (done["pseudonym"], f"{done['pseudonym']}@erased.invalid")
    assert not user["is_active"]
    with pytest.raises(NotAuthenticated):
        get_account_of_token(access)
    with pytest.raises(Conflict, match="erased"):
        change_user(actor_of(cast.ada), story.user.pk, {"is_active": True})


def test_who_asks_again_gets_the_same_erasure(cast: Cast) -> None:
    story = s.tell(cast)
    first = erase(cast, story)
    before = Snapshot.take().stored
    assert erase(cast, story) == first
    assert erase(cast, story, content=False) == first
    assert Snapshot.take().stored == before


def test_content_may_be_asked_for_later(cast: Cast) -> None:
    story = s.tell(cast)
    first = erase(cast, story, content=False)
    second = erase(cast, story, content=True)
    assert second["pseudonym"] == first["pseudonym"]
    assert s.marked_fields() == set()


def test_two_at_once_make_one_erasure(cast: Cast) -> None:
    story = s.tell(cast)
    asked = run_together([lambda: request_erasure(actor_of(cast.ada), story.user.pk, content=True)] * 3)
    assert len({each["_id"] for each in asked}) == 1  # type: ignore[index]
    finished = run_together([lambda: finish(cast, asked[0])] * 3)
    assert len({each["receipt"]["sha256"] for each in finished}) == 1  # type: ignore[index]
    counts = finished[0]["receipt"]["counts"]  # type: ignore[index]
    assert (counts["comments"], counts["attachments"], counts["tickets"], counts["users"]) == (4, 4, 1, 1)
    assert s.marked_fields() == set()


@pytest.mark.parametrize("step", [0, 1, 2, 4, 6, 8])
def test_what_a_crash_leaves_is_done_by_the_job(cast: Cast, step: int) -> None:
    """Killed after each of the steps: the job does the rest, and counts everything once."""
    story = s.tell(cast, Role.AGENT)
    found = request_erasure(actor_of(cast.ada), story.user.pk, content=True)
    steps = erasure._steps(Actor.system(cast.acme, Via.JOB), found)
    for _ in range(step):
        next(steps)
    steps.close()
    jobs.erase(Run("privacy.erase"))
    [done] = get_database()["erasures"].find()
    assert done["state"] == "done"
    counts = done["receipt"]["counts"]
    assert (counts["comments"], counts["attachments"], counts["followed_tickets"]) == (5, 4, 2)
    assert s.marked_fields() == set()
    assert s.marked_files() == set()


def test_a_crash_before_the_files_are_removed_leaves_none(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    story = s.tell(cast)
    found = request_erasure(actor_of(cast.ada), story.user.pk, content=True)

    def die(_key: str) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(redaction.default_storage, "delete", die, raising=False)
        with pytest.raises(Killed):
            finish(cast, found)
    assert len(s.marked_files()) == 5
    jobs.erase(Run("privacy.erase"))
    assert s.marked_files() == set()
    assert get_database()["file_removals"].count_documents({}) == 0
    assert get_database()["tenants"].find_one({"_id": cast.acme.pk})["storage_bytes"] == 0


def test_requests_under_way_are_waited_for(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever somebody still writes whose request began before his account ended goes as well."""
    monkeypatch.setattr(erasure, "REQUESTS_END_WITHIN", timedelta(seconds=60))
    story = s.tell(cast, Role.AGENT)
    under_way = actor_of(story.user)
    running = erase(cast, story)
    add_comment(under_way, story.others["_id"], f"Sent at the last moment {story.mark}")
    assert (running["state"], s.marked_fields()) == (
        "running",
        {"comments.body", "comments.body_html", "erasures.emails", "events.actor"}
        | {"tickets.all_terms", "tickets.public_terms"},
    )
    later = clock.now() + timedelta(seconds=61)
    monkeypatch.setattr(clock, "now", lambda: later)
    jobs.erase(Run("privacy.erase"))
    assert get_database()["erasures"].find_one()["state"] == "done"
    assert s.marked_fields() == set()


def test_an_erased_half_of_the_shell_stays(cast: Cast) -> None:
    story = s.tell(cast)
    before = get_database()["tickets"].find_one({"_id": story.own["_id"]})
    erase(cast, story)
    ticket = get_database()["tickets"].find_one({"_id": story.own["_id"]})
    same = ("number", "status", "category", "created_by_id", "comment_count", "created_at")
    assert {name: ticket[name] for name in same} == {name: before[name] for name in same}
    assert (ticket["title"], ticket["attachment_count"]) == ("[removed]", 0)
    assert ticket["version"] > before["version"]
    last = get_database()["events"].find_one({"ticket_id": ticket["_id"]}, sort=[("version", -1)])
    assert (last["type"], last["data"]["because"], last["data"]["attachments"]) == ("ticket.redacted", "erasure", 2)


def test_the_last_admin_stays(cast: Cast) -> None:
    before = Snapshot.take().stored
    with pytest.raises(LastAdmin):
        request_erasure(actor_of(cast.ada), cast.ada.pk)
    assert Snapshot.take().stored == before


def test_of_two_admins_erased_at_once_one_stays(cast: Cast) -> None:
    anna = make_user(cast.acme, "anna@example.test", "Anna", Role.ADMIN)
    actor = Actor.system(cast.acme, Via.COMMAND)
    answers = run_together([lambda id_=id_: request_erasure(actor, id_) for id_ in (anna.pk, cast.ada.pk)])
    assert sorted(type(each).__name__ for each in answers) == ["LastAdmin", "dict"]


@pytest.mark.parametrize("target", ["user", "ticket", "tenant"])
def test_a_hold_refuses_and_is_named(cast: Cast, target: str) -> None:
    story = s.tell(cast)
    admin = actor_of(cast.ada)
    reference = {"user": str(story.user.pk), "ticket": str(story.others["number"]), "tenant": ""}[target]
    hold = place_hold(admin, target=target, reference=reference, reason="A lawsuit")
    before = Snapshot.take().stored
    with pytest.raises(OnLegalHold) as refused:
        request_erasure(admin, story.user.pk)
    assert (refused.value.status, refused.value.data["hold"]) == (409, hold["_id"])
    with pytest.raises(OnLegalHold):
        preview_erasure(admin, story.user.pk)
    assert Snapshot.take().stored == before
    lift_hold(admin, hold["_id"])
    assert erase(cast, story)["state"] == "done"


def test_a_hold_that_comes_meanwhile_stops_the_rest(cast: Cast) -> None:
    story = s.tell(cast)
    admin = actor_of(cast.ada)
    found = request_erasure(admin, story.user.pk, content=True)
    hold = place_hold(admin, target="ticket", reference=str(story.own["_id"]), reason="A lawsuit")
    stopped = finish(cast, found)
    assert (stopped["state"], stopped["hold_id"]) == ("running", hold["_id"])
    assert get_database()["tickets"].find_one({"_id": story.own["_id"]})["title"] != "[removed]"
    lift_hold(admin, hold["_id"])
    jobs.erase(Run("privacy.erase"))
    assert get_database()["erasures"].find_one()["state"] == "done"


def test_a_hold_on_somebody_elses_ticket_keeps_that_ticket_only(cast: Cast) -> None:
    """His texts there wait for the end of the hold; his address waits nowhere."""
    story = s.tell(cast, Role.ADMIN)
    admin, database = actor_of(cast.ada), get_database()
    hold = place_hold(admin, target="user", reference=str(cast.carl.pk), reason="A lawsuit")
    held = erase(cast, story)
    assert (held["state"], held["hold_id"], held["emails"]) == ("running", hold["_id"], [])
    assert not {each for each in s.marked_fields() if each.startswith(("audit_log.", "erasures.", "users."))}
    on_held = {"ticket_id": story.others["_id"], "author_id": story.user.pk}
    assert all(s.MARK in comment["body"] for comment in database["comments"].find(on_held))
    assert database["tickets"].find_one({"_id": story.own["_id"]})["title"] == "[removed]"
    request_export(admin)
    jobs.erase(Run("privacy.erase"))
    assert database["exports"].count_documents({}) == 1  # while it waits, exports are possible
    lift_hold(admin, hold["_id"])
    jobs.erase(Run("privacy.erase"))
    done = database["erasures"].find_one()
    assert (done["state"], done["receipt"]["counts"]["exports"], s.marked_fields()) == ("done", 1, set())


def test_a_hold_on_a_ticket_that_comes_meanwhile_keeps_all_of_it(cast: Cast) -> None:
    """Also its history, its followers and its uploads; and nothing else."""
    story = s.tell(cast, Role.AGENT)
    admin, database = actor_of(cast.ada), get_database()
    found = request_erasure(admin, story.user.pk, content=True)
    hold = place_hold(admin, target="ticket", reference=str(story.others["_id"]), reason="A lawsuit")
    names = ("tickets", "comments", "attachments", "events", "uploads", "drafts")
    wheres = {name: {"_id" if name == "tickets" else "ticket_id": story.others["_id"]} for name in names}
    before = {name: list(database[name].find(where)) for name, where in wheres.items()}
    held = finish(cast, found)
    assert (held["state"], held["hold_id"]) == ("running", hold["_id"])
    assert {name: list(database[name].find(where)) for name, where in wheres.items()} == before
    for name, where in wheres.items():
        database[name].delete_many(where)
    assert s.marked_fields() == set()


@pytest.mark.parametrize("target", ["user", "tenant"])
def test_a_hold_on_the_person_or_on_everything_that_comes_meanwhile_stops_all(cast: Cast, target: str) -> None:
    story = s.tell(cast)
    admin = actor_of(cast.ada)
    found = request_erasure(admin, story.user.pk, content=True)
    hold = place_hold(admin, target=target, reference=str(story.user.pk) if target == "user" else "", reason="Law")
    before = {**Snapshot.take().stored}
    held = finish(cast, found)
    after = {**Snapshot.take().stored}
    assert (held["state"], held["hold_id"]) == ("running", hold["_id"])
    assert {name for name in after if after[name] != before[name]} == {"erasures"}


def test_a_hold_and_an_erasure_at_once(cast: Cast) -> None:
    """Whichever is confirmed first stands: never both."""
    story = s.tell(cast)
    admin = actor_of(cast.ada)
    held, erased = run_together(
        [
            lambda: place_hold(admin, target="user", reference=str(story.user.pk), reason="A lawsuit"),
            lambda: request_erasure(admin, story.user.pk),
        ]
    )
    name = get_database()["users"].find_one({"_id": story.user.pk})["name"]
    assert isinstance(held, dict)
    assert isinstance(erased, OnLegalHold if s.MARK in name else dict)


def test_who_may(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        request_erasure(actor_of(cast.amir), cast.carla.pk)
    with pytest.raises(NotFound):
        request_erasure(actor_of(cast.gina), cast.carla.pk)
    with pytest.raises(NotFound):
        request_erasure(actor_of(cast.ada), ObjectId())


def test_the_preview_tells_what_goes_and_changes_nothing(cast: Cast) -> None:
    story = s.tell(cast)
    before = Snapshot.take().stored
    told = preview_erasure(actor_of(cast.ada), story.user.pk, content=True)
    assert Snapshot.take().stored == before
    done = erase(cast, story)["receipt"]["counts"]
    assert told == {
        "attachments": 4,
        "comments": 4,
        "events": done["events"],
        "followed_tickets": 1,
        "is_complete": True,
        "tickets": 1,
    }


def test_the_preview_counts_no_further_than_it_says(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    story = s.tell(cast)
    for amount in range(3):
        open_ticket(actor_of(story.user), title=f"Another {amount}")
    monkeypatch.setattr(erasure, "BATCH", 1)
    whole = preview_erasure(actor_of(cast.ada), story.user.pk, content=True)
    assert (whole["tickets"], whole["comments"], whole["attachments"], whole["is_complete"]) == (4, 4, 4, True)
    monkeypatch.setattr(erasure, "PREVIEW_AT_MOST", 3)
    with sent_commands() as commands:
        told = preview_erasure(actor_of(cast.ada), story.user.pk, content=True)
    assert (told["tickets"], told["comments"], told["attachments"], told["is_complete"]) == (3, 3, 3, False)
    assert max(repr(command).count("ObjectId(") for command in commands) <= 3  # tenant, user, one ticket


def test_a_deactivated_one_needs_no_wait(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "REQUESTS_END_WITHIN", timedelta(days=1))
    deactivate_user(actor_of(cast.ada), cast.carla.pk)
    with tenant_scope(cast.acme.pk):
        assert finish(cast, request_erasure(actor_of(cast.ada), cast.carla.pk))["state"] == "done"
