"""A comment becomes a ticket of its own; what was internal stays internal."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.actor import Actor
from tests.cast import Cast, actor_of
from tests.tickets.merging.looking import counted, stored, thread, types_of
from ticketing.errors import Conflict, InvalidInput, NotAllowed, NotFound
from ticketing.mongo.pages import PageRequest
from ticketing.mongo.repository import Document
from tickets.access import access_ticket
from tickets.attachments.lists import page_of_attachments
from tickets.attachments.services import add_attachment
from tickets.conversation.repository import CommentRepository
from tickets.conversation.services import add_comment
from tickets.merging.rules import AlreadySplit, first_words
from tickets.merging.services import merge_ticket, unmerge_ticket
from tickets.merging.splitting import preview_split, split_comment
from tickets.privacy.holds import place_hold
from tickets.privacy.redaction import redact_contributions
from tickets.privacy.rules import OnLegalHold
from tickets.repository import TicketRepository
from tickets.rules import TicketClosed
from tickets.services import change_ticket
from tickets.stats.services import differences

pytestmark = pytest.mark.django_db


def test_a_customers_answer_becomes_his_ticket_with_its_files(cast: Cast, amir: Actor, target: Document) -> None:
    change_ticket(amir, "1", {"followers": [cast.carl.pk], "priority": "high", "category": "Printers"})
    answer = add_comment(actor_of(cast.carl), "1", "## The *door* is stuck\n\nSince noon.")
    add_attachment(amir, "1", SimpleUploadedFile("door.txt", b"wood", "text/plain"), comment_id=answer["_id"])
    add_attachment(amir, "1", SimpleUploadedFile("fire.txt", b"hot", "text/plain"))

    opened = split_comment(amir, answer["_id"])

    assert (opened["number"], opened["title"]) == (2, "The door is stuck")
    assert (opened["description"], opened["created_by_id"]) == (answer["body"], cast.carl.pk)
    assert (opened["priority"], opened["category"], opened["status"]) == ("high", "Printers", "new")
    assert opened["related_ids"] == [target["_id"]]
    assert stored(target)["related_ids"] == [opened["_id"]]
    files = page_of_attachments(actor_of(cast.carl), opened, PageRequest(10)).rows
    assert [(row["name"], row["comment_id"]) for row in files] == [("door.txt", None)]
    assert counted(opened) == (0, 0, 1, 0)
    assert counted(target) == (1, 0, 1, 0)
    left = CommentRepository(cast.acme.pk).get(answer["_id"])
    assert (left["body"], left["split_into_id"]) == (answer["body"], opened["_id"])
    assert types_of(target)[-1] == types_of(opened)[-1] == "ticket.split"
    assert differences(cast.acme.pk) == {}
    with pytest.raises(AlreadySplit):
        split_comment(amir, answer["_id"])


def test_a_note_is_not_shown_to_the_customer(cast: Cast, amir: Actor, target: Document) -> None:
    note = add_comment(amir, "1", "Fraud suspected", "internal")
    add_attachment(amir, "1", SimpleUploadedFile("proof.txt", b"x", "text/plain"), comment_id=note["_id"])
    before = stored(target)

    assert preview_split(amir, note["_id"]).title == "Printer on fire"
    opened = split_comment(amir, note["_id"])

    assert (opened["title"], opened["description"]) == ("Printer on fire", "")
    assert opened["created_by_id"] == cast.carla.pk
    carla = actor_of(cast.carla)
    assert thread(carla, opened) == []
    assert page_of_attachments(carla, opened, PageRequest(10)).rows == []
    assert not {"fraud", "suspected"} & set(opened["public_terms"])
    assert thread(amir, opened) == ["Fraud suspected"]
    assert {"fraud", "suspected"} <= set(opened["all_terms"])
    assert counted(opened) == (0, 1, 0, 1)
    assert counted(target) == (0, 1, 0, 0)
    assert stored(target)["public_version"] == before["public_version"]
    assert access_ticket(carla, "2")["_id"] == opened["_id"]


def test_staffs_answer_becomes_the_requesters_ticket_under_the_given_title(
    cast: Cast, amir: Actor, target: Document
) -> None:
    answer = add_comment(amir, "1", "We also saw that your door is stuck")
    opened = split_comment(amir, answer["_id"], title="The door")
    assert (opened["title"], opened["description"], opened["created_by_id"]) == ("The door", "", cast.carla.pk)
    assert thread(actor_of(cast.carla), opened) == [answer["body"]]
    assert counted(opened) == (1, 0, 0, 0)
    with pytest.raises(InvalidInput):
        split_comment(amir, add_comment(amir, "1", "More")["_id"], title="x" * 201)
    assert TicketRepository(cast.acme.pk).count({}) == 2


def test_what_cannot_be_split_is_refused(cast: Cast, amir: Actor, target: Document) -> None:
    answer = add_comment(actor_of(cast.carla), "1", "The door is stuck")
    with pytest.raises(NotAllowed):
        split_comment(actor_of(cast.carla), answer["_id"])
    with pytest.raises(NotFound):
        split_comment(actor_of(cast.gus), answer["_id"])
    hold = place_hold(actor_of(cast.ada), target="ticket", reference="1", reason="A lawsuit")
    with pytest.raises(OnLegalHold) as refused:
        split_comment(amir, answer["_id"])
    assert refused.value.data["hold"] == hold["_id"]


def test_nothing_is_made_of_what_was_removed_or_is_closed(cast: Cast, amir: Actor, target: Document) -> None:
    answer = add_comment(actor_of(cast.carla), "1", "The door is stuck")
    redact_contributions(amir, target["_id"], cast.carla.pk, "erasure")
    with pytest.raises(Conflict, match="removed"):
        split_comment(amir, answer["_id"])
    other = add_comment(actor_of(cast.carla), "1", "The window too")
    change_ticket(amir, "1", {"status": "closed"})
    with pytest.raises(TicketClosed):
        split_comment(amir, other["_id"])
    assert TicketRepository(cast.acme.pk).count({}) == 1


def test_files_that_went_to_another_ticket_do_not_return_with_a_merge_taken_back(
    cast: Cast, amir: Actor, target: Document, duplicate: Document
) -> None:
    merge_ticket(amir, "2", "1")
    flames = CommentRepository(cast.acme.pk).find({"body": "Now flames"})[0]
    opened = split_comment(amir, flames["_id"])
    assert opened["created_by_id"] == cast.carl.pk
    unmerge_ticket(amir, "2")
    assert counted(opened) == (0, 0, 1, 0)
    assert counted(duplicate) == (1, 1, 0, 1)
    assert counted(target) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("\n> # Hello **you** and __me__ in snake_case\nmore", "Hello you and me in snake_case"),
        ("", ""),
        ("***\n---", ""),
        ("word " * 60, " ".join(["word"] * 39) + "…"),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_first_words(text: str, title: str) -> None:
    assert first_words(text) == title
