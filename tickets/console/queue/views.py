"""The queue's views: those that everybody has, those of one's teams, and those that somebody has saved."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.console.acting import actor_of
from ticketing.console.answers import json_answer
from ticketing.console.refusals import explain
from ticketing.errors import NotFound, TicketingError
from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Document
from tickets.access import visible_tickets
from tickets.console.choices import team_choices
from tickets.console.queue import filters
from tickets.lists import count_lists
from tickets.saved_views.access import access_view_to_edit, can_edit_view, can_share_with, visible_views
from tickets.saved_views.rules import MAX_NAME
from tickets.saved_views.services import change_view, delete_view, save_view

SAVED = "saved-"
COUNTED = 1000
_REMEMBERED_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Entry:
    """A view as a link; ``key`` is what is remembered of it."""

    key: str
    title: Any
    icon: str
    query: str
    is_current: bool = False
    is_personal: bool = False


def entries_of(request: HttpRequest) -> list[Entry]:
    """All of the person's views; the one that the URL names is current."""
    saved = current_saved(request)
    current = "" if saved else filters.view_of(request).name
    teams = [
        Entry(view.name, view.title, view.icon, f"view={view.name}", view.name == current, is_personal=True)
        for view in filters.team_views(request)
    ]
    kept = [
        Entry(f"{SAVED}{view['_id']}", view["name"], "bookmark", _link(view), view is saved, is_personal=True)
        for view in saved_views(request)
    ]
    return [*common_entries(current), *teams, *kept]


def common_entries(current: str = "") -> list[Entry]:
    """The views that everybody has."""
    return [
        Entry(view.name, view.title, view.icon, f"view={view.name}", view.name == current)
        for view in filters.VIEWS.values()
    ]


def saved_views(request: HttpRequest) -> list[Document]:
    """The saved views that the person sees, read once for a request."""
    found: list[Document] | None = getattr(request, "_saved_views", None)
    if found is None:
        found = visible_views(actor_of(request))
        request._saved_views = found  # type: ignore[attr-defined]
    return found


def current_saved(request: HttpRequest) -> Document | None:
    """The saved view that the URL names, if the person sees it."""
    asked = request.GET.get("saved")
    return next((view for view in saved_views(request) if str(view["_id"]) == asked), None) if asked else None


def list_context(request: HttpRequest, model_admin: Any) -> dict[str, Any]:
    """What the queue shows of its views."""
    saved, query = current_saved(request), query_of(request, model_admin)
    is_changed = saved is not None and QueryDict(saved["query"]) != QueryDict(query)
    title = filters.view_of(request).title if saved is None else saved["name"]
    return {
        "title": _("%(view)s (changed)") % {"view": title} if is_changed else title,
        "views": entries_of(request),
        "saved": saved,
        "update_url": _update_url(request, saved) if is_changed else "",
        "view_query": query,
        "teams": _teams_to_share_with(request),
        "longest_name": MAX_NAME,
    }


def query_of(request: HttpRequest, model_admin: Any) -> str:
    """The list's part of the URL: view, filters, search and order."""
    known = {"q", "o", *(each.parameter_name for each in model_admin.list_filter)} - {"saved"}
    return urlencode([(name, str(value)) for name, value in sorted(request.GET.items()) if name in known and value])


def remembered(request: HttpRequest) -> HttpResponse | None:
    """The way to the view that the person had open last, for whoever opens the queue without naming one."""
    key = request.COOKIES.get(_cookie(request), "")
    if request.method != "GET" or request.GET or not key or key == "open":
        return None
    entry = next((each for each in entries_of(request) if each.key == key), None)
    return None if entry is None else HttpResponseRedirect(f"{request.path}?{entry.query}")


def remember(request: HttpRequest, response: HttpResponse) -> None:
    """Keeps in a cookie which view is open: its key, nothing that somebody has typed."""
    if request.method == "GET" and request.GET.keys() & {"view", "saved"} and response.status_code == 200:
        key = next((each.key for each in entries_of(request) if each.is_current), "")
        if key and key != request.COOKIES.get(_cookie(request)):
            response.set_cookie(
                _cookie(request),
                key,
                max_age=_REMEMBERED_SECONDS,
                path=request.path,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )


# --- routes -----------------------------------------------------------------------------------------------------------


@require_GET
@json_answer
def counts(request: HttpRequest, model_admin: Any) -> dict[str, Any]:
    """How many tickets each view holds, by its link; counted to COUNTED at most, by one query but for searches."""
    model_admin.check_may(request, "view")
    actor = actor_of(request)
    kept = {_link(view): view["query"] for view in saved_views(request)}
    lists = {
        f"view={view.name}": view.narrow(request, visible_tickets(actor))
        for view in (*filters.VIEWS.values(), *filters.team_views(request))
    } | {link: rows for link, query in kept.items() if (rows := model_admin.rows_of(request, query)) is not None}
    found = count_lists(actor, list(lists.values()), cap=COUNTED)
    return {"counts": {f"?{link}": count.shown(COUNTED - 1) for link, count in zip(lists, found, strict=True)}}


def manage(request: HttpRequest, model_admin: Any) -> HttpResponse:
    """The saved views, to rename, share and delete; a POST keeps a new one and opens it."""
    model_admin.check_may(request, "view")
    if request.method != "POST":
        return _manage_page(request, model_admin)
    wanted = {name: request.POST.get(name, "") for name in ("name", "query", "team")}
    try:
        view = save_view(actor_of(request), **wanted)
    except TicketingError as error:
        new = {**wanted, "teams": _teams_to_share_with(request), "refused": explain(error)}
        return _manage_page(request, model_admin, new=new, status=error.status)
    model_admin.message_user(request, _("“%(view)s” is kept among your views.") % {"view": view["name"]})
    return HttpResponseRedirect(f"{model_admin.changelist_url}?{_link(view)}")


@require_POST
def change(request: HttpRequest, object_id: str, model_admin: Any) -> HttpResponse:
    """Renames or shares a view, or lets it hold what the list shows now."""
    model_admin.check_may(request, "view")
    wanted = {name: request.POST[name] for name in ("name", "team", "query") if name in request.POST}
    try:
        view = change_view(actor_of(request), object_id, wanted)
    except NotFound:
        return _missing(request, model_admin)
    except TicketingError as error:
        typed = {object_id: {**wanted, "refused": explain(error)}}
        return _manage_page(request, model_admin, typed=typed, status=error.status)
    model_admin.message_user(request, _("“%(view)s” is changed.") % {"view": view["name"]})
    if "query" in wanted:
        return HttpResponseRedirect(f"{model_admin.changelist_url}?{_link(view)}")
    return HttpResponseRedirect(reverse("console:tickets_ticket_views"))


@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, object_id: str, model_admin: Any) -> HttpResponse:
    """Removes a view, after asking: it may be the whole team's."""
    model_admin.check_may(request, "view")
    actor, manage_url = actor_of(request), reverse("console:tickets_ticket_views")
    try:
        view = delete_view(actor, object_id) if request.method == "POST" else access_view_to_edit(actor, object_id)
    except NotFound:
        return _missing(request, model_admin)
    except TicketingError as error:
        messages.error(request, explain(error))
        return HttpResponseRedirect(manage_url)
    if request.method != "POST":
        for_all = _("The team loses it too.") if view["team_id"] else ""
        asked: HttpResponse = model_admin.ask_first(
            request,
            title=_("Delete “%(view)s”") % {"view": view["name"]},
            text=" ".join(filter(None, (_("The tickets in it stay. This cannot be undone."), for_all))),
            button=_("Delete for good"),
            back=manage_url,
        )
        return asked
    model_admin.message_user(request, _("“%(view)s” is deleted.") % {"view": view["name"]})
    return HttpResponseRedirect(manage_url)


ROUTES: tuple[tuple[str, str, Any], ...] = (
    ("views/", "tickets_ticket_views", manage),
    ("views/counts/", "tickets_ticket_view_counts", counts),
    ("views/<str:object_id>/", "tickets_ticket_view", change),
    ("views/<str:object_id>/delete/", "tickets_ticket_view_delete", delete),
)


def _manage_page(
    request: HttpRequest,
    model_admin: Any,
    *,
    new: Mapping[str, Any] | None = None,
    typed: Mapping[str, Mapping[str, str]] | None = None,
    status: int = 200,
) -> HttpResponse:
    """The saved views. ``new`` is one that could not be kept, ``typed`` by a view's id what it could not become; both
    say why under ``refused``."""
    actor = actor_of(request)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Saved views"),
        "opts": model_admin.opts,
        "list_url": model_admin.changelist_url,
        "new": new,
        "rows": [
            {
                "id": view["_id"],
                "title": view["name"],
                "name": view["name"],
                "team": str(view["team_id"] or ""),
                "teams": _teams_to_share_with(request, view["team_id"]),
                "link": _link(view),
                "can_edit": can_edit_view(actor, view),
                **(typed or {}).get(str(view["_id"]), {}),
            }
            for view in saved_views(request)
        ],
        "longest_name": MAX_NAME,
    }
    return TemplateResponse(request, "tickets/console/queue/saved_views.html", context, status=status)


def _teams_to_share_with(request: HttpRequest, present: ObjectId | None = None) -> list[tuple[str, str]]:
    """The choices of a view's team, with the present one among them."""
    actor = actor_of(request)
    return [
        (id_, name)
        for id_, name in team_choices(request)
        if id_ == str(present) or can_share_with(actor, ObjectId(id_))
    ]


def _link(view: Document) -> str:
    return f"{view['query']}&{urlencode({'saved': view['_id']})}"


def _update_url(request: HttpRequest, saved: Document | None) -> str:
    """Where the view is told to hold what the list shows now; empty for who may not."""
    if saved is None or not can_edit_view(actor_of(request), saved):
        return ""
    return reverse("console:tickets_ticket_view", args=[saved["_id"]])


def _missing(request: HttpRequest, model_admin: Any) -> HttpResponse:
    response: HttpResponse = model_admin.missing(request)
    return response


def _cookie(request: HttpRequest) -> str:
    return f"queue_view_{request.user.pk}"
