"""Merging a duplicate and taking it back: nothing is lost, everything is counted, and each is told where to read on."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.actor import Actor
from tests.cast import Cast, actor_of
from tests.tickets.merging.looking import counted, stored, thread, types_of, unchanging
from ticketing.errors import Conflict, InvalidInput, NotAllowed, NotFound, TicketingError
from ticketing.mongo import ObjectId
from ticketing.mongo.pages import PageRequest
from ticketing.mongo.repository import Document
from tickets.access import access_ticket
from tickets.attachments.lists import page_of_attachments
from tickets.attachments.repository import AttachmentRepository
from tickets.attachments.services import add_attachment
from tickets.conversation.repository import CommentRepository
from tickets.conversation.services import add_comment, edit_comment
from tickets.merging import rules
from tickets.merging.rules import AlreadyMerged, NotMerged, TooMany
from tickets.merging.services import merge_ticket, preview_merge, unmerge_ticket
from tickets.privacy.holds import place_hold
from tickets.privacy.rules import OnLegalHold
from tickets.repository import TicketRepository
from tickets.rules import TicketClosed
from tickets.services import change_ticket, follow_ticket, open_ticket
from tickets.stats.services import differences

pytestmark = pytest.mark.django_db


def test_what_a_merged_ticket_says_cannot_be_edited_away_from_it(
    cast: Cast, amir: Actor, target: Document, duplicate: Document
) -> None:
    merge_ticket(amir, duplicate["_id"], target["_id"])
    with pytest.raises(NotAllowed, match="take the merge back"):
        edit_comment(actor_of(cast.carl), duplicate["_id"], "Never mind")


def test_comments_files_words_and_people_follow(cast: Cast, amir: Actor, target: Document, duplicate: Document) -> None:
    merged = merge_ticket(amir, duplicate["_id"], "1")

    assert (merged["status"], merged["merged_into_id"], merged["status_before_merge"]) == (
        "closed",
        target["_id"],
        "pending",
    )
    assert thread(amir, target) == ["Smoke in room 4\n\nFrom the *copier*.", "Now flames", "Looks like sabotage"]
    assert thread(actor_of(cast.carla), target)[1:] == ["Now flames"]
    first = CommentRepository(cast.acme.pk).get(duplicate["_id"])
    assert (first["author_id"], first["created_at"]) == (cast.carl.pk, duplicate["created_at"])
    assert counted(target) == (2, 1, 1, 1)
    assert counted(duplicate) == (0, 0, 0, 0)
    files = page_of_attachments(actor_of(cast.carl), target, PageRequest(10)).rows
    assert [(row["name"], row["comment_id"] is None) for row in files] == [("flames.txt", False)]

    now = stored(target)
    assert (now["merged_ids"], now["follower_ids"]) == ([duplicate["_id"]], [cast.carl.pk])
    assert access_ticket(actor_of(cast.carl), "1")["_id"] == target["_id"]
    assert {"smoke", "copier", "flames", "sabotage"} <= set(now["all_terms"])
    assert {"smoke", "copier", "flames"} <= set(now["public_terms"])
    assert "sabotage" not in now["public_terms"]
    assert set(merged["all_terms"]) == {"smoke", "in", "room", "from", "the", "copier"}
    assert types_of(target)[-1] == types_of(duplicate)[-1] == "ticket.merged"
    assert differences(cast.acme.pk) == {}


def test_taking_it_back_leaves_both_as_they_were(
    cast: Cast, amir: Actor, target: Document, duplicate: Document
) -> None:
    before = [unchanging(each) for each in (target, duplicate)]
    comments = CommentRepository(cast.acme.pk).find({}, sort=[("_id", 1)])
    files = AttachmentRepository(cast.acme.pk).find({}, sort=[("_id", 1)])

    merge_ticket(amir, "2", "1")
    unmerged = unmerge_ticket(amir, "2")

    assert unmerged["status"] == "pending"
    assert [unchanging(each) for each in (target, duplicate)] == before
    assert CommentRepository(cast.acme.pk).find({}, sort=[("_id", 1)]) == comments
    assert AttachmentRepository(cast.acme.pk).find({}, sort=[("_id", 1)]) == files
    with pytest.raises(NotFound):
        access_ticket(actor_of(cast.carl), "1")
    assert types_of(target)[-1] == types_of(duplicate)[-1] == "ticket.unmerged"
    assert differences(cast.acme.pk) == {}


def test_an_answer_and_a_file_land_in_the_target_and_come_back_with_the_duplicate(
    cast: Cast, amir: Actor, target: Document, duplicate: Document
) -> None:
    merge_ticket(amir, "2", "1")
    answer = add_comment(actor_of(cast.carl), "2", "Still burning")
    file = add_attachment(actor_of(cast.carl), "2", SimpleUploadedFile("ash.txt", b"grey", "text/plain"))
    add_comment(actor_of(cast.carl), "1", "This one too")
    words = add_attachment(amir, "1", SimpleUploadedFile("map.txt", b"here", "text/plain"), comment_id=duplicate["_id"])

    assert (answer["ticket_id"], file["ticket_id"], words["ticket_id"]) == (target["_id"],) * 3
    assert counted(target) == (4, 1, 3, 1)

    unmerge_ticket(amir, "2")
    assert thread(amir, target) == ["This one too"]
    assert thread(amir, duplicate) == ["Now flames", "Looks like sabotage", "Still burning"]
    assert counted(target) == (1, 0, 0, 0)
    assert counted(duplicate) == (2, 1, 3, 1)


def test_a_customer_who_sees_the_target_no_more_cannot_answer_there(
    cast: Cast, amir: Actor, target: Document, duplicate: Document
) -> None:
    merge_ticket(amir, "2", "1")
    change_ticket(amir, "1", {"followers": []})
    with pytest.raises(TicketClosed):
        add_comment(actor_of(cast.carl), "2", "Hello?")
    assert counted(target) == (2, 1, 1, 1)


def test_what_was_merged_into_the_duplicate_moves_along_and_returns(
    cast: Cast, amir: Actor, target: Document, duplicate: Document
) -> None:
    third = open_ticket(actor_of(cast.carla), title="Alarm", description="")
    add_comment(amir, third["_id"], "I hear it")
    merge_ticket(amir, third["_id"], duplicate["_id"])
    merge_ticket(amir, duplicate["_id"], target["_id"])

    assert stored(third)["merged_into_id"] == target["_id"]
    assert set(stored(target)["merged_ids"]) == {duplicate["_id"], third["_id"]}
    assert add_comment(amir, third["_id"], "Louder")["ticket_id"] == target["_id"]
    assert counted(target) == (5, 1, 1, 1)

    unmerge_ticket(amir, duplicate["_id"])
    assert stored(target)["merged_ids"] == []
    assert (stored(third)["merged_into_id"], stored(duplicate)["merged_ids"]) == (duplicate["_id"], [third["_id"]])
    assert counted(target) == (0, 0, 0, 0)
    assert counted(duplicate) == (4, 1, 1, 1)
    unmerge_ticket(amir, third["_id"])
    assert thread(amir, third) == ["I hear it", "Louder"]
    assert counted(duplicate) == (1, 1, 1, 1)
    assert stored(duplicate)["follower_ids"] == []
    assert differences(cast.acme.pk) == {}


def test_what_left_on_its_own_is_not_taken_back_with_what_brought_it(
    cast: Cast, amir: Actor, target: Document, duplicate: Document
) -> None:
    third = open_ticket(actor_of(cast.carla), title="Alarm")
    merge_ticket(amir, third["_id"], duplicate["_id"])
    merge_ticket(amir, duplicate["_id"], target["_id"])
    unmerge_ticket(amir, third["_id"])
    merge_ticket(amir, third["_id"], target["_id"])
    unmerge_ticket(amir, duplicate["_id"])
    assert (stored(third)["merged_into_id"], stored(duplicate)["merged_ids"]) == (target["_id"], [])
    assert thread(amir, target) == ["Alarm"]


def test_people_stay_who_have_another_reason_to_follow(cast: Cast, amir: Actor, target: Document) -> None:
    twice = [open_ticket(actor_of(cast.carl), title=f"Smoke {n}") for n in (1, 2)]
    followed = open_ticket(actor_of(cast.carl), title="Smoke 3")
    follow_ticket(actor_of(cast.ada), target["_id"])
    follow_ticket(actor_of(cast.ada), followed["_id"])
    for each in (*twice, followed):
        merge_ticket(amir, each["_id"], target["_id"])
    for each, left in ((twice[0], True), (followed, True), (twice[1], False)):
        unmerge_ticket(amir, each["_id"])
        assert stored(target)["follower_ids"] == [cast.ada.pk] + [cast.carl.pk] * left


def test_a_ticket_that_was_resolved_is_resolved_again(cast: Cast, amir: Actor, target: Document) -> None:
    solved = open_ticket(actor_of(cast.carl), title="Smoke")
    solved = change_ticket(amir, solved["_id"], {"status": "resolved"})
    merge_ticket(amir, solved["_id"], "1")
    back = unmerge_ticket(amir, solved["_id"])
    assert (back["status"], back["resolved_at"], back["closed_at"]) == ("resolved", solved["resolved_at"], None)
    assert back["reopened_count"] == 0


def _closed(cast: Cast, number: str) -> None:
    change_ticket(actor_of(cast.ada), number, {"status": "closed"})


@pytest.mark.parametrize(
    ("spoil", "duplicate_ref", "into", "error"),
    [
        (lambda cast: None, "2", "2", InvalidInput),
        (lambda cast: None, "2", "99", InvalidInput),
        (lambda cast: None, "99", "1", NotFound),
        (lambda cast: _closed(cast, "1"), "2", "1", TicketClosed),
        (lambda cast: _closed(cast, "2"), "2", "1", TicketClosed),
        (lambda cast: merge_ticket(actor_of(cast.ada), "2", "1"), "2", "1", AlreadyMerged),
        (lambda cast: merge_ticket(actor_of(cast.ada), "1", "2"), "2", "1", AlreadyMerged),
        (
            lambda cast: place_hold(actor_of(cast.ada), target="ticket", reference="2", reason="A lawsuit"),
            "2",
            "1",
            OnLegalHold,
        ),
    ],
)
def test_what_cannot_be_merged_is_refused_and_left_alone(
    cast: Cast,
    amir: Actor,
    target: Document,
    duplicate: Document,
    spoil: Callable[[Cast], Any],
    duplicate_ref: str,
    into: str,
    error: type[TicketingError],
) -> None:
    spoil(cast)
    before = [stored(target), stored(duplicate), CommentRepository(cast.acme.pk).count({})]
    with pytest.raises(error) as refused:
        merge_ticket(amir, duplicate_ref, into)
    if error is InvalidInput:
        assert refused.value.errors[0].field == "into"
    with pytest.raises(error):
        preview_merge(amir, duplicate_ref, into)
    assert [stored(target), stored(duplicate), CommentRepository(cast.acme.pk).count({})] == before


def test_bounds_are_told(
    cast: Cast, amir: Actor, target: Document, duplicate: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MAX_MOVED", 1)
    with pytest.raises(TooMany, match="more than 1 comments"):
        merge_ticket(amir, "2", "1")
    monkeypatch.setattr(rules, "MAX_MOVED", 2)
    monkeypatch.setattr(rules, "MAX_FOLLOWERS", 0)
    with pytest.raises(TooMany, match="followers"):
        merge_ticket(amir, "2", "1")
    monkeypatch.setattr(rules, "MAX_FOLLOWERS", 1)
    monkeypatch.setattr(rules, "MAX_MERGED", 1)
    merge_ticket(amir, "2", "1")
    third = open_ticket(actor_of(cast.carl), title="Third")
    with pytest.raises(TooMany, match="merged into #1"):
        merge_ticket(amir, third["_id"], "1")


def test_only_staff_merges_and_only_what_is_merged_is_taken_back(
    cast: Cast, amir: Actor, target: Document, duplicate: Document
) -> None:
    for work in (merge_ticket, preview_merge):
        with pytest.raises(NotAllowed):
            work(actor_of(cast.carl), "2", "1")
    with pytest.raises(NotMerged):
        unmerge_ticket(amir, "2")
    merge_ticket(amir, "2", "1")
    with pytest.raises(NotAllowed):
        unmerge_ticket(actor_of(cast.carl), "2")
    with pytest.raises(NotFound):
        unmerge_ticket(actor_of(cast.gus), duplicate["_id"])


def test_a_hold_keeps_together_what_is_on_the_target(
    cast: Cast, amir: Actor, target: Document, duplicate: Document
) -> None:
    merge_ticket(amir, "2", "1")
    place_hold(actor_of(cast.ada), target="ticket", reference="1", reason="A lawsuit")
    with pytest.raises(OnLegalHold):
        unmerge_ticket(amir, "2")


def test_a_hold_on_everything_does_not_stand_in_the_way(
    cast: Cast, amir: Actor, target: Document, duplicate: Document
) -> None:
    place_hold(actor_of(cast.ada), target="tenant", reason="A lawsuit")
    merge_ticket(amir, "2", "1")
    assert unmerge_ticket(amir, "2")["status"] == "pending"


def test_a_duplicate_whose_texts_are_gone_does_not_come_back(
    cast: Cast, amir: Actor, target: Document, duplicate: Document
) -> None:
    from tickets.privacy.redaction import redact_ticket

    merge_ticket(amir, "2", "1")
    redact_ticket(amir, duplicate["_id"], "retention")
    with pytest.raises(Conflict, match="removed"):
        unmerge_ticket(amir, "2")
    assert "Now flames" in thread(amir, target)


def test_documents_of_the_release_before_can_be_merged(
    cast: Cast, amir: Actor, target: Document, duplicate: Document
) -> None:
    new = ("related_ids", "merged_ids", "merged_follower_ids", "merged_into_id", "status_before_merge")
    for ticket in (target, duplicate):
        TicketRepository(cast.acme.pk).update_where(
            {"_id": ticket["_id"]}, {}, operators={"$unset": dict.fromkeys(new, "")}
        )
    for repository in (CommentRepository, AttachmentRepository):
        repository(cast.acme.pk).update_all({}, {}, operators={"$unset": {"moved_from_id": "", "split_into_id": ""}})
    merge_ticket(amir, "2", "1")
    assert counted(target) == (2, 1, 1, 1)
    assert unmerge_ticket(amir, "2")["merged_ids"] == []
    assert counted(duplicate) == (1, 1, 1, 1)


def test_preview_tells_who_will_see_it_and_writes_nothing(
    cast: Cast, amir: Actor, target: Document, duplicate: Document
) -> None:
    follow_ticket(amir, duplicate["_id"])
    preview = preview_merge(amir, "2", "1")
    assert list(preview.joining) == [cast.carl.pk, cast.amir.pk]
    assert ObjectId.is_valid(preview.target["_id"])
    assert stored(target)["version"] == target["version"]
