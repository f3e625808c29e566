"""The box in which agents answer: drafts, canned replies, files, sending and taking back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from math import ceil
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.actor import Actor
from accounts.console.acting import actor_of, is_operator
from ticketing import clock
from ticketing.console.answers import json_answer
from ticketing.console.refusals import in_words
from ticketing.console.site import CONTENT_SECURITY_POLICY
from ticketing.errors import FieldError, InvalidInput, NotFound, StaleVersion, TicketingError
from ticketing.mongo import parse_object_id
from ticketing.mongo.repository import Document
from tickets.access import access_ticket
from tickets.attachments.files import find_upload_origin
from tickets.attachments.uploads import discard_upload, find_uploads
from tickets.canned_replies.services import fill_canned_reply, list_canned_replies
from tickets.console.ticket.forms import TicketForm
from tickets.console.ticket.work import keep_text, work_on_ticket
from tickets.conversation.markdown import render_markdown
from tickets.conversation.models import Visibility
from tickets.drafts.services import (
    discard_draft,
    find_draft,
    problem_of,
    save_draft,
    schedule_draft,
    send_draft,
    take_back,
)
from tickets.mentions.services import find_mentioned
from tickets.models import Status
from tickets.rules import clean_text
from tickets.services import allowed_transitions, change_ticket, check_version

if TYPE_CHECKING:
    from tickets.console.ticket.admin import TicketPageAdmin

Answered = Mapping[str, Any]


def context_of(request: HttpRequest, ticket: Any, form: TicketForm) -> dict[str, Any]:
    """What its part of the page shows; the draft goes into the form, unless that shows what was just typed."""
    actor = actor_of(request)
    draft = find_draft(actor, ticket.pk)
    if draft is not None and not form.is_bound:
        form.initial.update(reply=draft["body"], visibility=draft["visibility"])
    told = _told(draft)
    if form.is_bound and told["body"] != request.POST.get("reply", "").replace("\r\n", "\n"):
        # What was just typed belongs to the draft that its window knew.
        told["version"] = _number(request, "draft_version") or 0
    return {
        "draft": told,
        "draft_files": [str(id_) for id_ in draft["upload_ids"]] if draft else [],
        "send_statuses": _statuses_to_send(actor, ticket),
        "composer_key": f"{actor.tenant_id}:{actor.user_id}:{ticket.pk}",
    }


def allow_uploads(response: HttpResponse) -> None:
    """Lets the page's script send files to the bucket, where there is one."""
    if origin := find_upload_origin():
        allowed = CONTENT_SECURITY_POLICY.replace("connect-src 'self'", f"connect-src 'self' {origin}")
        response.headers["Content-Security-Policy"] = allowed


def save(request: HttpRequest, ticket: Any, form: TicketForm) -> list[str]:
    """What the page's form does when it is posted without scripts; returns why, for each file that was refused."""
    actor, answer = actor_of(request), form.answer
    if "save_properties" in request.POST:
        if "reply" in request.POST:  # not while the box waits to send
            keep_text(actor, ticket.pk, answer, draft_version=_number(request, "draft_version"))
        change_ticket(actor, ticket.pk, answer.changes, expected_version=form.expected_version)
        return []
    files = form.cleaned_data["attachments"]
    return work_on_ticket(actor, ticket.pk, answer, files, expected_version=form.expected_version)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of the box's script about a ticket that the person may change."""

    request: HttpRequest
    actor: Actor
    ticket: Document
    admin: "TicketPageAdmin"

    def number(self, name: str) -> int | None:
        """The number that was sent under the name, None where there is none."""
        return _number(self.request, name)

    def tell(self, draft: Document | None) -> dict[str, Any]:
        uploads = find_uploads(self.actor, self.ticket, draft["upload_ids"]) if draft else []
        files = [{"id": str(each["_id"]), "name": each["name"], "size": each["size"]} for each in uploads]
        return {"draft": {**_told(draft), "files": files}}


def _of_ticket(view: Callable[..., Answered]) -> Callable[..., HttpResponse]:
    @json_answer
    @wraps(view)
    def wrapped(request: HttpRequest, object_id: str, model_admin: "TicketPageAdmin", **arguments: str) -> Answered:
        model_admin.check_may(request, "change")
        actor = actor_of(request)
        ticket = access_ticket(actor, object_id)
        asked = Asked(request, actor, ticket, model_admin)
        try:
            return view(asked, **arguments)
        except TicketingError as error:
            error.data |= asked.tell(find_draft(actor, ticket["_id"]))
            raise

    return wrapped


@require_http_methods(["GET", "POST"])
@_of_ticket
def draft(asked: Asked) -> Answered:
    """What is in the box, with the names of its files; a POST keeps it, if there is anything in it."""
    if asked.request.method == "GET":
        return asked.tell(find_draft(asked.actor, asked.ticket["_id"]))
    posted = asked.request.POST
    saved = save_draft(
        asked.actor,
        asked.ticket["_id"],
        body=posted.get("reply", ""),
        visibility=posted.get("visibility") or Visibility.PUBLIC.value,
        upload_ids=[id_ for id_ in map(parse_object_id, posted.getlist("upload_ids")) if id_],
        expected_version=asked.number("draft_version"),
    )
    return asked.tell(saved)


@require_POST
@_of_ticket
def discard(asked: Asked) -> Answered:
    """Lets go of a draft that said why it was not sent, unless it was written on meanwhile."""
    discard_draft(asked.actor, asked.ticket["_id"], expected_version=asked.number("draft_version"))
    return asked.tell(find_draft(asked.actor, asked.ticket["_id"]))


@require_POST
@_of_ticket
def send(asked: Asked) -> Answered:
    """Sends what the page's form holds, in some seconds; what an operator writes is answered as by ``send_now``.

    ``told`` of a refusal says what others did meanwhile.
    """
    request, ticket, seen = asked.request, asked.admin.model.from_document(asked.ticket), asked.number("version")
    try:
        check_version(asked.actor, asked.ticket, seen)
    except StaleVersion as error:
        told = asked.admin.changes_since(request, ticket, seen or 0)
        raise StaleVersion(error.detail, data={**error.data, "told": told}) from error
    form_class = asked.admin.get_form(request, ticket, change=True)
    form_class.waits_to_be_sent = True
    form = form_class(request.POST, request.FILES, instance=ticket)
    if not form.is_valid():
        raise _refused(form)
    draft_version = asked.number("draft_version")
    waiting = schedule_draft(asked.actor, ticket.pk, form.answer, ticket_version=seen, expected_version=draft_version)
    # The job that sends what a closed browser left acts for the tenant's own people: an operator's goes at once.
    return _send_now(asked) if is_operator(request) else asked.tell(waiting)


@require_POST
@_of_ticket
def send_now(asked: Asked) -> Answered:
    """Sends what was waiting. ``draft`` has what is to be told about it, ``page`` where else it went."""
    return _send_now(asked)


def _send_now(asked: Asked) -> Answered:
    ticket_id = asked.ticket["_id"]
    sent = send_draft(asked.actor, ticket_id)
    went_elsewhere = sent.ticket_id != ticket_id
    page = reverse("console:tickets_ticket_change", args=[sent.ticket_id]) if went_elsewhere else ""
    return {**asked.tell(find_draft(asked.actor, ticket_id) if sent.left else None), "page": page}


@require_POST
@_of_ticket
def undo(asked: Asked) -> Answered:
    """Stops what is waiting to be sent."""
    return asked.tell(take_back(asked.actor, asked.ticket["_id"]))


@require_POST
@_of_ticket
def preview(asked: Asked) -> Answered:
    """The text as it will look."""
    text = clean_text(asked.request.POST.get("reply", ""), "reply")
    is_note = asked.request.POST.get("visibility") == Visibility.INTERNAL
    return {"html": render_markdown(text, find_mentioned(asked.actor, text) if is_note else ())}


@require_POST
@_of_ticket
def let_go(asked: Asked, upload_id: str) -> Answered:
    """Lets go of a file that was taken out of the box."""
    id_ = parse_object_id(upload_id)
    if id_ is None:
        raise NotFound
    discard_upload(asked.actor, asked.ticket["_id"], id_)
    return {}


@require_GET
@_of_ticket
def canned_replies(asked: Asked) -> Answered:
    """What the person can choose from."""

    def told(reply: Document) -> dict[str, str]:
        url = reverse("console:tickets_ticket_canned_reply", args=[asked.ticket["_id"], reply["_id"]])
        return {"name": reply["name"], "beginning": reply["beginning"], "url": url}

    return {"replies": [told(reply) for reply in list_canned_replies(asked.actor)]}


@require_GET
@_of_ticket
def canned_reply(asked: Asked, reply_id: str) -> Answered:
    """One of them, filled in for the ticket."""
    return {"text": fill_canned_reply(asked.actor, reply_id, asked.ticket)}


ROUTES: tuple[tuple[str, str, Any], ...] = (
    ("<str:object_id>/draft/", "tickets_ticket_draft", draft),
    ("<str:object_id>/draft/discard/", "tickets_ticket_discard_draft", discard),
    ("<str:object_id>/send/", "tickets_ticket_send", send),
    ("<str:object_id>/send/now/", "tickets_ticket_send_now", send_now),
    ("<str:object_id>/send/undo/", "tickets_ticket_send_undo", undo),
    ("<str:object_id>/preview/", "tickets_ticket_preview", preview),
    ("<str:object_id>/uploads/<str:upload_id>/discard/", "tickets_ticket_discard_upload", let_go),
    ("<str:object_id>/canned-replies/", "tickets_ticket_canned_replies", canned_replies),
    ("<str:object_id>/canned-replies/<str:reply_id>/", "tickets_ticket_canned_reply", canned_reply),
)


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.POST.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _told(draft: Document | None) -> dict[str, Any]:
    """A draft as page and script know it; version 0 for none. ``send_in`` are seconds, None while it is written."""
    if draft is None:
        return {"version": 0, "body": "", "visibility": "", "send_in": None, "problem": ""}
    send_at = draft["send_at"]
    return {
        **{name: draft[name] for name in ("version", "body", "visibility")},
        "problem": in_words(problem_of(draft)),
        "send_in": None if send_at is None else max(0, ceil((send_at - clock.now()).total_seconds())),
    }


def _statuses_to_send(actor: Actor, ticket: Any) -> list[tuple[str, str]]:
    """What "Send and set …" offers: where the ticket can go from where it is."""
    targets = allowed_transitions(actor, {"status": ticket.status})
    return [(value, str(label)) for value, label in Status.choices if value in targets]


def _refused(form: TicketForm) -> InvalidInput:
    errors = [
        FieldError("" if name == "__all__" else name, "invalid", " ".join(map(str, texts)))
        for name, texts in form.errors.items()
    ]
    return InvalidInput(" ".join(error.message for error in errors), errors=errors)
