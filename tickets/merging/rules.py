"""Pure rules of merging and splitting: what may be merged into what, and which text stands for a merged ticket."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ticketing.errors import Conflict, InvalidInput, Message
from tickets.rules import MAX_FOLLOWERS, MAX_TITLE, TicketClosed
from tickets.workflow.rules import CLOSED, UNRESOLVED

MAX_MOVED = 1000
MAX_MERGED = 50
MAX_RELATED = 50

_MARKDOWN = re.compile(r"^[\s#>+-]+|[*`]+|__+|~~+")
_COUNTERS = {
    Message("comments"): ("comment_count", "internal_note_count"),
    Message("files"): ("attachment_count", "internal_attachment_count"),
}


class AlreadyMerged(Conflict):
    """The ticket is merged into another one, which ``data`` names as ``merged_into``."""

    code, title = "already_merged", "The ticket was merged into another one"


class NotMerged(Conflict):
    code, title = "not_merged", "The ticket is not merged into another one"


class AlreadySplit(Conflict):
    code, title = "already_split", "A ticket was made of this comment already"


class TooMany(Conflict):
    """A bound of merging, splitting or linking is reached."""

    code, title = "too_many", "There are too many"


def check_mergeable(duplicate: Mapping[str, Any], target: Mapping[str, Any]) -> None:
    """Raises InvalidInput, AlreadyMerged, TicketClosed or TooMany unless the one may go into the other."""
    if duplicate["_id"] == target["_id"]:
        raise InvalidInput.of("into", "is the ticket itself", "same_ticket")
    for ticket in (duplicate, target):
        check_not_merged(ticket)
        if ticket["status"] == CLOSED:
            text = "#{number} is closed, which is final; it cannot be merged any more"
            raise TicketClosed(Message(text, number=ticket["number"]))
    for what, counters in _COUNTERS.items():
        if sum(duplicate[counter] for counter in counters) > MAX_MOVED:
            text = "#{number} has more than {limit} {what}; link the tickets instead"
            raise TooMany(Message(text, number=duplicate["number"], limit=MAX_MOVED, what=what))
    if len(merged_ids(target)) + len(merged_ids(duplicate)) >= MAX_MERGED:
        text = "More than {limit} tickets would be merged into #{number}"
        raise TooMany(Message(text, limit=MAX_MERGED, number=target["number"]))


def check_not_merged(ticket: Mapping[str, Any]) -> None:
    """Raises AlreadyMerged."""
    into = ticket.get("merged_into_id")
    if into is not None:
        text = Message("#{number} was merged into another ticket", number=ticket["number"])
        raise AlreadyMerged(text, data={"merged_into": into})


def check_related(ticket: Mapping[str, Any]) -> None:
    """Raises TooMany for a ticket that can have no further link."""
    if len(related_ids(ticket)) >= MAX_RELATED:
        text = "#{number} is linked to {limit} tickets, which is the most"
        raise TooMany(Message(text, number=ticket["number"], limit=MAX_RELATED))


def check_followers(ticket: Mapping[str, Any], joining: Sequence[Any]) -> None:
    """Raises TooMany where the target could not take everybody from the duplicate."""
    if len(ticket["follower_ids"]) + len(joining) > MAX_FOLLOWERS:
        text = "#{number} would have more than {limit} followers"
        raise TooMany(Message(text, number=ticket["number"], limit=MAX_FOLLOWERS))


def merged_ids(ticket: Mapping[str, Any]) -> list[Any]:
    """The tickets merged into this one; the documents of earlier releases have no such field."""
    return list(ticket.get("merged_ids") or ())


def related_ids(ticket: Mapping[str, Any]) -> list[Any]:
    """The tickets that this one is linked to."""
    return list(ticket.get("related_ids") or ())


def merged_follower_ids(ticket: Mapping[str, Any]) -> list[Any]:
    """Who follows the ticket only for what was merged into it."""
    return list(ticket.get("merged_follower_ids") or ())


def leaving(ticket: Mapping[str, Any], staying: Iterable[Mapping[str, Any]]) -> list[Any]:
    """Who has no reason left to follow the ticket once only the tickets in ``staying`` are merged into it."""
    kept = {id_ for each in staying for id_ in each["participant_ids"]}
    return [id_ for id_ in merged_follower_ids(ticket) if id_ not in kept]


def text_of_ticket(title: str, description: str) -> str:
    """The comment that stands for a merged ticket's own words."""
    return f"{title}\n\n{description}" if description.strip() else title


def reopened_fields(ticket: Mapping[str, Any]) -> dict[str, Any]:
    """What gives a merged ticket its status of before back: as if it had never been closed."""
    before = ticket["status_before_merge"]
    fields: dict[str, Any] = {"status": before, "status_before_merge": None, "merged_into_id": None, "closed_at": None}
    return {**fields, "resolved_at": None} if before in UNRESOLVED else fields


def first_words(text: str) -> str:
    """A title made of a text: its first line that holds words, without Markdown's signs, cut at a word."""
    lines = (" ".join(_MARKDOWN.sub("", line).split()) for line in text.splitlines())
    line = next((line for line in lines if line), "")
    if len(line) <= MAX_TITLE:
        return line
    cut = line[: MAX_TITLE - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut) + "…"
