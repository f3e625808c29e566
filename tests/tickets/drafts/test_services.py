"""What is written is kept, can be taken back for some seconds, and is sent once."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from accounts.actor import Actor, Via
from accounts.repository import UserRepository
from tests.cast import actor_of
from tests.isolation.world import send
from tests.together import run_together
from ticketing import clock
from ticketing.errors import InvalidInput, NotAllowed, NotFound, StaleVersion
from ticketing.mongo import ObjectId
from ticketing.mongo.client import get_database
from tickets.access import access_ticket
from tickets.attachments.repository import AttachmentRepository, UploadRepository
from tickets.conversation.repository import CommentRepository
from tickets.drafts import jobs, services
from tickets.drafts.repository import DraftRepository
from tickets.drafts.sending import Answer
from tickets.drafts.services import (
    AlreadySent,
    OnItsWay,
    find_draft,
    find_problems,
    save_draft,
    schedule_draft,
    send_draft,
    take_back,
)
from tickets.rules import TicketClosed
from tickets.services import change_ticket, open_ticket

pytestmark = pytest.mark.django_db


class Stopped:
    """A run that nobody asks to stop."""

    stopping = False

    def __init__(self) -> None:
        self.notes: dict[str, int] = {}

    def note(self, **notes: int) -> None:
        self.notes |= notes


@pytest.fixture
def amir(cast: Any) -> Actor:
    return actor_of(cast.amir, Via.CONSOLE)


@pytest.fixture
def ticket(cast: Any) -> Any:
    return open_ticket(actor_of(cast.carla), title="Printer on fire")


def comments(cast: Any) -> list[str]:
    return [row["body"] for row in CommentRepository(cast.acme.pk).find({}, sort=[("created_at", 1)])]


def make_due(cast: Any) -> None:
    get_database()["drafts"].update_many(
        {"tenant_id": cast.acme.pk}, {"$set": {"send_at": clock.now() - timedelta(minutes=1)}}
    )


def run_job() -> dict[str, int]:
    run = Stopped()
    jobs.send(run)  # type: ignore[arg-type]
    return run.notes


def test_is_kept_for_its_author_alone(cast, amir, ticket):
    saved = save_draft(amir, ticket["_id"], body="Have you", visibility="internal", expected_version=0)
    saved = save_draft(amir, ticket["_id"], body="Have you tried", expected_version=saved["version"])
    assert find_draft(amir, ticket["_id"]) == saved
    assert (saved["body"], saved["visibility"], saved["version"]) == ("Have you tried", "public", 2)
    assert find_draft(actor_of(cast.ada), ticket["_id"]) is None
    assert access_ticket(amir, ticket["_id"])["version"] == 1
    assert save_draft(amir, ticket["_id"], body=" \n") is None
    assert find_draft(amir, ticket["_id"]) is None


def test_two_windows_do_not_overwrite_each_other(amir, ticket):
    save_draft(amir, ticket["_id"], body="From the first", expected_version=0)
    for version in (0, 7):
        with pytest.raises(StaleVersion):
            save_draft(amir, ticket["_id"], body="From the second", expected_version=version)
    assert find_draft(amir, ticket["_id"])["body"] == "From the first"


@pytest.mark.parametrize("given", [{"body": "\x00"}, {"body": "x" * 65_537}, {"body": "x", "visibility": "secret"}])
def test_refuses_what_could_not_be_sent(amir, ticket, given):
    with pytest.raises(InvalidInput):
        save_draft(amir, ticket["_id"], **given)
    assert find_draft(amir, ticket["_id"]) is None


def test_is_staffs_and_of_their_tenant(cast, ticket):
    with pytest.raises(NotAllowed):
        save_draft(actor_of(cast.carla), ticket["_id"], body="x")
    for work in (partial(save_draft, body="x"), take_back, send_draft):
        with pytest.raises(NotFound):
            work(actor_of(cast.gus), ticket["_id"])


def test_waits_unseen_until_it_is_sent(cast, amir, ticket):
    draft = schedule_draft(
        amir, ticket["_id"], Answer("Use **water**", changes={"status": "pending"}), ticket_version=1
    )
    assert timedelta(seconds=8) < draft["send_at"] - clock.now() <= timedelta(seconds=10)
    assert comments(cast) == []
    assert access_ticket(amir, ticket["_id"])["version"] == 1
    with pytest.raises(OnItsWay):
        save_draft(amir, ticket["_id"], body="Something else")
    assert run_job() == {}, "it is too early for the job"
    sent = send_draft(amir, ticket["_id"])
    assert (comments(cast), sent.left) == (["Use **water**"], [])
    assert access_ticket(amir, ticket["_id"])["status"] == "pending"
    assert find_draft(amir, ticket["_id"]) is None
    for again in (send_draft, take_back):
        with pytest.raises(AlreadySent):
            again(amir, ticket["_id"])


def test_can_be_taken_back(cast, amir, ticket):
    schedule_draft(amir, ticket["_id"], Answer("Never mind", "internal"))
    assert take_back(amir, ticket["_id"])["body"] == "Never mind"
    make_nothing_due = run_job()
    assert (make_nothing_due, comments(cast)) == ({}, [])
    assert save_draft(amir, ticket["_id"], body="Better")["visibility"] == "public"


def test_the_job_sends_what_a_closed_browser_left(cast, amir, ticket):
    schedule_draft(amir, ticket["_id"], Answer("From the job"))
    make_due(cast)
    assert run_job() == {"sent": 1}
    [comment] = CommentRepository(cast.acme.pk).find({})
    assert (comment["body"], comment["author_id"]) == ("From the job", cast.amir.pk)
    assert run_job() == {}


def test_is_sent_once_however_many_send_it(cast, amir, ticket):
    upload = send(amir, ticket["_id"], "log.txt")
    schedule_draft(amir, ticket["_id"], Answer("Once", upload_ids=[upload]))
    make_due(cast)
    work = [partial(send_draft, amir, ticket["_id"])] * 3 + [run_job] * 2
    failed = [each for each in run_together(work) if isinstance(each, Exception) and not isinstance(each, AlreadySent)]
    assert failed == []
    assert comments(cast) == ["Once"]
    assert AttachmentRepository(cast.acme.pk).count({}) == 1
    assert find_draft(amir, ticket["_id"]) is None


def test_taking_back_and_sending_at_once_is_one_of_the_two(cast, amir, ticket):
    for _ in range(3):
        schedule_draft(amir, ticket["_id"], Answer("Race"))
        before = len(comments(cast))
        run_together([partial(take_back, amir, ticket["_id"]), partial(send_draft, amir, ticket["_id"])])
        draft = find_draft(amir, ticket["_id"])
        assert (len(comments(cast)) - before == 1) == (draft is None)
        assert draft is None or draft["send_at"] is None


def test_what_would_be_refused_is_refused_at_the_press(cast, amir, ticket):
    refused = [
        (Answer(" "), InvalidInput),
        (Answer("x", "secret"), InvalidInput),
        (Answer("x", changes={"tags": ["x" * 50]}), InvalidInput),
        (Answer("x", changes={"assigned_to": cast.gus.pk}), InvalidInput),
        (Answer("x", upload_ids=[ObjectId()]), InvalidInput),
    ]
    for answer, error in refused:
        with pytest.raises(error):
            schedule_draft(amir, ticket["_id"], answer)
    with pytest.raises(StaleVersion):
        schedule_draft(amir, ticket["_id"], Answer("x"), ticket_version=3)
    assert find_draft(amir, ticket["_id"]) is None
    assert access_ticket(amir, ticket["_id"])["version"] == 1


def test_a_field_that_somebody_changed_meanwhile_is_left_and_told(cast, amir, ticket):
    schedule_draft(amir, ticket["_id"], Answer("Mine", changes={"status": "pending", "priority": "high"}))
    change_ticket(actor_of(cast.ada), ticket["_id"], {"status": "on_hold"})
    make_due(cast)
    run_job()
    stored = access_ticket(amir, ticket["_id"])
    assert (stored["status"], stored["priority"], comments(cast)) == ("on_hold", "high", ["Mine"])
    [draft] = find_problems(amir)
    assert (draft["body"], draft["send_at"]) == ("", None)
    assert draft["problem"].endswith("left as it is: status")


def test_what_cannot_be_sent_stays_and_says_why(cast, amir, ticket):
    upload = send(amir, ticket["_id"], "log.txt")
    schedule_draft(amir, ticket["_id"], Answer("Too late", upload_ids=[upload]))
    change_ticket(actor_of(cast.ada), ticket["_id"], {"status": "closed"})
    with pytest.raises(TicketClosed):
        send_draft(amir, ticket["_id"])
    [draft] = find_problems(amir)
    assert (draft["body"], draft["upload_ids"], draft["send_at"]) == ("Too late", [upload], None)
    assert "closed" in draft["problem"]
    assert UploadRepository(cast.acme.pk).get(upload)["attachment_id"] is None
    assert comments(cast) == []


def test_nothing_is_sent_for_somebody_who_was_deactivated(cast, amir, ticket):
    schedule_draft(amir, ticket["_id"], Answer("Bye"))
    UserRepository(cast.acme.pk).update_where({"_id": cast.amir.pk}, {"is_active": False})
    make_due(cast)
    assert run_job() == {"sent": 1}
    assert comments(cast) == []
    assert "not active" in find_draft(amir, ticket["_id"])["problem"]


def test_one_that_fails_by_a_mistake_of_ours_keeps_no_other_waiting(cast, amir, ticket, monkeypatch):
    other = open_ticket(actor_of(cast.carla), title="The other")
    for each, text in ((ticket, "Fails"), (other, "Goes")):
        schedule_draft(amir, each["_id"], Answer(text))
    make_due(cast)

    def fail(actor, draft):
        if draft["ticket_id"] == ticket["_id"]:
            raise ZeroDivisionError
        return deliver(actor, draft)

    deliver = services._deliver
    monkeypatch.setattr(services, "_deliver", fail)
    assert run_job() == {"sent": 2}
    assert comments(cast) == ["Goes"]
    draft = find_draft(amir, ticket["_id"])
    assert (draft["body"], draft["send_at"]) == ("Fails", None)
    assert "could not be sent" in draft["problem"]


def test_files_wait_with_the_draft_and_go_with_the_answer(cast, amir, ticket):
    ids = [send(amir, ticket["_id"], name) for name in ("a.txt", "b.txt")]
    save_draft(amir, ticket["_id"], body="", upload_ids=[*ids, ObjectId()])
    kept = UploadRepository(cast.acme.pk).get(ids[0])
    assert kept["expires_at"] - kept["created_at"] == timedelta(days=1)
    assert find_draft(amir, ticket["_id"])["upload_ids"] == ids
    schedule_draft(amir, ticket["_id"], Answer("See these", "internal", upload_ids=ids))
    sent = send_draft(amir, ticket["_id"])
    files = AttachmentRepository(cast.acme.pk).find({}, sort=[("name", 1)])
    assert [(file["name"], file["comment_id"], file["visibility"]) for file in files] == [
        ("a.txt", sent.comment_id, "internal"),
        ("b.txt", sent.comment_id, "internal"),
    ]
    assert access_ticket(amir, ticket["_id"])["internal_attachment_count"] == 2


def test_the_due_ones_are_found_by_an_index(cast, amir, ticket):
    schedule_draft(amir, ticket["_id"], Answer("x"))
    drafts = DraftRepository(cast.acme.pk)
    plan = drafts.collection.find(drafts.scoped({"send_at": {"$lte": clock.now()}})).hint("drafts_due").explain()
    assert plan["queryPlanner"]["winningPlan"]["inputStage"]["indexName"] == "drafts_due"
