"""What was merged is erased and kept as what it is: each text with who wrote it, each ticket with its own time."""

import pytest

from accounts.actor import Actor
from tests.cast import Cast, actor_of
from tests.tickets.merging.looking import counted, stored, thread
from ticketing.mongo.client import get_database
from ticketing.mongo.repository import Document
from tickets.conversation.services import add_comment, edit_comment
from tickets.merging.services import merge_ticket, unmerge_ticket
from tickets.merging.splitting import split_comment
from tickets.privacy.erasure import continue_erasure, request_erasure
from tickets.services import change_followers, open_ticket
from tickets.stats.services import differences

pytestmark = pytest.mark.django_db

MARK = "zxcarlsword"


def places_of(mark: str) -> list[str]:
    """Where the word still is, in the whole database."""
    database = get_database()
    return [
        name for name in database.list_collection_names() if any(mark in repr(row) for row in database[name].find())
    ]


def test_nothing_of_a_person_is_left_in_what_his_ticket_was_merged_into(
    cast: Cast, amir: Actor, target: Document
) -> None:
    duplicate = open_ticket(actor_of(cast.carl), title=f"Smoke {MARK}", description=f"From the copier {MARK}")
    comment = add_comment(actor_of(cast.carl), duplicate["_id"], f"{MARK} flames")
    add_comment(actor_of(cast.carl), duplicate["_id"], f"{MARK} ash")
    merge_ticket(amir, duplicate["_id"], "1")
    opened = split_comment(amir, comment["_id"])
    assert MARK in stored(opened)["title"]
    assert places_of(MARK)

    ada = actor_of(cast.ada)
    continue_erasure(ada, request_erasure(ada, cast.carl.pk, content=True))

    assert places_of(MARK) == []
    assert stored(target)["title"] == "Printer on fire"
    assert thread(amir, target) == ["[removed]"] * 3
    assert cast.carl.pk not in stored(target)["participant_ids"]
    assert counted(target) == (3, 0, 0, 0)
    assert differences(cast.acme.pk) == {}


@pytest.mark.parametrize("is_taken_back", [False, True])
def test_nothing_that_was_edited_before_or_after_it_moved_is_left(
    cast: Cast, amir: Actor, target: Document, is_taken_back: bool
) -> None:
    duplicate = open_ticket(actor_of(cast.carla), title="Smoke")
    change_followers(amir, duplicate["_id"], add=[cast.carl.pk])
    comment = add_comment(actor_of(cast.carl), duplicate["_id"], f"{MARK} flames")
    edit_comment(actor_of(cast.carl), comment["_id"], f"{MARK} ash")
    merge_ticket(amir, duplicate["_id"], "1")
    edit_comment(actor_of(cast.carl), comment["_id"], f"{MARK} soot")
    if is_taken_back:
        unmerge_ticket(amir, duplicate["_id"])
    ada = actor_of(cast.ada)
    continue_erasure(ada, request_erasure(ada, cast.carl.pk, content=True))
    assert places_of(MARK) == []


def test_nothing_of_an_agent_is_left_in_a_ticket_that_was_made_of_his_words(
    cast: Cast, amir: Actor, target: Document
) -> None:
    for visibility in ("public", "internal"):
        split_comment(actor_of(cast.ada), add_comment(amir, "1", f"Mine {MARK}", visibility)["_id"])
    ada = actor_of(cast.ada)
    continue_erasure(ada, request_erasure(ada, cast.amir.pk, content=True))
    assert places_of(MARK) == []


def test_an_erased_person_does_not_come_back_as_a_follower(cast: Cast, amir: Actor, target: Document) -> None:
    duplicate = open_ticket(actor_of(cast.carl), title="Smoke")
    ada = actor_of(cast.ada)
    continue_erasure(ada, request_erasure(ada, cast.carl.pk))
    merge_ticket(amir, duplicate["_id"], "1")
    assert stored(target)["follower_ids"] == []
    assert unmerge_ticket(amir, duplicate["_id"])["status"] == "new"
