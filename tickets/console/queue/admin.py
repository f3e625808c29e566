"""The queue: everything of TicketAdmin that lists tickets and changes many at once."""

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from typing import Any

from django.contrib import messages
from django.contrib.admin.decorators import action, display
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.console.acting import actor_of
from ticketing.console.admin import ServiceModelAdmin
from ticketing.console.changelist import COUNT_CAP, KeysetChangeList, UnreadChangeList, sort_of
from ticketing.console.display import age, badge, moment
from ticketing.console.navigation import QUEUE, Item
from ticketing.console.refusals import in_words
from ticketing.errors import InvalidInput
from ticketing.mongo import ObjectId, parse_object_id
from ticketing.mongo.models import TenantQuerySet
from ticketing.mongo.pages import Count, Page, PageRequest
from ticketing.mongo.repository import Document
from tickets.access import visible_tickets
from tickets.bulk.rules import MAX_TICKETS
from tickets.console.choices import people_and_choices, team_choices
from tickets.console.queue import bulk, filters, periods, views
from tickets.lists import count_tickets, matching, page_of_tickets
from tickets.models import Priority, Status
from tickets.people import find_people

_COLUMNS = ("number", "title", "status", "priority", "category", "tags", "created_by_id", "assigned_to_id", "team_id")
_TIMES = ("created_at", "updated_at")


def _shortcut(name: str, description: Any, given: dict[str, str]) -> Callable[..., HttpResponse]:
    """An action that goes straight to the preview of one change."""

    @action(description=description, permissions=["change"])
    def change(admin: "QueueAdmin", request: HttpRequest, _queryset: TenantQuerySet) -> HttpResponse:
        return admin.preview_selected(request, given)

    change.__name__ = name
    return change


_SHORTCUTS = (
    _shortcut("assign_to_me", gettext_lazy("Assign to me…"), {"assigned_to": filters.ME}),
    _shortcut("resolve", gettext_lazy("Resolve…"), {"status": Status.RESOLVED.value}),
    *(
        _shortcut(
            f"set_priority_{each.value}",
            format_lazy(gettext_lazy("Set priority: {priority}…"), priority=each.label),
            {"priority": each.value},
        )
        for each in Priority
    ),
)


class QueueAdmin(ServiceModelAdmin):
    """A queue by views and filters."""

    list_before_template = "tickets/console/views.html"
    change_list_template = "tickets/console/queue/queue.html"

    list_display = ("summary", "status_badge", "priority_badge", "requester", "assignee", "age", "last_activity")
    list_display_links = None
    add_title = gettext_lazy("New ticket")
    empty_text = gettext_lazy("No ticket is in this view just now. Choose another view, or open a ticket for somebody.")
    list_fullwidth = True
    list_filter = (
        filters.ViewFilter,
        filters.SavedViewFilter,
        filters.RequesterFilter,
        filters.StatusFilter,
        filters.PriorityFilter,
        filters.AssigneeFilter,
        filters.TeamFilter,
        filters.CategoryFilter,
        filters.TagFilter,
        filters.AgeFilter,
        *periods.FILTERS,
    )
    search_fields = ("all_terms",)
    search_help_text = gettext_lazy("Search words, or a ticket's number")
    sortable_by = ("age", "last_activity")
    ordering = ("-updated_at",)
    actions = ("change_selected", *_SHORTCUTS)

    def get_navigation(self, request: HttpRequest) -> Iterable[Item]:
        if not self.has_module_permission(request):
            return
        group, link = _("Tickets"), self.changelist_url
        is_here = request.path == link
        entries = views.entries_of(request) if is_here else views.common_entries()
        for entry in entries:
            if not entry.is_personal:
                active, shortcut = is_here and entry.is_current, QUEUE if entry.query == "view=open" else ""
                yield Item(group, str(entry.title), f"{link}?{entry.query}", entry.icon, active, shortcut)
        add = reverse("console:tickets_ticket_add")
        yield Item(group, _("New ticket"), add, "add", request.path == add)
        for entry in entries:
            if entry.is_personal:
                yield Item(_("My views"), str(entry.title), f"{link}?{entry.query}", entry.icon, entry.is_current)

    def get_queryset(self, request: HttpRequest) -> TenantQuerySet:
        return visible_tickets(actor_of(request))

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (*super().get_custom_urls(), *views.ROUTES, *bulk.ROUTES)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return UnreadChangeList if getattr(request, "is_unread", False) else super().get_changelist(request, **kwargs)

    def get_ordering(self, request: HttpRequest) -> Sequence[str]:
        return ("-created_at",) if request.GET.get("age") else self.ordering

    def get_sortable_by(self, request: HttpRequest) -> Sequence[str]:
        """A list that is narrowed by one time is read in its order: no index has two."""
        if periods.column_of(request):
            return ()
        if filters.view_of(request).is_recent:
            return ("last_activity",)
        return ("age",) if request.GET.get("age") else self.sortable_by

    def get_columns(self) -> Sequence[str]:
        return (*_COLUMNS, *_TIMES)

    def get_page(self, request: HttpRequest, rows: TenantQuerySet, asked: PageRequest) -> Page:
        column, direction = sort_of(rows)[0]
        if column == "_id":  # the URL asks for an order that is not offered
            column = self.get_ordering(request)[0].removeprefix("-")
        column = periods.column_of(request) or column
        if request.GET.get("q"):  # search results are read in the order of their index
            column = "created_at"
        ordering = f"{'-' if direction < 0 else ''}{column}"
        return page_of_tickets(
            actor_of(request),
            rows,
            asked,
            ordering=ordering,
            fields=self.get_columns(),
        )

    def count_rows(self, request: HttpRequest, rows: TenantQuerySet, page: Page | None = None) -> Count:
        return count_tickets(actor_of(request), rows, cap=COUNT_CAP + 1, page=page)

    def get_search_results(
        self, request: HttpRequest, queryset: TenantQuerySet, search_term: str
    ) -> tuple[TenantQuerySet, bool]:
        """By words; a number, with or without #, finds that ticket."""
        number = search_term.strip().removeprefix("#")
        if number.isascii() and number.isdecimal() and len(number) < 18:
            return queryset.filter(number=int(number)), False
        try:
            found = matching(actor_of(request), queryset, search_term)
        except InvalidInput as error:
            if search_term.strip():
                if not getattr(request, "is_unread", False):
                    self.message_user(request, in_words(error.errors[0].message).capitalize(), messages.WARNING)
                return queryset.none(), False
            return queryset, False
        return found, False

    def prepare_rows(self, request: HttpRequest, rows: list[Any]) -> list[Any]:
        ids = [id_ for row in rows for id_ in (row.created_by_id, row.assigned_to_id)]
        people, teams = find_people(actor_of(request), ids), dict(team_choices(request))
        for row in rows:
            row.requester_person = people.get(row.created_by_id)
            row.assignee_person = people.get(row.assigned_to_id)
            row.team_name = teams.get(str(row.team_id), "")
        return rows

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        elsewhere = views.remembered(request) if self.has_view_permission(request) else None
        if elsewhere is not None:
            return elsewhere
        if self.has_view_permission(request):
            # Agents and teams in one round trip, as views and filters ask for both; and whom a filter names.
            people_and_choices(request, [parse_object_id(request.GET.get("assignee", ""))])
        context = views.list_context(request, self) if self.has_view_permission(request) else {}
        response = super().changelist_view(request, {**context, **(extra_context or {})})
        if context:
            views.remember(request, response)
        return response

    @display(description=gettext_lazy("Ticket"))
    def summary(self, ticket: Any) -> SafeString:
        link = reverse("console:tickets_ticket_change", args=[ticket.pk])
        tags = format_html_join("", ' <span class="console-tag">{}</span>', ((tag,) for tag in ticket.tags))
        return format_html(
            '<a class="ticket-link" data-ticket="{}" href="{}"><span class="ticket-number">#{}</span> {}</a>{}',
            ticket.pk,
            link,
            ticket.number,
            ticket.title,
            tags,
        )

    @display(description=gettext_lazy("Status"))
    def status_badge(self, ticket: Any) -> SafeString:
        return badge(ticket.status, ticket.get_status_display())

    @display(description=gettext_lazy("Priority"))
    def priority_badge(self, ticket: Any) -> SafeString:
        return badge(ticket.priority, ticket.get_priority_display())

    @display(description=gettext_lazy("Requester"), empty_value="–")
    def requester(self, ticket: Any) -> str | None:
        return _name(ticket.requester_person)

    @display(description=gettext_lazy("Assignee"))
    def assignee(self, ticket: Any) -> str | SafeString:
        """The person, and the team in small beside him."""
        name = _name(ticket.assignee_person) or format_html('<span class="queue-nobody">{}</span>', "–")
        if not ticket.team_name:
            return name
        return format_html('{} <span class="console-tag queue-team">{}</span>', name, ticket.team_name)

    @display(description=gettext_lazy("Age"), ordering="-created_at")
    def age(self, ticket: Any) -> SafeString:
        return age(ticket.created_at)

    @display(description=gettext_lazy("Last activity"), ordering="-updated_at")
    def last_activity(self, ticket: Any) -> SafeString:
        return moment(ticket.updated_at)

    # --- bulk actions ---------------------------------------------------------------------------------------------

    @action(description=gettext_lazy("Change…"), permissions=["change"])
    def change_selected(self, request: HttpRequest, queryset: TenantQuerySet) -> HttpResponse:
        """Leads to the page on which somebody says what is to change."""
        return bulk.choose_page(
            request,
            self,
            _selected(request),
            query=views.query_of(request, self),
            form=bulk.BulkForm(request),
        )

    def preview_selected(self, request: HttpRequest, given: dict[str, str]) -> HttpResponse:
        """The same page with the preview of a change that the action has named already."""
        return bulk.preview_page(
            request,
            self,
            _selected(request),
            query=views.query_of(request, self),
            form=bulk.BulkForm(request, given),
        )

    def rows_of(self, request: HttpRequest, query: str) -> TenantQuerySet | None:
        """The tickets that the list shows for a query, in its order; None where the query is none of the list's."""
        return self._list_of(request, query)[1]

    def ids_of(self, request: HttpRequest, query: str, most: int) -> list[ObjectId]:
        """The ids of the first ones of them."""
        asked, rows = self._list_of(request, query)
        if rows is None:
            return []
        page = self.get_page(asked, rows, PageRequest(most))
        ids = [row["_id"] for row in page.rows]
        while page.incomplete and len(ids) < most:
            page = self.get_page(asked, rows, PageRequest(most - len(ids), after=page.after or ""))
            ids += [row["_id"] for row in page.rows]
        return ids

    def _list_of(self, request: HttpRequest, query: str) -> tuple[HttpRequest, TenantQuerySet | None]:
        asked = copy(request)
        asked.GET = QueryDict(query)
        asked.is_unread = True  # type: ignore[attr-defined]
        try:
            return asked, self.get_changelist_instance(asked).queryset
        except (IncorrectLookupParameters, SuspiciousOperation):
            return asked, None


def _selected(request: HttpRequest) -> list[ObjectId]:
    ids = [parse_object_id(key) for key in request.POST.getlist(ACTION_CHECKBOX_NAME)[:MAX_TICKETS]]
    return [id_ for id_ in ids if id_ is not None]


def _name(person: Document | None) -> str | None:
    return None if person is None else person["name"]
