"""An answer as one press of the button sends it: text, files and changed fields, all of it or nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from accounts.actor import Actor
from ticketing.mongo import ObjectId
from ticketing.mongo.client import transactional
from ticketing.mongo.repository import Document
from tickets.access import access_ticket_to_edit
from tickets.attachments.uploads import Taken, attach_taken, taken_over
from tickets.conversation.models import Visibility
from tickets.conversation.services import add_comment
from tickets.services import change_ticket, check_version

_STORED_NAMES = {"assigned_to": "assigned_to_id", "team": "team_id"}


@dataclass(frozen=True, slots=True)
class Answer:
    """``changes`` are fields in the names of ``change_ticket``; one of them that is in ``seen`` is changed only while
    its stored value is the one that is there. ``upload_ids`` are uploads that have arrived."""

    body: str = ""
    visibility: str = Visibility.PUBLIC.value
    changes: Mapping[str, Any] = field(default_factory=dict)
    seen: Mapping[str, Any] = field(default_factory=dict)
    upload_ids: Sequence[ObjectId] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of an answer. ``ticket_id`` is where it went, ``comment_id`` None where there was no text, ``left``
    the fields that somebody else had changed meanwhile."""

    ticket_id: ObjectId
    comment_id: ObjectId | None
    left: Sequence[str]


class _Rehearsed(Exception):
    """Ends the transaction of a rehearsal, so that nothing of it is stored."""


def send_answer(
    actor: Actor,
    ticket_id: ObjectId,
    answer: Answer,
    *,
    expected_version: int | None = None,
    claim: Callable[[Sequence[str]], None] = lambda _: None,
) -> Sent:
    """Adds the comment with its files, or the files alone, and changes the fields, in one transaction.

    ``claim`` gets the names of the fields that are left, within the transaction and before anything is written. Raises
    StaleVersion when the ticket is not the one that the person was looking at, and as ``add_comment``,
    ``complete_upload`` and ``change_ticket`` do.
    """
    with taken_over(actor, ticket_id, answer.upload_ids) as files:
        return _send(actor, ticket_id, answer, files, expected_version, claim)


def rehearse_answer(actor: Actor, ticket_id: ObjectId, answer: Answer) -> None:
    """Raises what sending it now would be refused with, but for its files; stores nothing."""

    @transactional
    def rehearse() -> None:
        _send(actor, ticket_id, answer, (), None, lambda _: None)
        raise _Rehearsed

    try:
        rehearse()
    except _Rehearsed:
        return


def values_of(ticket: Document, names: Mapping[str, Any]) -> dict[str, Any]:
    """The stored values of fields in the names of ``change_ticket``."""
    return {name: ticket.get(_STORED_NAMES.get(name, name)) for name in names}


@transactional
def _send(
    actor: Actor,
    ticket_id: ObjectId,
    answer: Answer,
    files: Sequence[Taken],
    expected_version: int | None,
    claim: Callable[[Sequence[str]], None],
) -> Sent:
    ticket = access_ticket_to_edit(actor, ticket_id)
    check_version(actor, ticket, expected_version)
    stored = values_of(ticket, answer.seen)
    left = [name for name in answer.changes if name in answer.seen and stored[name] != answer.seen[name]]
    claim(left)
    target, comment_id = ticket_id, None
    if answer.body.strip():
        comment = add_comment(actor, ticket_id, answer.body, answer.visibility)
        target, comment_id = comment["ticket_id"], comment["_id"]
    for file in files:
        attach_taken(actor, target, file, comment_id=comment_id, visibility=answer.visibility)
    changes = {name: value for name, value in answer.changes.items() if name not in left}
    if changes:
        change_ticket(actor, ticket_id, changes)
    return Sent(target, comment_id, left)
