"""Who is named in an internal note, and what comes of it."""

from typing import Any

import pytest

from accounts.services import change_user
from tests.cast import actor_of
from tests.profile import profiled, table_scans
from ticketing import clock
from ticketing.errors import InvalidInput
from ticketing.mongo import ObjectId
from tickets.conversation.repository import CommentRepository
from tickets.conversation.services import add_comment, edit_comment
from tickets.events.repository import EventRepository
from tickets.mentions.repository import MentionRepository
from tickets.mentions.services import MAX_MENTIONS, count_unseen, note_mentions, see_mentions
from tickets.repository import TicketRepository
from tickets.services import open_ticket

pytestmark = pytest.mark.django_db
AMIR, ADA, CARL, GINA = "@agent@example.test", "@ADMIN@example.test", "@carl@example.test", "@gina@globex.test"


@pytest.fixture
def ticket(cast: Any) -> Any:
    return open_ticket(actor_of(cast.carla), title="Printer on fire")


def mentioned(cast: Any) -> set[Any]:
    return {mention["user_id"] for mention in MentionRepository(cast.acme.pk).find({})}


def stored(cast: Any, ticket: Any) -> Any:
    return TicketRepository(cast.acme.pk).get(ticket["_id"])


def test_whom_a_note_names_follows_and_is_told(cast, ticket):
    note = add_comment(actor_of(cast.ada), ticket["_id"], f"({AMIR}, {ADA}): call `{CARL}` and {CARL}", "internal")
    assert set(note["mention_ids"]) == {cast.amir.pk, cast.ada.pk}
    assert '<span class="mention">@agent@example.test</span>' in note["body_html"]
    assert mentioned(cast) == {cast.amir.pk}  # nobody is told of what he wrote himself
    now = stored(cast, ticket)
    assert (now["follower_ids"], now["participant_ids"]) == ([cast.amir.pk], [cast.carla.pk, cast.amir.pk])
    [event] = EventRepository(cast.acme.pk).find({"type": "ticket.followers_changed"})
    assert (event["actor"]["id"], event["changes"]) == (cast.ada.pk, {"follower_ids": [[], [cast.amir.pk]]})
    assert count_unseen(actor_of(cast.amir), cap=10) == 1
    assert count_unseen(actor_of(cast.ada), cap=10) == 0


@pytest.mark.parametrize(("author", "visibility"), [("ada", "public"), ("carla", "public")])
def test_answers_mention_nobody(cast, ticket, author, visibility):
    answer = add_comment(actor_of(getattr(cast, author)), ticket["_id"], f"Ask {AMIR}", visibility)
    assert answer["mention_ids"] == []
    assert "mention" not in answer["body_html"]
    assert mentioned(cast) == set()
    assert stored(cast, ticket)["follower_ids"] == []


@pytest.mark.parametrize(
    "text", [CARL, GINA, f"mail{AMIR}", f"`{AMIR}`", f"    {AMIR}", "@Amir", "@nobody@example.test"]
)
def test_what_is_no_mention(cast, ticket, text):
    assert add_comment(actor_of(cast.ada), ticket["_id"], text, "internal")["mention_ids"] == []
    assert mentioned(cast) == set()


def test_somebody_who_left_is_not_mentioned(cast, ticket):
    change_user(actor_of(cast.ada), cast.amir.pk, {"is_active": False})
    assert add_comment(actor_of(cast.ada), ticket["_id"], AMIR, "internal")["mention_ids"] == []


def test_an_edited_note_names_whom_it_names_now(cast, ticket):
    note = add_comment(actor_of(cast.ada), ticket["_id"], AMIR, "internal")
    see_mentions(actor_of(cast.amir), ticket["_id"])
    edited = edit_comment(actor_of(cast.ada), note["_id"], f"{AMIR}, please")
    assert edited["mention_ids"] == [cast.amir.pk]
    assert count_unseen(actor_of(cast.amir), cap=10) == 0  # named already: no news
    edited = edit_comment(actor_of(cast.ada), note["_id"], "Nobody")
    assert (edited["mention_ids"], mentioned(cast)) == ([], set())


def test_seeing_a_ticket_is_seeing_what_is_on_it(cast, ticket):
    other = open_ticket(actor_of(cast.carla), title="Other")
    for each in (ticket, other):
        add_comment(actor_of(cast.ada), each["_id"], AMIR, "internal")
    assert see_mentions(actor_of(cast.amir), ticket["_id"]) == 1
    assert see_mentions(actor_of(cast.amir), ticket["_id"]) == 0
    assert count_unseen(actor_of(cast.amir), cap=10) == 1


def test_too_many_names_are_refused_and_nothing_is_stored(cast, ticket):
    names = " ".join(f"@someone{number}@example.test" for number in range(MAX_MENTIONS + 1))
    with pytest.raises(InvalidInput) as refused:
        add_comment(actor_of(cast.ada), ticket["_id"], names, "internal")
    assert [error.field for error in refused.value.errors] == ["body"]
    assert CommentRepository(cast.acme.pk).count({}) == 0


def test_a_full_list_of_followers_takes_no_more_but_the_mention_stands(cast, ticket, monkeypatch):
    monkeypatch.setattr("tickets.mentions.services.MAX_FOLLOWERS", 0)
    add_comment(actor_of(cast.ada), ticket["_id"], AMIR, "internal")
    assert mentioned(cast) == {cast.amir.pk}
    assert stored(cast, ticket)["follower_ids"] == []


def test_notes_of_before_mentions_can_be_edited(cast, ticket):
    note = add_comment(actor_of(cast.ada), ticket["_id"], "Hello", "internal")
    CommentRepository(cast.acme.pk).update_where({"_id": note["_id"]}, {}, operators={"$unset": {"mention_ids": ""}})
    assert edit_comment(actor_of(cast.ada), note["_id"], AMIR)["mention_ids"] == [cast.amir.pk]
    assert mentioned(cast) == {cast.amir.pk}


def test_counting_and_seeing_read_by_an_index(cast, ticket):
    at = clock.now()
    mention = {"by_id": None, "at": at}
    rows = [
        {**mention, "user_id": user.pk, "ticket_id": ObjectId(), "comment_id": ObjectId(), "seen_at": seen}
        for user in (cast.amir, cast.ada)
        for seen in [at] * 300 + [None] * 20
    ]
    MentionRepository(cast.acme.pk).insert_many(rows)
    with profiled() as found:
        assert count_unseen(actor_of(cast.amir), cap=10) == 10
        see_mentions(actor_of(cast.amir), ticket["_id"])
    assert not table_scans(found)
    assert sum(entry.get("docsExamined", 0) for entry in found if entry["ns"].endswith(".mentions")) <= 20


def test_noting_twice_changes_nothing(cast, ticket):
    note = add_comment(actor_of(cast.ada), ticket["_id"], AMIR, "internal")
    before = stored(cast, ticket)
    assert note_mentions(actor_of(cast.ada), before, note)["version"] == before["version"]
    assert MentionRepository(cast.acme.pk).count({}) == 1
