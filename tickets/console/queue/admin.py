"""The queue: everything of TicketAdmin that lists tickets and changes many at once."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin.decorators import action, display
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.console.acting import actor_of
from ticketing.console.admin import ServiceModelAdmin
from ticketing.console.changelist import COUNT_CAP, sort_of
from ticketing.console.display import age, badge, moment
from ticketing.console.navigation import Item
from ticketing.errors import InvalidInput
from ticketing.mongo.models import TenantQuerySet
from ticketing.mongo.pages import Page, PageRequest
from ticketing.mongo.repository import Document
from tickets.access import visible_tickets
from tickets.console.queue import filters, periods
from tickets.lists import count_tickets, matching, page_of_tickets
from tickets.models import Priority, Status
from tickets.people import find_people
from tickets.services import change_ticket

_COLUMNS = ("number", "title", "status", "priority", "category", "tags", "created_by_id", "assigned_to_id")
_TIMES = ("created_at", "updated_at")


def _priority_action(priority: Priority) -> Callable[..., None]:
    @action(description=gettext_lazy("Set priority: %s") % priority.label, permissions=["change"])
    def set_priority(admin: "QueueAdmin", request: HttpRequest, queryset: TenantQuerySet) -> None:
        admin.change_selected(request, queryset, {"priority": priority.value})

    set_priority.__name__ = f"set_priority_{priority.value}"
    return set_priority


class QueueAdmin(ServiceModelAdmin):
    """A queue by views and filters."""

    list_before_template = "tickets/console/views.html"

    list_display = ("summary", "status_badge", "priority_badge", "requester", "assignee", "age", "last_activity")
    list_display_links = None
    list_fullwidth = True
    list_filter = (
        filters.ViewFilter,
        filters.RequesterFilter,
        filters.StatusFilter,
        filters.PriorityFilter,
        filters.AssigneeFilter,
        filters.TeamFilter,
        filters.CategoryFilter,
        filters.TagFilter,
        *periods.FILTERS,
    )
    search_fields = ("all_terms",)
    search_help_text = gettext_lazy("Search words, or a ticket's number")
    sortable_by = ("age", "last_activity")
    ordering = ("-updated_at",)
    actions = ("assign_to_me", "resolve", *(_priority_action(priority) for priority in Priority))

    def get_navigation(self, request: HttpRequest) -> Iterable[Item]:
        if not self.has_module_permission(request):
            return
        group, link = _("Tickets"), self.changelist_url
        current = filters.view_of(request).name if request.path == link else ""
        for view in filters.VIEWS.values():
            yield Item(group, str(view.title), f"{link}?view={view.name}", view.icon, view.name == current)
        add = reverse("console:tickets_ticket_add")
        yield Item(group, _("New ticket"), add, "add", request.path == add)

    def get_queryset(self, request: HttpRequest) -> TenantQuerySet:
        return visible_tickets(actor_of(request))

    def get_columns(self) -> Sequence[str]:
        return (*_COLUMNS, *_TIMES)

    def get_page(self, request: HttpRequest, rows: TenantQuerySet, asked: PageRequest) -> Page:
        column, direction = sort_of(rows)[0]
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

    def count_rows(self, request: HttpRequest, rows: TenantQuerySet) -> int:
        return count_tickets(actor_of(request), rows, cap=COUNT_CAP + 1)

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
                self.message_user(request, error.errors[0].message.capitalize(), messages.WARNING)
                return queryset.none(), False
            return queryset, False
        return found, False

    def prepare_rows(self, request: HttpRequest, rows: list[Any]) -> list[Any]:
        ids = [id_ for row in rows for id_ in (row.created_by_id, row.assigned_to_id)]
        people = find_people(actor_of(request), ids)
        for row in rows:
            row.requester_person = people.get(row.created_by_id)
            row.assignee_person = people.get(row.assigned_to_id)
        return rows

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        view = filters.view_of(request)
        views = [(each, each is view) for each in filters.VIEWS.values()]
        return super().changelist_view(request, {"title": view.title, "views": views, **(extra_context or {})})

    @display(description=gettext_lazy("Ticket"))
    def summary(self, ticket: Any) -> SafeString:
        link = reverse("console:tickets_ticket_change", args=[ticket.pk])
        tags = format_html_join("", ' <span class="console-tag">{}</span>', ((tag,) for tag in ticket.tags))
        return format_html(
            '<a class="ticket-link" href="{}"><span class="ticket-number">#{}</span> {}</a>{}',
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

    @display(description=gettext_lazy("Assignee"), empty_value="–")
    def assignee(self, ticket: Any) -> str | None:
        return _name(ticket.assignee_person)

    @display(description=gettext_lazy("Age"), ordering="-created_at")
    def age(self, ticket: Any) -> SafeString:
        return age(ticket.created_at)

    @display(description=gettext_lazy("Last activity"), ordering="-updated_at")
    def last_activity(self, ticket: Any) -> SafeString:
        return moment(ticket.updated_at)

    # --- bulk actions ---------------------------------------------------------------------------------------------

    @action(description=gettext_lazy("Assign to me"), permissions=["change"])
    def assign_to_me(self, request: HttpRequest, queryset: TenantQuerySet) -> None:
        self.change_selected(request, queryset, {"assigned_to": actor_of(request).user_id})

    @action(description=gettext_lazy("Resolve"), permissions=["change"])
    def resolve(self, request: HttpRequest, queryset: TenantQuerySet) -> None:
        self.change_selected(request, queryset, {"status": Status.RESOLVED.value})

    def change_selected(self, request: HttpRequest, queryset: TenantQuerySet, wanted: dict[str, Any]) -> None:
        """Changes each selected ticket and tells which ones refused and why."""
        actor = actor_of(request)
        tickets = queryset.only("number", "title")
        self.work_on_selected(request, tickets, lambda ticket: change_ticket(actor, ticket.pk, wanted))


def _name(person: Document | None) -> str | None:
    return None if person is None else person["name"]
