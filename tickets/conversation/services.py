"""Answering, noting and editing."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings

from accounts.actor import Actor
from accounts.roles import Action
from ticketing import clock
from ticketing.errors import Message, NotAllowed, NotFound, StaleVersion
from ticketing.mongo import ObjectId
from ticketing.mongo.client import transactional
from ticketing.mongo.repository import Document
from tickets.access import access_ticket, access_ticket_to_answer, sees_internal
from tickets.conversation.markdown import render_markdown
from tickets.conversation.models import Visibility
from tickets.conversation.repository import CommentRepository, thread_filter
from tickets.events.repository import NewEvent
from tickets.mentions.services import find_mentioned, note_mentions
from tickets.rules import check_choice, check_open, clean_text, status_stamps
from tickets.search.rules import language_of, search_terms, terms_of
from tickets.workflow.services import workflow_of
from tickets.writer import Change, store_change


@transactional
def add_comment(
    actor: Actor, reference: str | ObjectId, body: str, visibility: str = Visibility.PUBLIC.value
) -> Document:
    """Adds an answer or an internal note to a ticket and returns it.

    A public answer may move the ticket: a customer's reopens a pending or resolved one, staff's opens a new one.
    A note may name colleagues (tickets.mentions). On a merged ticket it is added to the one that this was merged into.
    Raises InvalidInput, NotFound, NotAllowed, TicketClosed.
    """
    ticket, moved_from_id = access_ticket_to_answer(actor, reference)
    check_choice("visibility", visibility, Visibility.values)
    actor.check(Action.COMMENTS_ADD_INTERNAL if visibility == Visibility.INTERNAL else Action.COMMENTS_ADD_PUBLIC)
    body = clean_text(body, "body", required=True)
    check_open(ticket["status"])
    now = clock.now()
    mentioned = find_mentioned(actor, body) if visibility == Visibility.INTERNAL else {}
    comment = new_comment_document(ticket["_id"], actor.user_id, body, visibility, now, mentioned)
    comment |= {"_id": ObjectId(), "moved_from_id": moved_from_id}
    # The ticket first: whoever meets another writer at it has done nothing in vain.
    ticket = store_change(actor, ticket, change_by_comment(actor, ticket, comment), now)
    comment = CommentRepository(actor.tenant_id).insert(comment)
    if mentioned:
        note_mentions(actor, ticket, comment)
    return comment


@transactional
def edit_comment(actor: Actor, comment_id: str | ObjectId, body: str, expected_version: int | None = None) -> Document:
    """Replaces the text of the actor's own comment within the allowed minutes; the old text stays in the history.

    Raises InvalidInput, NotFound, NotAllowed, StaleVersion, TicketClosed.
    """
    actor.check(Action.COMMENTS_EDIT_OWN)
    comment = access_comment(actor, comment_id)
    body = clean_text(body, "body", required=True)
    now = clock.now()
    _check_editable(actor, comment)
    if expected_version not in (None, comment["version"]):
        raise StaleVersion(data={"current_version": comment["version"]})
    ticket = access_ticket(actor, comment["ticket_id"])
    check_open(ticket["status"])
    if body == comment["body"]:
        return comment
    comments = CommentRepository(actor.tenant_id)
    mentioned = find_mentioned(actor, body) if _is_internal(comment) else {}
    edited = comments.update(
        comment["_id"],
        {**_texts(body, mentioned), "edited_at": now},
        expected_version=comment["version"],
    )
    event = NewEvent("comment.edited", {"body": (comment["body"], body)}, {"comment_id": comment["_id"]})
    thread = comments.find(thread_filter(ticket["_id"], internal=True), fields=["body", "visibility"])
    language = language_of(actor.tenant.locale)
    terms = search_terms(ticket["number"], ticket["title"], ticket["description"], thread, language)
    change = Change(terms, events=[event], internal=_is_internal(comment))
    ticket = store_change(actor, ticket, change, now)
    if edited["mention_ids"] or comment.get("mention_ids"):
        note_mentions(actor, ticket, edited)
    return edited


def access_comment(actor: Actor, comment_id: str | ObjectId) -> Document:
    """A comment that the actor may read, on a ticket that he may read. Raises NotFound otherwise, always the same."""
    missing = NotFound("The comment does not exist")
    comment = None
    if ObjectId.is_valid(comment_id):
        comment = CommentRepository(actor.tenant_id).find_one({"_id": ObjectId(comment_id)})
    if comment is None or (_is_internal(comment) and not sees_internal(actor)):
        raise missing
    try:
        access_ticket(actor, comment["ticket_id"])
    except NotFound:
        raise missing from None
    return comment


def new_comment_document(
    ticket_id: ObjectId,
    author_id: ObjectId | None,
    body: str,
    visibility: str,
    at: datetime,
    mentioned: Mapping[str, ObjectId] | None = None,
) -> Document:
    """A complete new comment; ``body`` is cleaned already, ``mentioned`` is whom it names by address."""
    return {
        "ticket_id": ticket_id,
        "author_id": author_id,
        "visibility": visibility,
        **_texts(body, mentioned or {}),
        "created_at": at,
        "edited_at": None,
        "version": 1,
        "external_id": None,
        "moved_from_id": None,
        "split_into_id": None,
    }


def change_by_comment(actor: Actor, ticket: Document, comment: Document) -> Change:
    """What a new comment brings with it: counters, words, the first response, and the status it moves the ticket to."""
    internal = _is_internal(comment)
    change = Change(
        increments={"internal_note_count" if internal else "comment_count": 1},
        terms=terms_of(comment["body"], language=language_of(actor.tenant.locale)),
        events=[NewEvent("comment.added", {}, {"comment_id": comment["_id"], "visibility": comment["visibility"]})],
        internal=internal,
    )
    if internal:
        return change
    workflow = workflow_of(actor.tenant)
    if actor.is_staff and ticket["first_responded_at"] is None:
        change.fields["first_responded_at"] = comment["created_at"]
    moves = workflow.on_staff_answer if actor.is_staff else workflow.on_customer_answer
    target = moves.get(ticket["status"])
    if target is not None:
        change.fields.update(status_stamps(ticket, target, comment["created_at"]))
        change.events.append(NewEvent("ticket.status_changed", {"status": (ticket["status"], target)}))
    return change


def _texts(body: str, mentioned: Mapping[str, ObjectId]) -> Document:
    """What a comment keeps of its text."""
    html = render_markdown(body, mentioned)
    return {"body": body, "body_html": html, "mention_ids": list(dict.fromkeys(mentioned.values()))}


def _check_editable(actor: Actor, comment: Document) -> None:
    if actor.user_id is None or comment["author_id"] != actor.user_id:
        raise NotAllowed("Only its author may edit a comment")
    if comment["_id"] == comment.get("moved_from_id"):
        raise NotAllowed("This is what a merged ticket says; take the merge back to change it")
    minutes: int = settings.COMMENT_EDIT_MINUTES
    if clock.now() - comment["created_at"] > timedelta(minutes=minutes):
        text = "A comment can be edited for {minutes} minutes; add another one instead"
        raise NotAllowed(Message(text, minutes=minutes))


def _is_internal(comment: Document) -> bool:
    internal: bool = comment["visibility"] == Visibility.INTERNAL.value
    return internal
