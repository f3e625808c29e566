"""Merging duplicates, linking related tickets, and splitting a comment off."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.console.acting import actor_of
from accounts.roles import Role
from ticketing.console.answers import is_fetch, refusal
from ticketing.console.display import badge
from ticketing.console.refusals import in_words
from ticketing.errors import InvalidInput, NotFound, TicketingError
from ticketing.mongo import ObjectId, parse_object_id
from ticketing.mongo.repository import Document
from tickets.access import access_ticket
from tickets.conversation.models import Visibility
from tickets.merging.linking import link_tickets, unlink_tickets
from tickets.merging.lists import find_merge_candidates, linked_tickets
from tickets.merging.services import Merge, merge_ticket, preview_merge, unmerge_ticket
from tickets.merging.splitting import Split, preview_split, split_comment
from tickets.models import Status
from tickets.people import find_people

if TYPE_CHECKING:
    from tickets.console.ticket.admin import TicketPageAdmin

Linked = dict[ObjectId | None, dict[str, Any]]


def find_linked(request: HttpRequest, ticket: Any, comments: Iterable[Document]) -> Linked:
    """The tickets that a ticket and its comments name, by id and in one look-up, as the page shows them."""
    own = (*_ids(ticket, "related_ids"), *_ids(ticket, "merged_ids"), ticket.__dict__.get("merged_into_id"))
    named = (comment.get(name) for comment in comments for name in ("moved_from_id", "split_into_id"))
    found = linked_tickets(actor_of(request), (*own, *named))
    return {id_: _shown(row) for id_, row in found.items()}


def context_of(request: HttpRequest, ticket: Any, linked: Linked) -> dict[str, Any]:
    """What its part of the page shows; ``linked`` is what ``find_linked`` found."""
    just_merged = linked.get(parse_object_id(request.GET.get("merged", "")) or ticket.pk)
    merged = [linked[id_] for id_ in linked if id_ in _ids(ticket, "merged_ids")]
    return {
        "related": [linked[id_] for id_ in linked if id_ in _ids(ticket, "related_ids")],
        "merged": merged,
        "merged_into": linked.get(ticket.__dict__.get("merged_into_id")),
        "just_merged": just_merged if just_merged in merged else None,
    }


@require_http_methods(["GET", "POST"])
def merge(request: HttpRequest, object_id: str, model_admin: "TicketPageAdmin") -> HttpResponse:
    """Chooses the ticket that goes on (``q`` finds one), shows what merging ``into`` it will do, and merges."""
    admin, actor = model_admin, actor_of(request)
    admin.check_may(request, "change")
    context: dict[str, Any] = {"query": request.GET.get("q", ""), "refused": ""}
    try:
        ticket = access_ticket(actor, object_id)
        into = request.POST.get("into") or request.GET.get("into")
        if request.method == "POST":
            merged = merge_ticket(actor, ticket["_id"], into or "")
            return HttpResponseRedirect(f"{_page_url(merged['merged_into_id'])}?merged={merged['_id']}")
        if into:
            context |= _preview(request, preview_merge(actor, ticket["_id"], into))
    except NotFound:
        return admin.missing(request)
    except TicketingError as error:
        context["refused"] = _told(error)
    if "preview" not in context:
        context["candidates"] = [_shown(row) for row in find_merge_candidates(actor, ticket, context["query"])]
    title = _("Merge #%(number)d into another ticket") % {"number": ticket["number"]}
    context |= {**admin.admin_site.each_context(request), "title": title, "ticket": ticket, "opts": admin.opts}
    context["page_url"] = _page_url(ticket["_id"])
    context["merge_url"] = reverse("console:tickets_ticket_merge", args=[ticket["_id"]])
    return TemplateResponse(request, "tickets/console/ticket/merge.html", context)


@require_POST
def unmerge(request: HttpRequest, object_id: str, model_admin: "TicketPageAdmin") -> HttpResponse:
    """Takes a merge back and leads to the ticket that is on its own again."""
    admin, actor = model_admin, actor_of(request)
    admin.check_may(request, "change")
    try:
        ticket = unmerge_ticket(actor, object_id)
    except NotFound:
        return admin.missing(request)
    except TicketingError as error:
        admin.message_user(request, _told(error), messages.ERROR)
        return HttpResponseRedirect(_page_url(access_ticket(actor, object_id, fields=["_id"])["_id"]))
    text = _("The merge was taken back: #%(number)d has its own conversation again.") % {"number": ticket["number"]}
    admin.message_user(request, text, messages.SUCCESS)
    return HttpResponseRedirect(_page_url(ticket["_id"]))


@require_POST
def relate(request: HttpRequest, object_id: str, model_admin: "TicketPageAdmin") -> HttpResponse:
    """Links the ticket of a number, or takes a link away; leads back to the page, or answers its script."""
    admin, actor = model_admin, actor_of(request)
    admin.check_may(request, "change")
    try:
        ticket = access_ticket(actor, object_id, fields=["_id"])
        if "unlink" in request.POST:
            unlink_tickets(actor, ticket["_id"], request.POST["unlink"])
        else:
            link_tickets(actor, ticket["_id"], request.POST.get("ticket", "").strip().removeprefix("#"))
    except NotFound as error:
        return refusal(error) if is_fetch(request) else admin.missing(request)
    except TicketingError as error:
        if is_fetch(request):
            return refusal(error)
        admin.message_user(request, _told(error), messages.ERROR)
    if is_fetch(request):
        return JsonResponse({})
    return HttpResponseRedirect(_page_url(ticket["_id"]))


@require_http_methods(["GET", "POST"])
def split(request: HttpRequest, object_id: str, comment_id: str, model_admin: "TicketPageAdmin") -> HttpResponse:
    """Shows what a ticket made of this comment will be, asks for its title, and makes it."""
    admin, actor = model_admin, actor_of(request)
    admin.check_may(request, "add")
    context: dict[str, Any] = {"refused": "", "given": request.POST.get("title")}
    try:
        if request.method == "POST":
            access_ticket(actor, object_id, fields=["_id"])
            opened = split_comment(actor, comment_id, title=request.POST.get("title", ""))
            text = _("#%(number)d was made of the comment.") % {"number": opened["number"]}
            admin.message_user(request, text, messages.SUCCESS)
            return HttpResponseRedirect(_page_url(opened["_id"]))
        context |= _preview_of_split(request, preview_split(actor, comment_id))
    except NotFound:
        return admin.missing(request)
    except InvalidInput as error:  # the title: to be corrected
        context |= {"refused": _told(error), **_preview_of_split(request, preview_split(actor, comment_id))}
    except TicketingError as error:
        context["refused"] = _told(error)
    try:
        ticket = context["split"].ticket if "split" in context else access_ticket(actor, object_id)
    except NotFound:
        return admin.missing(request)
    if object_id not in (str(ticket["_id"]), str(ticket["number"])):
        return admin.missing(request)
    title = _("Make a ticket of a comment on #%(number)d") % {"number": ticket["number"]}
    context |= {**admin.admin_site.each_context(request), "title": title, "opts": admin.opts}
    context["page_url"] = _page_url(ticket["_id"])
    return TemplateResponse(request, "tickets/console/ticket/split.html", context)


ROUTES: tuple[tuple[str, str, Any], ...] = (
    ("<str:object_id>/merge/", "tickets_ticket_merge", merge),
    ("<str:object_id>/unmerge/", "tickets_ticket_unmerge", unmerge),
    ("<str:object_id>/related/", "tickets_ticket_related", relate),
    ("<str:object_id>/comments/<str:comment_id>/split/", "tickets_ticket_split", split),
)


def _preview_of_split(request: HttpRequest, wanted: Split) -> dict[str, Any]:
    return {
        "split": wanted,
        "requester": find_people(actor_of(request), [wanted.requester_id]).get(wanted.requester_id),
        "internal": wanted.comment["visibility"] == Visibility.INTERNAL.value,
    }


def _preview(request: HttpRequest, wanted: Merge) -> dict[str, Any]:
    duplicate = wanted.duplicate
    people = find_people(actor_of(request), wanted.joining).values()
    return {
        "preview": wanted,
        "target": _shown(wanted.target),
        "comments": duplicate["comment_count"] + duplicate["internal_note_count"],
        "files": duplicate["attachment_count"] + duplicate["internal_attachment_count"],
        "customers": [person for person in people if person["role"] == Role.USER],
        "colleagues": [person for person in people if person["role"] != Role.USER],
    }


def _shown(row: Document) -> dict[str, Any]:
    status = badge(row["status"], Status(row["status"]).label)
    return {**row, "id": row["_id"], "link": _page_url(row["_id"]), "badge": status}


def _ids(ticket: Any, name: str) -> list[ObjectId]:
    """A list of ids of the page's ticket, which an earlier release may not have written."""
    return ticket.__dict__.get(name) or []


def _told(error: TicketingError) -> str:
    """What was refused and why; of a field that is wrong only the why, as the page names the field."""
    if isinstance(error, InvalidInput) and error.errors:
        return "; ".join(in_words(each.message) for each in error.errors)
    return in_words(error.detail)


def _page_url(ticket_id: ObjectId) -> str:
    return reverse("console:tickets_ticket_change", args=[ticket_id])
