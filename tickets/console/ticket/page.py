"""What the ticket page shows besides its form, read with a bounded number of queries."""

from collections.abc import Iterable, Mapping
from typing import Any
from zlib import crc32

from django.http import HttpRequest
from django.urls import reverse

from accounts.actor import Actor
from accounts.console.acting import actor_of
from accounts.models import Team
from ticketing.console.display import badge
from ticketing.mongo import ObjectId
from ticketing.mongo.pages import PageRequest
from ticketing.mongo.repository import Document
from tickets.attachments.lists import page_of_attachments
from tickets.console.choices import people_and_choices
from tickets.console.ticket.history import author, describe, named_ids
from tickets.console.ticket.merging import Linked, find_linked
from tickets.console.ticket.merging import context_of as merging_context
from tickets.conversation.lists import page_of_comments
from tickets.conversation.models import Visibility
from tickets.events.lists import page_of_events
from tickets.models import Status
from tickets.people import find_people

COMMENTS_SHOWN = 50
FILES_SHOWN = 1000  # more than the comments of a page bring
EVENTS_SHOWN = 100
_TEXTS = ("title", "description", "type")
_SIDE = ("status", "priority", "assigned_to", "team", "category", "tags")
# Material symbols for the kinds of files, by how the type that their first bytes show begins.
_ICONS = {
    "image/": "image",
    "audio/": "audio_file",
    "video/": "video_file",
    "application/pdf": "picture_as_pdf",
    "application/zip": "folder_zip",
    "application/gzip": "folder_zip",
    "application/x-7z": "folder_zip",
    "application/vnd.ms-excel": "table",
    "application/vnd.openxmlformats-officedocument.spreadsheet": "table",
    "text/csv": "table",
    "text/": "description",
}


def ticket_context(request: HttpRequest, ticket: Any, also: Iterable[ObjectId] = ()) -> dict[str, Any]:
    """The newest part of the conversation, or the part before ``?before=``, with the names of everybody in it.

    ``people`` are those, the followers, the staff and whoever is ``also`` named.
    """
    actor = actor_of(request)
    before = request.GET.get("before", "")
    asked = PageRequest(COMMENTS_SHOWN, before=before, last=not before)
    page = page_of_comments(actor, {"_id": ticket.pk}, asked)
    named = [id_ for comment in page.rows for id_ in (comment["author_id"], *comment.get("mention_ids", ()))]
    own = (ticket.created_by_id, ticket.assigned_to_id, *ticket.follower_ids)
    people = people_and_choices(request, [*own, *named, *also])
    files, has_older_files = _files(actor, ticket, [row["_id"] for row in page.rows])
    linked = find_linked(request, ticket, page.rows)
    return {
        **merging_context(request, ticket, linked),
        "original": ticket,
        "people": people,
        "requester": people.get(ticket.created_by_id),
        "files": files.get(None, []),
        "has_older_files": has_older_files,
        "description_revision": f"{crc32(ticket.description_html.encode())}-{len(files.get(None, []))}",
        "comments": [_comment(row, ticket, people, files.get(row["_id"], []), linked) for row in page.rows],
        "earlier": page.before,
        "later": bool(before),
        "followers": [people[id_] | {"id": id_} for id_ in ticket.follower_ids if id_ in people],
        "is_following": actor.user_id in ticket.follower_ids,
        "is_mine": ticket.assigned_to_id is not None and ticket.assigned_to_id == actor.user_id,
    }


def fields_context(ticket: Any, form: Any) -> dict[str, Any]:
    """The ticket's fields, as they are shown and as they are changed."""
    return {
        "side_fields": [form[name] for name in _SIDE],
        "text_fields": [form[name] for name in _TEXTS],
        "text_errors": form.is_bound and any(name in form.errors for name in _TEXTS),
        "closed": ticket.status == Status.CLOSED,
        "status_badge": badge(ticket.status, ticket.get_status_display()),
        "priority_badge": badge(ticket.priority, ticket.get_priority_display()),
    }


def history_context(request: HttpRequest, ticket: Any) -> dict[str, Any]:
    """The newest part of the history, or the part before ``?before=``; the newest event comes first."""
    before = request.GET.get("before", "")
    page = events_of(request, ticket, PageRequest(EVENTS_SHOWN, before=before, last=not before))
    return {"events": described(request, reversed(page.rows)), "earlier": page.before}


def events_of(request: HttpRequest, ticket: Any, asked: PageRequest) -> Any:
    """A page of the ticket's events, oldest first. Raises InvalidInput for a bad cursor."""
    return page_of_events(actor_of(request), {"_id": ticket.pk}, asked)


def described(
    request: HttpRequest, events: Iterable[Document], known: Mapping[ObjectId, str] | None = None
) -> list[dict[str, Any]]:
    """The events in words, with the names of people and teams; only those that are not ``known`` are looked up."""
    rows, names = list(events), dict(known or {})
    ids = [id_ for id_ in named_ids(rows) if id_ not in names]
    if ids:
        people = find_people(actor_of(request), ids)
        names |= {id_: person["name"] for id_, person in people.items()}
    ids = [id_ for id_ in ids if id_ not in names]
    if ids:
        names |= {team["_id"]: team["name"] for team in Team.objects.filter(pk__in=ids).documents("name")}
    return [{"who": author(event), "what": describe(event, names), "at": event["at"]} for event in rows]


def _files(
    actor: Actor, ticket: Any, comment_ids: Iterable[ObjectId]
) -> tuple[dict[ObjectId | None, list[dict[str, Any]]], bool]:
    """The files by the comment that they came with, None for those that came with none; and whether there are older
    ones of these."""
    found: dict[ObjectId | None, list[dict[str, Any]]] = {}
    if not ticket.attachment_count + ticket.internal_attachment_count:
        return found, False
    asked = PageRequest(FILES_SHOWN, last=True)
    page = page_of_attachments(actor, {"_id": ticket.pk}, asked, comment_ids=comment_ids)
    for row in page.rows:
        file = {
            "name": row["name"],
            "size": row["size"],
            "icon": _icon(row["sniffed_type"]),
            "url": reverse("attachment", args=[row["_id"]]),
            "internal": row["visibility"] == Visibility.INTERNAL,
        }
        found.setdefault(row["comment_id"], []).append(file)
    return found, page.before is not None


def _icon(content_type: str) -> str:
    return next((icon for beginning, icon in _ICONS.items() if content_type.startswith(beginning)), "draft")


def _comment(
    row: Document, ticket: Any, people: dict[ObjectId, Document], files: list[dict[str, Any]], linked: Linked
) -> dict[str, Any]:
    """``revision`` changes with whatever the page shows of the comment."""
    person = people.get(row["author_id"])
    mentioned = [people[id_]["name"] for id_ in row.get("mention_ids", ()) if id_ in people]
    return {
        "id": row["_id"],
        "link": reverse("console:tickets_ticket_entry", args=[ticket.pk, row["_id"]]),
        "revision": f"{row['version']}-{len(files)}-{row.get('split_into_id') or ''}",
        "moved_from": linked.get(row.get("moved_from_id")),
        "split_into": linked.get(row.get("split_into_id")),
        "split_link": None
        if row.get("split_into_id")
        else reverse("console:tickets_ticket_split", args=[ticket.pk, row["_id"]]),
        "author": person["name"] if person else "",
        "mentioned": mentioned,
        "files": files,
        "html": row["body_html"],
        "internal": row["visibility"] == Visibility.INTERNAL,
        "by_requester": row["author_id"] == ticket.created_by_id,
        "at": row["created_at"],
        "edited_at": row["edited_at"],
    }
