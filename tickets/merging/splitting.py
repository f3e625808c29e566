"""Making a ticket of its own out of a comment that is about something else."""

from collections import Counter
from dataclasses import dataclass

from accounts.actor import Actor
from accounts.repository import UserRepository
from accounts.roles import Action, Role
from tenants.repository import TenantRepository
from ticketing import clock
from ticketing.errors import Conflict, Message
from ticketing.mongo import ObjectId
from ticketing.mongo.client import transactional
from ticketing.mongo.repository import Document
from tickets.access import access_ticket
from tickets.attachments.repository import AttachmentRepository
from tickets.conversation.models import Visibility
from tickets.conversation.repository import CommentRepository
from tickets.conversation.services import access_comment, new_comment_document
from tickets.events.repository import NewEvent
from tickets.merging import rules
from tickets.merging.linking import store_link
from tickets.privacy.holds import check_may_move
from tickets.repository import TicketRepository
from tickets.rules import REMOVED, check_open, clean_title
from tickets.search.rules import language_of, terms_of
from tickets.services import open_ticket
from tickets.writer import Change, store_change


@dataclass(frozen=True, slots=True)
class Split:
    """What a split would make: a ticket of this title for this requester, whose description is the comment; where
    somebody else wrote it, or it is internal, it is a comment there too."""

    ticket: Document
    comment: Document
    title: str
    requester_id: ObjectId

    @property
    def is_description(self) -> bool:
        return _is_own(self.comment, self.requester_id)


def preview_split(actor: Actor, comment_id: str | ObjectId) -> Split:
    """What ``split_comment`` would make without a title, or why it would refuse; writes nothing and raises as that."""
    actor.check(Action.TICKETS_CREATE_FOR_OTHERS)
    actor.check(Action.COMMENTS_READ_PUBLIC)  # which a key may lack: the new ticket shows what the comment says
    comment = access_comment(actor, comment_id)
    ticket = TicketRepository(actor.tenant_id).get(comment["ticket_id"])
    check_open(ticket["status"])
    if comment.get("split_into_id") is not None:
        raise rules.AlreadySplit(data={"split_into": comment["split_into_id"]})
    if comment["body"] == REMOVED:
        raise Conflict("The comment's text was removed")
    rules.check_related(ticket)
    check_may_move(actor, ticket)
    requester_id = _requester(actor, ticket, comment)
    # The requester reads the title, and it is erased with him: only his own words may be in it.
    words = rules.first_words(comment["body"]) if _is_own(comment, requester_id) else ""
    return Split(ticket, comment, words or ticket["title"], requester_id)


@transactional
def split_comment(actor: Actor, comment_id: str | ObjectId, *, title: str = "") -> Document:
    """Opens a ticket out of a comment and returns it; the comment's files move there, and both tickets are linked.

    Its requester is the customer who wrote the comment, or else that of the ticket. What the requester wrote becomes
    the description; anything else, a note above all, becomes a comment of the same author and visibility. ``title`` is
    made of the description's first words where it is empty, or else the ticket's. Raises InvalidInput, NotFound,
    NotAllowed, TicketClosed, AlreadySplit, Conflict for a comment whose text was removed, TooMany, OnLegalHold.
    """
    TenantRepository().lock_holds(actor.tenant_id)
    split = preview_split(actor, comment_id)
    ticket, comment = split.ticket, split.comment
    opened = open_ticket(
        actor,
        title=clean_title(title) if title else split.title,
        description=comment["body"] if split.is_description else "",
        requester=split.requester_id,
        priority=ticket["priority"],
        category=ticket["category"],
        type=ticket["type"],
    )
    opened = store_link(actor, opened, ticket)
    copy_id = None if split.is_description else _copy(actor, opened, comment)
    files = _move_files(actor, opened, comment, copy_id)
    _tell_new(actor, opened, ticket, split, files)
    CommentRepository(actor.tenant_id).update_where({"_id": comment["_id"]}, {"split_into_id": opened["_id"]})
    ticket = store_link(actor, ticket, opened)
    _tell_old(actor, ticket, opened, split, files)
    return access_ticket(actor, opened["_id"])


def _requester(actor: Actor, ticket: Document, comment: Document) -> ObjectId:
    author = UserRepository(actor.tenant_id).find_one(
        {"_id": comment["author_id"], "role": Role.USER.value, "is_active": True}, fields=["_id"]
    )
    requester_id: ObjectId = ticket["created_by_id"] if author is None else author["_id"]
    return requester_id


def _is_own(comment: Document, requester_id: ObjectId) -> bool:
    """Whether the requester wrote it, for others to read."""
    return bool(comment["author_id"] == requester_id and comment["visibility"] == Visibility.PUBLIC.value)


def _copy(actor: Actor, opened: Document, comment: Document) -> ObjectId:
    """The comment on the new ticket, as it was written: by the same person, at the same time."""
    copy = new_comment_document(
        opened["_id"], comment["author_id"], comment["body"], comment["visibility"], comment["created_at"]
    )
    same = {name: comment[name] for name in ("body_html", "mention_ids") if name in comment}
    copy_id: ObjectId = CommentRepository(actor.tenant_id).insert(copy | same)["_id"]
    return copy_id


def _move_files(actor: Actor, opened: Document, comment: Document, copy_id: ObjectId | None) -> Counter[str]:
    attachments = AttachmentRepository(actor.tenant_id)
    where = {"ticket_id": comment["ticket_id"], "comment_id": comment["_id"]}
    moved = attachments.find(where, fields=["visibility"], limit=rules.MAX_MOVED + 1)
    if len(moved) > rules.MAX_MOVED:
        raise rules.TooMany(Message("The comment has more than {limit} files", limit=rules.MAX_MOVED))
    attachments.update_all(where, {"ticket_id": opened["_id"], "comment_id": copy_id, "moved_from_id": None})
    internal = Visibility.INTERNAL.value
    return Counter(
        "internal_attachment_count" if file["visibility"] == internal else "attachment_count" for file in moved
    )


def _tell_new(actor: Actor, opened: Document, ticket: Document, split: Split, files: Counter[str]) -> None:
    event = NewEvent("ticket.split", data={"from": ticket["_id"], "number": ticket["number"]})
    internal = split.comment["visibility"] == Visibility.INTERNAL.value
    change = Change(increments=dict(files), events=[event], internal=internal)
    if not split.is_description:
        change.increments["internal_note_count" if internal else "comment_count"] = 1
        change.terms = terms_of(split.comment["body"], language=language_of(actor.tenant.locale))
    store_change(actor, opened, change, clock.now())


def _tell_old(actor: Actor, ticket: Document, opened: Document, split: Split, files: Counter[str]) -> None:
    """Customers notice only that files have gone."""
    data = {"into": opened["_id"], "number": opened["number"], "comment_id": split.comment["_id"]}
    decrements = {name: -amount for name, amount in files.items()}
    internal = not files["attachment_count"]
    store_change(
        actor,
        ticket,
        Change(increments=decrements, events=[NewEvent("ticket.split", data=data)], internal=internal),
        clock.now(),
    )
