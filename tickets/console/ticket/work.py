"""What the buttons of the ticket page do without scripts."""

from collections.abc import Iterable
from typing import Any

from accounts.actor import Actor
from ticketing.console.refusals import explain
from ticketing.errors import Conflict, StaleVersion, TicketingError
from ticketing.mongo import ObjectId
from tickets.attachments.services import add_attachment
from tickets.drafts.sending import Answer, Sent, send_answer
from tickets.drafts.services import OnItsWay, discard_draft, find_draft, save_draft
from tickets.rules import clean_text


def work_on_ticket(
    actor: Actor, ticket_id: ObjectId, answer: Answer, files: Iterable[Any], *, expected_version: int | None
) -> list[str]:
    """Adds the answer or note, if there is one, and changes the fields, both or neither; then adds the files.

    Returns why, for each file that was refused. Raises as ``send_answer``.
    """
    sent = send_answer(
        actor,
        ticket_id,
        answer,
        expected_version=expected_version,
        claim=lambda _left: discard_draft(actor, ticket_id),
    )
    return _attach(actor, sent, files, answer.visibility)


def keep_text(actor: Actor, ticket_id: ObjectId, answer: Answer, *, draft_version: int | None) -> None:
    """Keeps as the draft what is typed where the fields alone are changed.

    Raises as ``save_draft``; where another window has written meanwhile Conflict, unless nothing here is missing there.
    """
    try:
        save_draft(
            actor,
            ticket_id,
            body=answer.body,
            visibility=answer.visibility,
            upload_ids=answer.upload_ids,
            expected_version=draft_version,
        )
    except (StaleVersion, OnItsWay) as error:
        draft = find_draft(actor, ticket_id) or {"body": "", "upload_ids": []}
        body = clean_text(answer.body, "body")
        if (body.strip() and body != draft["body"]) or set(answer.upload_ids) - set(draft["upload_ids"]):
            raise Conflict(error.detail) from error  # it is not the ticket that is stale


def _attach(actor: Actor, sent: Sent, files: Iterable[Any], visibility: str) -> list[str]:
    """A refused file takes nothing back: the answer is written already, and must not be written twice."""
    refused = []
    for file in files:
        try:
            add_attachment(actor, sent.ticket_id, file, comment_id=sent.comment_id, visibility=visibility)
        except TicketingError as error:
            refused.append(f"{file.name}: {explain(error)}")
    return refused
