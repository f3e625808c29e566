"""Merging a duplicate into another ticket, and taking that back.

What was said and attached moves along and remembers where it came from (``moved_from_id``); the duplicate's own words
become a comment with the duplicate's id. So everything can be told apart again. Where the duplicate has merged tickets
itself, they are merged into the target too: whatever is merged names the ticket that it is to be read in, and no other.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from accounts.actor import Actor
from accounts.repository import UserRepository
from accounts.roles import Action
from tenants.repository import TenantRepository
from ticketing import clock
from ticketing.errors import Conflict, InvalidInput, NotFound
from ticketing.mongo import ObjectId
from ticketing.mongo.client import transactional
from ticketing.mongo.repository import Document
from tickets.access import access_ticket
from tickets.attachments.repository import AttachmentRepository
from tickets.conversation.models import Visibility
from tickets.conversation.repository import CommentRepository, thread_filter
from tickets.conversation.services import new_comment_document
from tickets.events.repository import NewEvent
from tickets.mentions.repository import MentionRepository
from tickets.merging import rules
from tickets.privacy.holds import check_may_move
from tickets.privacy.rules import remaining_terms
from tickets.repository import TicketRepository
from tickets.rules import participants, status_stamps
from tickets.search.rules import language_of
from tickets.workflow.rules import CLOSED
from tickets.writer import Change, store_change

_COUNTERS = ("comment_count", "internal_note_count", "attachment_count", "internal_attachment_count")


@dataclass(frozen=True, slots=True)
class Merge:
    """What merging two tickets would do. ``joining`` will follow the target, and so see it, from then on."""

    duplicate: Document
    target: Document
    joining: Sequence[ObjectId]


def preview_merge(actor: Actor, reference: str | ObjectId, into: str | ObjectId) -> Merge:
    """What ``merge_ticket`` would do, or why it would refuse; writes nothing. Raises as that does."""
    actor.check(Action.TICKETS_EDIT_ALL)
    duplicate = access_ticket(actor, reference)
    try:
        target = access_ticket(actor, into)
    except NotFound:
        raise InvalidInput.of("into", "is not a ticket of this tenant", "not_found") from None
    rules.check_mergeable(duplicate, target)
    check_may_move(actor, duplicate)
    joining = _joining(actor, duplicate, target)
    rules.check_followers(target, joining)
    return Merge(duplicate, target, joining)


@transactional
def merge_ticket(actor: Actor, reference: str | ObjectId, into: str | ObjectId) -> Document:
    """Closes a duplicate in favour of another open ticket and returns it: comments and files move there, and whoever
    took part in the duplicate follows the other one. Who answers on the duplicate afterwards answers there.

    Raises InvalidInput naming ``into``, NotFound, NotAllowed, AlreadyMerged, TicketClosed, TooMany, OnLegalHold.
    """
    TenantRepository().lock_holds(actor.tenant_id)
    merge = preview_merge(actor, reference, into)
    duplicate, target = merge.duplicate, merge.target
    brought = _merged_with(actor, duplicate)
    moved = Counter({name: duplicate[name] for name in _COUNTERS})
    moved["comment_count"] += 1
    _move_in(actor, duplicate, target)
    now = clock.now()
    taken_up = {
        "merged_ids": [*rules.merged_ids(target), duplicate["_id"], *(each["_id"] for each in brought)],
        "merged_follower_ids": [*rules.merged_follower_ids(target), *merge.joining],
        **_following(target, [*target["follower_ids"], *merge.joining]),
        **_terms(actor, target),
    }
    data = {"from": duplicate["_id"], "number": duplicate["number"]}
    store_change(actor, target, Change(taken_up, moved, events=[NewEvent("ticket.merged", data=data)]), now)
    for ticket in brought:
        _point_to(actor, ticket, target)
    closed = {
        **status_stamps(duplicate, CLOSED, now),
        "merged_into_id": target["_id"],
        "status_before_merge": duplicate["status"],
        **dict.fromkeys(_COUNTERS, 0),
        **_terms(actor, duplicate),
    }
    changes = {"status": (duplicate["status"], CLOSED)}
    event = NewEvent("ticket.merged", changes, {"into": target["_id"], "number": target["number"]})
    return store_change(actor, duplicate, Change(closed, events=[event]), now)


@transactional
def unmerge_ticket(actor: Actor, reference: str | ObjectId) -> Document:
    """Takes a merge back and returns the duplicate, in the status that it had: what came from it, or was answered on it
    since, is its own again, and who followed the other ticket only for it does so no more.

    Raises NotFound, NotAllowed, NotMerged, Conflict for a ticket whose texts were removed, OnLegalHold.
    """
    actor.check(Action.TICKETS_EDIT_ALL)
    TenantRepository().lock_holds(actor.tenant_id)
    duplicate = access_ticket(actor, reference)
    if duplicate.get("merged_into_id") is None:
        raise rules.NotMerged
    if duplicate["redacted_at"] is not None:
        raise Conflict("The texts of this ticket were removed; there is nothing left to take back")
    target = access_ticket(actor, duplicate["merged_into_id"])
    check_may_move(actor, target)
    returning = _merged_with(actor, duplicate, target)
    gone = [duplicate["_id"], *(each["_id"] for each in returning)]
    moved = _move_back(actor, duplicate, target, gone)
    now = clock.now()
    _let_go(actor, target, duplicate, gone, moved)
    for ticket in returning:
        _point_to(actor, ticket, duplicate)
    status = duplicate["status_before_merge"]
    restored = {
        **rules.reopened_fields(duplicate),
        "merged_ids": gone[1:],
        **{name: moved[name] for name in _COUNTERS},
        **_terms(actor, duplicate),
    }
    data = {"from": target["_id"], "number": target["number"]}
    event = NewEvent("ticket.unmerged", {"status": (duplicate["status"], status)}, data)
    return store_change(actor, duplicate, Change(restored, events=[event]), now)


def _joining(actor: Actor, duplicate: Document, target: Document) -> list[ObjectId]:
    """Who takes part in the duplicate alone; those who left the tenant follow nothing any more."""
    others = [id_ for id_ in duplicate["participant_ids"] if id_ not in target["participant_ids"]]
    found = UserRepository(actor.tenant_id).find_by_ids(others, fields=["is_active"])
    return [id_ for id_ in others if id_ in found and found[id_]["is_active"]]


def _following(ticket: Document, followers: list[ObjectId]) -> dict[str, Any]:
    return {"follower_ids": followers, "participant_ids": participants(ticket["created_by_id"], followers)}


def _merged_with(actor: Actor, duplicate: Document, target: Document | None = None) -> list[Document]:
    """The tickets that were merged into the duplicate before, as far as they are where it is."""
    where = (target or duplicate)["_id"]
    found = TicketRepository(actor.tenant_id).find_by_ids(rules.merged_ids(duplicate))
    return [ticket for ticket in found.values() if ticket["merged_into_id"] == where]


def _point_to(actor: Actor, ticket: Document, target: Document) -> None:
    """A ticket that was merged before is to be read in another one from now on."""
    data = {"into": target["_id"], "number": target["number"]}
    change = Change({"merged_into_id": target["_id"]}, events=[NewEvent("ticket.merged", data=data)], internal=True)
    store_change(actor, ticket, change, clock.now())


def _move_in(actor: Actor, duplicate: Document, target: Document) -> None:
    of_duplicate = {"ticket_id": duplicate["_id"]}
    for repository in (CommentRepository(actor.tenant_id), AttachmentRepository(actor.tenant_id)):
        repository.update_all({**of_duplicate, "moved_from_id": None}, {"moved_from_id": duplicate["_id"]})
        repository.update_all(of_duplicate, {"ticket_id": target["_id"]})
    MentionRepository(actor.tenant_id).update_all(of_duplicate, {"ticket_id": target["_id"]})
    words = rules.text_of_ticket(duplicate["title"], duplicate["description"])
    own = (duplicate["created_by_id"], words, Visibility.PUBLIC.value, duplicate["created_at"])
    described = new_comment_document(target["_id"], *own)
    CommentRepository(actor.tenant_id).insert({**described, "_id": duplicate["_id"], "moved_from_id": duplicate["_id"]})


def _move_back(actor: Actor, duplicate: Document, target: Document, gone: list[ObjectId]) -> Counter[str]:
    """Gives the duplicate what is its own, and what came with it, again; tells how much of each there is."""
    comments, files = CommentRepository(actor.tenant_id), AttachmentRepository(actor.tenant_id)
    comments.delete({"_id": duplicate["_id"]})
    files.update_all({"comment_id": duplicate["_id"]}, {"comment_id": None})
    came = {"ticket_id": target["_id"], "moved_from_id": {"$in": gone}}
    said = comments.find(came, fields=["visibility"])
    attached = files.find(came, fields=["visibility"])
    for repository in (comments, files):
        repository.update_all(came, {"ticket_id": duplicate["_id"]})
        repository.update_all(
            {"ticket_id": duplicate["_id"], "moved_from_id": duplicate["_id"]}, {"moved_from_id": None}
        )
    about = {"ticket_id": target["_id"], "comment_id": {"$in": [comment["_id"] for comment in said]}}
    MentionRepository(actor.tenant_id).update_all(about, {"ticket_id": duplicate["_id"]})
    return _counted(said, "comment_count", "internal_note_count") + _counted(
        attached, "attachment_count", "internal_attachment_count"
    )


def _let_go(actor: Actor, target: Document, duplicate: Document, gone: list[ObjectId], moved: Counter[str]) -> None:
    """The target without what went back, and without the comment that stood for the duplicate's own words."""
    tickets = TicketRepository(actor.tenant_id)
    staying = [id_ for id_ in rules.merged_ids(target) if id_ not in gone]
    # One of those may have brought the duplicate along: it must not take it back one day.
    tickets.update_all({"_id": {"$in": staying}}, {}, operators={"$pullAll": {"merged_ids": gone}})
    left = set(rules.leaving(target, tickets.find_by_ids(staying, fields=["participant_ids"]).values()))
    fields = {
        "merged_ids": staying,
        "merged_follower_ids": [id_ for id_ in rules.merged_follower_ids(target) if id_ not in left],
        **_following(target, [id_ for id_ in target["follower_ids"] if id_ not in left]),
        **_terms(actor, target),
    }
    decrements = {name: -moved[name] for name in _COUNTERS}
    decrements["comment_count"] -= 1
    event = NewEvent("ticket.unmerged", data={"into": duplicate["_id"], "number": duplicate["number"]})
    store_change(actor, target, Change(fields, decrements, events=[event]), clock.now())


def _counted(rows: Iterable[Document], public: str, internal: str) -> Counter[str]:
    return Counter(internal if row["visibility"] == Visibility.INTERNAL.value else public for row in rows)


def _terms(actor: Actor, ticket: Document) -> Document:
    """The ticket's words as its thread is now."""
    where = thread_filter(ticket["_id"], internal=True)
    thread = CommentRepository(actor.tenant_id).find(where, fields=["body", "visibility"])
    return remaining_terms(ticket, thread, language_of(actor.tenant.locale))
