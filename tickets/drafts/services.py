"""Keeping what somebody writes, and sending it a little later, so that it can be taken back.

A draft is its author's alone. Between ``schedule_draft`` and its ``send_at`` it can be taken back; then the author's
browser sends it (``send_draft``), or the job does (``send_due``) where nobody's browser is there any more. Whoever
comes first takes the draft away in the transaction that writes the answer, so there is one answer.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from accounts.actor import Actor, Via
from accounts.roles import Action
from accounts.sessions import find_account
from ticketing import clock
from ticketing.errors import (
    AlreadyExists,
    Conflict,
    InvalidInput,
    Message,
    StaleVersion,
    StorageUnavailable,
    TicketingError,
    from_stored,
    to_stored,
)
from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Document
from tickets.access import access_ticket, access_ticket_to_edit
from tickets.attachments.uploads import find_uploads, keep_uploads
from tickets.conversation.models import Visibility
from tickets.drafts.repository import DraftRepository
from tickets.drafts.sending import Answer, Sent, rehearse_answer, send_answer, values_of
from tickets.rules import FIELD_NAMES, check_choice, clean_text
from tickets.services import check_version

logger = logging.getLogger("ticketing.drafts")

UNDO_SECONDS = 10
# How much later than the author's browser the job sends, so that it never comes before "Undo" has gone.
GRACE = timedelta(seconds=5)
MAX_FILES = 20
MAX_PROBLEMS = 20

_WRITING: Document = {"changes": {}, "seen": {}, "send_at": None}


class AlreadySent(Conflict):
    """It cannot be taken back any more."""

    code, title = "already_sent", "It was sent already"


class OnItsWay(Conflict):
    """Take it back before you change it."""

    code, title = "on_its_way", "It is being sent from another window; take it back there, or wait"


def find_draft(actor: Actor, ticket_id: ObjectId) -> Document | None:
    """What the actor writes on a ticket that he has accessed."""
    return DraftRepository(actor.tenant_id).find_of(actor.user_id, ticket_id)


def save_draft(
    actor: Actor,
    reference: str | ObjectId,
    *,
    body: str,
    visibility: str = Visibility.PUBLIC.value,
    upload_ids: Sequence[ObjectId] | None = None,
    expected_version: int | None = None,
) -> Document | None:
    """Keeps what the actor has written so far and returns the draft; None where there is nothing to keep.

    ``upload_ids`` None leaves the files as they are. ``expected_version`` is that of the draft the text goes back to,
    0 where there was none, None where it does not matter. Raises InvalidInput, NotFound, NotAllowed, OnItsWay, and
    StaleVersion when another window has written meanwhile.
    """
    actor.check(Action.TICKETS_EDIT_ALL)
    ticket = access_ticket(actor, reference)
    found = _find_writable(actor, ticket, expected_version)
    content = _content(
        actor, ticket, body, visibility, (found or {}).get("upload_ids", ()) if upload_ids is None else upload_ids
    )
    if content["body"].strip() or content["upload_ids"]:
        return _store(actor, ticket, found, content | _WRITING)
    if found is not None:
        DraftRepository(actor.tenant_id).delete({"_id": found["_id"], "version": found["version"]})
    return None


def schedule_draft(
    actor: Actor,
    reference: str | ObjectId,
    answer: Answer,
    *,
    ticket_version: int | None = None,
    expected_version: int | None = None,
) -> Document:
    """Has the answer sent in UNDO_SECONDS, and returns its draft. What would be refused is refused now.

    ``ticket_version`` is the version that the actor was looking at. Raises as ``send_answer`` and ``save_draft``.
    """
    actor.check(Action.TICKETS_EDIT_ALL)
    ticket = access_ticket_to_edit(actor, reference)
    check_version(actor, ticket, ticket_version)
    found = _find_writable(actor, ticket, expected_version)
    content = _content(actor, ticket, answer.body, answer.visibility, answer.upload_ids)
    if len(content["upload_ids"]) < len(answer.upload_ids):
        raise InvalidInput.of("attachments", "a file has expired; add it again", "expired")
    if not content["body"].strip() and not content["upload_ids"]:
        raise InvalidInput.of("body", "may not be empty", "blank")
    rehearse_answer(actor, ticket["_id"], answer)
    send_at = clock.now() + timedelta(seconds=UNDO_SECONDS)
    waiting = {"changes": dict(answer.changes), "seen": values_of(ticket, answer.changes), "send_at": send_at}
    return _store(actor, ticket, found, content | waiting | to_stored("problem", ""))


def take_back(actor: Actor, reference: str | ObjectId) -> Document:
    """Stops an answer that is waiting to be sent and returns its draft. Raises AlreadySent."""
    actor.check(Action.TICKETS_EDIT_ALL)
    draft = _find_waiting(actor, reference)
    taken = DraftRepository(actor.tenant_id).settle(draft, {"send_at": None})
    if taken is None:
        raise AlreadySent
    return taken


def send_draft(actor: Actor, reference: str | ObjectId) -> Sent:
    """Sends an answer that is waiting, now. Raises AlreadySent, and as ``send_answer``; then it is a draft again, which
    says why."""
    actor.check(Action.TICKETS_EDIT_ALL)
    return _deliver(actor, _find_waiting(actor, reference))


def send_due(tenant_id: ObjectId) -> int:
    """Sends what nobody's browser has sent, as its authors, and tells how many; 0 when there is no more."""
    due = DraftRepository(tenant_id).due(last_due())
    for draft in due:
        account = find_account(tenant_id, draft["author_id"])
        try:
            if account is None:
                raise Conflict("The account of its author is not active")
            _deliver(account.actor(Via.CONSOLE), draft)
        except StorageUnavailable:
            raise
        except TicketingError as error:
            _keep(tenant_id, draft, error.detail)
        except Exception:  # one that always fails must not keep the others waiting, nor be tried for ever
            logger.exception("could not send the draft %s", draft["_id"])
            _keep(tenant_id, draft, Message("It could not be sent; the error is in the platform's log"))
    return len(due)


def last_due() -> datetime:
    """What was to be sent by then, and was not, is the job's to send."""
    return clock.now() - GRACE


def discard_draft(actor: Actor, ticket_id: ObjectId, *, expected_version: int | None = None) -> None:
    """Removes what the actor writes on a ticket that he has accessed, unless it is not of the version that is expected.

    Raises OnItsWay where it is waiting to be sent.
    """
    found = find_draft(actor, ticket_id)
    if found and found["send_at"] is not None:
        raise OnItsWay
    own: Document = {"author_id": actor.user_id, "ticket_id": ticket_id, "send_at": None}
    if expected_version is not None:
        own["version"] = expected_version
    DraftRepository(actor.tenant_id).delete(own)


def find_problems(actor: Actor) -> list[Document]:
    """The actor's drafts that could not be sent as they were meant to."""
    problems = {"author_id": actor.user_id, "problem": {"$gt": ""}}
    return DraftRepository(actor.tenant_id).find(problems, sort=[("ticket_id", 1)], limit=MAX_PROBLEMS)


def problem_of(draft: Document) -> str:
    """Why it could not be sent, empty where nothing is wrong."""
    return from_stored("problem", draft)


def _find_writable(actor: Actor, ticket: Document, expected_version: int | None) -> Document | None:
    found = find_draft(actor, ticket["_id"])
    version = found["version"] if found else 0
    if expected_version not in (None, version):
        raise StaleVersion("Another window has changed what you write here", data={"current_version": version})
    if found and found["send_at"] is not None:
        raise OnItsWay
    return found


def _find_waiting(actor: Actor, reference: str | ObjectId) -> Document:
    draft = find_draft(actor, access_ticket(actor, reference)["_id"])
    if draft is None or draft["send_at"] is None:
        raise AlreadySent
    return draft


def _content(
    actor: Actor, ticket: Document, body: str, visibility: str, upload_ids: Sequence[ObjectId]
) -> dict[str, Any]:
    """The draft's content, checked; files that have expired are left out."""
    if len(upload_ids) > MAX_FILES:
        raise InvalidInput.of("attachments", Message("are more than {limit}", limit=MAX_FILES), "max_length")
    uploads = find_uploads(actor, ticket, list(upload_ids))
    keep_uploads(actor, uploads)
    return {
        "body": clean_text(body, "body"),
        "visibility": check_choice("visibility", visibility, Visibility.values),
        "upload_ids": [upload["_id"] for upload in uploads],
    }


def _store(actor: Actor, ticket: Document, found: Document | None, values: Document) -> Document:
    drafts = DraftRepository(actor.tenant_id)
    values = {**values, "updated_at": clock.now()}
    if found is not None:
        return drafts.update(found["_id"], values, expected_version=found["version"])
    owner = {"author_id": actor.user_id, "ticket_id": ticket["_id"]}
    try:
        return drafts.insert({**owner, **to_stored("problem", ""), "version": 1, **values})
    except AlreadyExists:
        raise StaleVersion("Another window has changed what you write here") from None


def _deliver(actor: Actor, draft: Document) -> Sent:
    drafts = DraftRepository(actor.tenant_id)

    def claim(left: Sequence[str]) -> None:
        told = {**_WRITING, "body": "", "upload_ids": [], **to_stored("problem", _tell_left(left))}
        if not (drafts.settle(draft, told) if left else drafts.remove_sent(draft)):
            raise AlreadySent

    answer = Answer(**{name: draft[name] for name in Answer.__dataclass_fields__})
    try:
        return send_answer(actor, draft["ticket_id"], answer, claim=claim)
    except (AlreadySent, StorageUnavailable):
        raise
    except TicketingError as error:
        _keep(actor.tenant_id, draft, error.detail)
        raise


def _keep(tenant_id: ObjectId, draft: Document, problem: str) -> None:
    """Makes it a draft again that says why it was not sent; nothing where it was sent or taken back already."""
    DraftRepository(tenant_id).settle(draft, {"send_at": None, **to_stored("problem", problem)})


def _tell_left(names: Sequence[str]) -> str:
    text = "It was sent, but somebody changed this meanwhile, so it was left as it is: {fields}"
    return Message(text, fields=tuple(FIELD_NAMES[name] for name in names))
