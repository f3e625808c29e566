"""Changing many tickets: what to change, a preview, the change itself in batches, its result, and taking it back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.console.acting import actor_of
from ticketing.console.answers import is_fetch, json_answer
from ticketing.console.refusals import explain, in_words
from ticketing.errors import InvalidInput, Message, NotFound, TicketingError, from_stored
from ticketing.mongo import ObjectId, parse_object_id
from ticketing.mongo.pages import Count
from ticketing.mongo.repository import Document
from tickets.access import visible_tickets
from tickets.bulk.rules import MAX_BATCH, MAX_TICKETS
from tickets.bulk.services import (
    Outcome,
    Selected,
    access_bulk_change,
    apply_bulk_change,
    begin_bulk_change,
    preview_bulk_change,
    recent_bulk_changes,
    undo_bulk_change,
)
from tickets.console.choices import agent_choices, team_choices
from tickets.console.queue.filters import ME, NOBODY
from tickets.models import Priority, Status
from tickets.people import find_people

_LABELS = {
    "status": gettext_lazy("Status"),
    "priority": gettext_lazy("Priority"),
    "assigned_to_id": gettext_lazy("Assignee"),
    "team_id": gettext_lazy("Team"),
    "tags": gettext_lazy("Tags"),
}
_CHOICES: dict[str, dict[Any, Any]] = {"status": dict(Status.choices), "priority": dict(Priority.choices)}


def _select(label: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, widget=UnfoldAdminSelectWidget)


def _tags(label: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        help_text=gettext_lazy("Separated by commas"),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )


class BulkForm(forms.Form):
    """What to change; what is left at “No change” stays as it is."""

    status = _select(gettext_lazy("Status"))
    priority = _select(gettext_lazy("Priority"))
    assigned_to = _select(gettext_lazy("Assignee"))
    team = _select(gettext_lazy("Team"))
    add_tags = _tags(gettext_lazy("Add tags"))
    remove_tags = _tags(gettext_lazy("Remove tags"))

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self._offer("status", Status.choices)
        self._offer("priority", Priority.choices)
        self._offer("assigned_to", [(ME, _("Me")), (NOBODY, _("Nobody")), *agent_choices(request)])
        self._offer("team", [(NOBODY, _("No team")), *team_choices(request)])

    def _offer(self, name: str, choices: Iterable[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("No change")), *choices]

    @property
    def wanted(self) -> dict[str, Any]:
        """What the services are asked for."""
        given = {name: value for name, value in self.cleaned_data.items() if value}
        me = actor_of(self.request).user_id
        for name in {"assigned_to", "team"} & given.keys():
            given[name] = me if given[name] == ME else parse_object_id(given[name])
        for name in {"add_tags", "remove_tags"} & given.keys():
            given[name] = given[name].split(",")
        return given


@dataclass(frozen=True, slots=True)
class Row:
    """What becomes, or became, of a ticket, in words."""

    number: int
    title: str
    link: str
    changes: Sequence[tuple[Any, str, str]]
    refusal: str = ""
    note: str = ""


def choose_page(
    request: HttpRequest,
    model_admin: Any,
    selected: Sequence[ObjectId],
    *,
    query: str,
    form: BulkForm,
    error: str = "",
    preview: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """The page on which somebody says what is to change, with the preview where he has said it."""
    rows = model_admin.rows_of(request, query)
    count = Count(0) if rows is None else model_admin.count_rows(request, rows)
    # What a search found at its limit is not all: then they are read.
    total = count.amount if count.is_exact else len(model_admin.ids_of(request, query, MAX_TICKETS + 1))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Change tickets"),
        "opts": model_admin.opts,
        "list_url": f"{model_admin.changelist_url}?{query}",
        "form": form,
        "selected": len(selected),
        "tickets": ",".join(map(str, selected)),
        "query": query,
        "scope": request.POST.get("scope", "selected"),
        "total": min(total, MAX_TICKETS + 1),
        "most": MAX_TICKETS,
        "most_at_once": MAX_BATCH,
        "error": error,
        **(preview or {}),
    }
    return TemplateResponse(request, "tickets/console/queue/bulk.html", context)


def preview_page(
    request: HttpRequest, model_admin: Any, selected: Sequence[ObjectId], *, query: str, form: BulkForm
) -> HttpResponse:
    """The same page with the preview of what the form says, or with what is wrong with it."""
    if not form.is_valid():
        return choose_page(request, model_admin, selected, query=query, form=form)
    ids = model_admin.ids_of(request, query, MAX_TICKETS) if request.POST.get("scope") == "all" else selected
    try:
        outcomes = preview_bulk_change(actor_of(request), ids, form.wanted)
    except InvalidInput as error:
        return choose_page(request, model_admin, selected, query=query, form=form, error=explain(error))
    preview = _preview_context(request, outcomes, form)
    return choose_page(request, model_admin, selected, query=query, form=form, preview=preview)


# --- routes -----------------------------------------------------------------------------------------------------------


def choose(request: HttpRequest, model_admin: Any) -> HttpResponse:
    """What to change and its preview; a GET tells of what the person has changed lately."""
    model_admin.check_may(request, "change")
    if request.method != "POST":
        return _recent(request, model_admin)
    query, form = request.POST.get("query", ""), BulkForm(request, request.POST)
    selected = [ticket.id for ticket in _selected(request)]
    return preview_page(request, model_admin, selected, query=query, form=form)


@require_POST
def apply(request: HttpRequest, model_admin: Any) -> HttpResponse:
    """Changes the tickets of one batch. Scripts send many batches, and name the bulk change that the first began."""
    model_admin.check_may(request, "change")
    if is_fetch(request):
        return _apply_batch(request)
    try:
        bulk, _items = _applied(request)
    except NotFound:
        return _missing(request, model_admin)
    except TicketingError as error:
        messages.error(request, explain(error))
        return HttpResponseRedirect(model_admin.changelist_url)
    return HttpResponseRedirect(_result_url(bulk))


def result(request: HttpRequest, object_id: str, model_admin: Any) -> HttpResponse:
    """What a bulk change has done, with the way back."""
    model_admin.check_may(request, "change")
    try:
        bulk = access_bulk_change(actor_of(request), object_id)
    except NotFound:
        return _missing(request, model_admin)
    rows = _rows_of_items(request, bulk["items"])
    changed = [item for item in bulk["items"] if item["changes"]]
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Result of a change"),
        "opts": model_admin.opts,
        "list_url": model_admin.changelist_url,
        "bulk": bulk,
        "undo_url": reverse("console:tickets_ticket_bulk_undo", args=[bulk["_id"]]),
        "changed": [row for row in rows if row.changes],
        "refused": [row for row in rows if row.refusal],
        "unchanged": [row for row in rows if not row.changes and not row.refusal],
        "waiting": sum(item["undone"] is None for item in changed),
        "kept": sum(bool(item["undone"] and item["undone"]["kept"]) for item in changed),
    }
    return TemplateResponse(request, "tickets/console/queue/bulk_result.html", context)


@require_POST
def undo(request: HttpRequest, object_id: str, model_admin: Any) -> HttpResponse:
    """Takes a batch of a bulk change back."""
    model_admin.check_may(request, "change")
    if is_fetch(request):
        return _undo_batch(request, object_id)
    try:
        left = undo_bulk_change(actor_of(request), _id(object_id))
    except NotFound:
        return _missing(request, model_admin)
    if left:
        text = ngettext("%(count)d ticket is left: undo again.", "%(count)d tickets are left: undo again.", left)
        messages.warning(request, text % {"count": left})
    return HttpResponseRedirect(_result_url({"_id": object_id}))


ROUTES: tuple[tuple[str, str, Any], ...] = (
    ("bulk/", "tickets_ticket_bulk", choose),
    ("bulk/apply/", "tickets_ticket_bulk_apply", apply),
    ("bulk/<str:object_id>/", "tickets_ticket_bulk_result", result),
    ("bulk/<str:object_id>/undo/", "tickets_ticket_bulk_undo", undo),
)


@json_answer
def _apply_batch(request: HttpRequest) -> dict[str, Any]:
    bulk, items = _applied(request)
    told = [
        {
            "ticket": str(item["ticket_id"]),
            "changed": bool(row.changes),
            "refused": bool(row.refusal),
            "text": _sentence(row),
        }
        for item, row in zip(items, _rows_of_items(request, items), strict=True)
    ]
    undo_url = reverse("console:tickets_ticket_bulk_undo", args=[bulk["_id"]])
    return {"bulk": str(bulk["_id"]), "url": _result_url(bulk), "undo_url": undo_url, "tickets": told}


@json_answer
def _undo_batch(request: HttpRequest, object_id: str) -> dict[str, Any]:
    left = undo_bulk_change(actor_of(request), _id(object_id), limit=_batch_size(request))
    return {"left": left, "url": _result_url({"_id": object_id})}


def _applied(request: HttpRequest) -> tuple[Document, list[Document]]:
    actor, tickets = actor_of(request), _selected(request)
    if request.POST.get("bulk"):
        bulk = access_bulk_change(actor, request.POST["bulk"])
    else:
        form = BulkForm(request, request.POST)
        if not form.is_valid():
            raise InvalidInput(_("The form is incomplete: open the page again."))
        if len(tickets) > MAX_BATCH:  # before anything is begun
            raise InvalidInput.of("tickets", Message("are more than {limit}", limit=MAX_BATCH), "max_length")
        bulk = begin_bulk_change(actor, form.wanted)
    return bulk, apply_bulk_change(actor, bulk["_id"], tickets)


def _recent(request: HttpRequest, model_admin: Any) -> HttpResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Changes of many tickets"),
        "opts": model_admin.opts,
        "list_url": model_admin.changelist_url,
        "bulks": [
            {
                "url": _result_url(bulk),
                "at": bulk["created_at"],
                "tickets": sum(bool(item["changes"]) for item in bulk["items"]),
                "undone_at": bulk["undone_at"],
            }
            for bulk in recent_bulk_changes(actor_of(request))
        ],
    }
    return TemplateResponse(request, "tickets/console/queue/bulk_recent.html", context)


def _preview_context(request: HttpRequest, outcomes: Sequence[Outcome], form: BulkForm) -> dict[str, Any]:
    rows = _rows(request, [(each.ticket, each.changes, each.refusal, "") for each in outcomes])
    changing = [each.ticket for each in outcomes if each.changes]
    return {
        "previewed": True,
        "changing": [row for row in rows if row.changes],
        "closing": bool(changing) and form.cleaned_data["status"] == Status.CLOSED,
        "refusing": [row for row in rows if row.refusal],
        "unchanged": sum(not row.changes and not row.refusal for row in rows),
        "to_apply": ",".join(f"{ticket['_id']}:{ticket['version']}" for ticket in changing),
        "given": [(name, value) for name, value in form.cleaned_data.items() if value],
    }


def _rows_of_items(request: HttpRequest, items: Sequence[Document]) -> list[Row]:
    found = visible_tickets(actor_of(request)).filter(pk__in=[item["ticket_id"] for item in items])
    titles = {ticket["_id"]: ticket["title"] for ticket in found.documents("title")} if items else {}
    return _rows(
        request,
        [
            (
                {"_id": item["ticket_id"], "number": item["number"], "title": titles.get(item["ticket_id"], "")},
                item["changes"],
                from_stored("refused", item),
                _undone(item["undone"]),
            )
            for item in items
        ],
    )


def _rows(request: HttpRequest, results: Sequence[tuple[Document, Mapping[str, Any], str, str]]) -> list[Row]:
    values = [value for _ticket, changes, _refusal, _note in results for pair in changes.values() for value in pair]
    people = find_people(actor_of(request), {value for value in values if isinstance(value, ObjectId)})
    names: dict[Any, str] = {id_: person["name"] for id_, person in people.items()}
    names |= {ObjectId(id_): name for id_, name in team_choices(request)}
    return [
        Row(
            ticket["number"],
            ticket["title"],
            reverse("console:tickets_ticket_change", args=[ticket["_id"]]),
            [
                (_LABELS[name], _value(name, before, names), _value(name, after, names))
                for name, (before, after) in changes.items()
            ],
            in_words(refusal),
            note,
        )
        for ticket, changes, refusal, note in results
    ]


def _value(field: str, value: Any, names: Mapping[Any, str]) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "–"
    if isinstance(value, ObjectId):
        return names.get(value, _("(inactive)"))
    return "–" if value is None else str(_CHOICES[field].get(value, value))


def _undone(undone: Document | None) -> str:
    if undone is None:
        return ""
    if not undone["kept"]:
        return _("Undone")
    if undone["why"]:
        return _("Not undone: %(why)s") % {"why": in_words(from_stored("why", undone))}
    fields = ", ".join(str(_LABELS[name]) for name in undone["kept"])
    return _("Not undone, because it was changed since: %(fields)s") % {"fields": fields}


def _sentence(row: Row) -> str:
    if row.refusal:
        return f"#{row.number}: {row.refusal}"
    if not row.changes:
        return _("#%(number)d was so already.") % {"number": row.number}
    return f"#{row.number}: " + "; ".join(f"{label}: {before} → {after}" for label, before, after in row.changes)


def _selected(request: HttpRequest) -> list[Selected]:
    """The tickets that a form names, as ids between commas, each with the version that was seen behind a colon."""
    found = []
    for each in request.POST.get("tickets", "").split(","):
        id_, _colon, version = each.partition(":")
        seen = int(version[:9]) if version.isascii() and version.isdecimal() else None
        if (ticket_id := parse_object_id(id_)) is not None:
            found.append(Selected(ticket_id, seen))
    return found


def _batch_size(request: HttpRequest) -> int:
    asked = request.POST.get("limit", "")
    return min(max(1, int(asked[:4])), MAX_BATCH) if asked.isascii() and asked.isdecimal() else MAX_BATCH


def _id(reference: str) -> ObjectId:
    found = parse_object_id(reference)
    if found is None:
        raise NotFound("The bulk change does not exist")
    return found


def _result_url(bulk: Mapping[str, Any]) -> str:
    return reverse("console:tickets_ticket_bulk_result", args=[bulk["_id"]])


def _missing(request: HttpRequest, model_admin: Any) -> HttpResponse:
    response: HttpResponse = model_admin.missing(request)
    return response
