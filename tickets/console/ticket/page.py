"""What the ticket page shows besides its form, read with a bounded number of queries."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from accounts.actor import Actor
from accounts.console.acting import actor_of
from accounts.models import Team
from ticketing.mongo import ObjectId
from ticketing.mongo.pages import PageRequest
from ticketing.mongo.repository import Document
from tickets.attachments.lists import page_of_attachments
from tickets.console.ticket.history import author, describe, named_ids
from tickets.conversation.lists import page_of_comments
from tickets.conversation.models import Visibility
from tickets.events.lists import page_of_events
from tickets.people import find_people

COMMENTS_SHOWN = 50
FILES_SHOWN = 100
EVENTS_SHOWN = 100


def ticket_context(request: HttpRequest, ticket: Any) -> dict[str, Any]:
    """The newest part of the conversation, or the part before ``?before=``, with the names of everybody in it."""
    actor = actor_of(request)
    before = request.GET.get("before", "")
    asked = PageRequest(COMMENTS_SHOWN, before=before, last=not before)
    page = page_of_comments(actor, {"_id": ticket.pk}, asked)
    authors = [comment["author_id"] for comment in page.rows]
    people = find_people(actor, [ticket.created_by_id, ticket.assigned_to_id, *authors])
    files = _files(actor, ticket)
    return {
        "requester": people.get(ticket.created_by_id),
        "files": files.get(None, []),
        "comments": [_comment(row, ticket, people) | {"files": files.get(row["_id"], [])} for row in page.rows],
        "earlier": page.before,
        "later": bool(before),
    }


def history_context(request: HttpRequest, ticket: Any) -> dict[str, Any]:
    """The newest part of the history, or the part before ``?before=``; the newest event comes first."""
    before = request.GET.get("before", "")
    page = events_of(request, ticket, PageRequest(EVENTS_SHOWN, before=before, last=not before))
    return {"events": described(request, reversed(page.rows)), "earlier": page.before}


def events_of(request: HttpRequest, ticket: Any, asked: PageRequest) -> Any:
    """A page of the ticket's events, oldest first. Raises InvalidInput for a bad cursor."""
    return page_of_events(actor_of(request), {"_id": ticket.pk}, asked)


def described(request: HttpRequest, events: Iterable[Document]) -> list[dict[str, Any]]:
    """The events in words, with the names of people and teams."""
    rows = list(events)
    ids = named_ids(rows)
    names: dict[ObjectId, str] = {}
    if ids:
        people = find_people(actor_of(request), ids)
        names = {id_: person["name"] for id_, person in people.items()}
        teams = Team.objects.filter(pk__in=[id_ for id_ in ids if id_ not in names])
        names |= {team["_id"]: team["name"] for team in teams.documents("name")}
    return [{"who": author(event), "what": describe(event, names), "at": event["at"]} for event in rows]


def _files(actor: Actor, ticket: Any) -> dict[ObjectId | None, list[dict[str, Any]]]:
    """The ticket's files by the comment that they came with, None for those that came with none."""
    found: dict[ObjectId | None, list[dict[str, Any]]] = {}
    if ticket.attachment_count + ticket.internal_attachment_count:
        for row in page_of_attachments(actor, {"_id": ticket.pk}, PageRequest(FILES_SHOWN)).rows:
            file = {
                "name": row["name"],
                "size": row["size"],
                "url": reverse("attachment", args=[row["_id"]]),
                "internal": row["visibility"] == Visibility.INTERNAL,
            }
            found.setdefault(row["comment_id"], []).append(file)
    return found


def _comment(row: Document, ticket: Any, people: dict[ObjectId, Document]) -> dict[str, Any]:
    person = people.get(row["author_id"])
    return {
        "id": row["_id"],
        "author": person["name"] if person else "",
        "html": row["body_html"],
        "internal": row["visibility"] == Visibility.INTERNAL,
        "by_requester": row["author_id"] == ticket.created_by_id,
        "at": row["created_at"],
        "edited_at": row["edited_at"],
    }
