"""The queue and the ticket page."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin.decorators import action, display
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.console.acting import actor_of
from accounts.roles import Action
from ticketing.console.admin import ServiceModelAdmin
from ticketing.console.changelist import COUNT_CAP, sort_of
from ticketing.console.display import age, badge, moment
from ticketing.console.navigation import Item
from ticketing.console.site import site
from ticketing.errors import InvalidInput, NotFound
from ticketing.mongo.models import TenantQuerySet
from ticketing.mongo.pages import Page, PageRequest
from ticketing.mongo.repository import Document
from tickets.access import access_ticket, visible_tickets
from tickets.console import filters
from tickets.console.choices import find_addresses
from tickets.console.forms import NewTicketForm, TicketForm
from tickets.console.overview import open_tickets_panel
from tickets.console.page import described, events_of, history_context, ticket_context
from tickets.console.work import attach_files, work_on_ticket
from tickets.conversation.models import Visibility
from tickets.lists import count_tickets, matching, page_of_tickets
from tickets.models import Priority, Status, Ticket
from tickets.people import find_people, get_requester_id
from tickets.services import change_ticket, open_ticket

_COLUMNS = ("number", "title", "status", "priority", "category", "tags", "created_by_id", "assigned_to_id")
_TIMES = ("created_at", "updated_at")
_EVENTS_TOLD = 5
_SIDE = ("status", "priority", "assigned_to", "team", "category", "tags")


def _priority_action(priority: Priority) -> Callable[..., None]:
    @action(description=gettext_lazy("Set priority: %s") % priority.label, permissions=["change"])
    def set_priority(admin: "TicketAdmin", request: HttpRequest, queryset: TenantQuerySet) -> None:
        admin.change_selected(request, queryset, {"priority": priority.value})

    set_priority.__name__ = f"set_priority_{priority.value}"
    return set_priority


class TicketAdmin(ServiceModelAdmin):
    """Agents' day: a queue by views and filters, and one page for everything about a ticket."""

    navigation_position = 10
    add_title = gettext_lazy("New ticket")
    permissions = {
        "view": Action.TICKETS_READ_ALL,
        "add": Action.TICKETS_CREATE_FOR_OTHERS,
        "change": Action.TICKETS_EDIT_ALL,
    }
    form = TicketForm
    add_form = NewTicketForm
    change_form_template = "tickets/console/ticket.html"
    add_form_template = "tickets/console/new_ticket.html"
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
    )
    search_fields = ("all_terms",)
    search_help_text = gettext_lazy("Search words, or a ticket's number")
    sortable_by = ("age", "last_activity")
    ordering = ("-updated_at",)
    actions = ("assign_to_me", "resolve", *(_priority_action(priority) for priority in Priority))

    # --- the queue ------------------------------------------------------------------------------------------------

    def get_navigation(self, request: HttpRequest) -> Iterable[Item]:
        if not self.has_module_permission(request):
            return
        group, link = _("Tickets"), self.changelist_url
        current = filters.view_of(request).name if request.path == link else ""
        for view in filters.VIEWS.values():
            yield Item(group, str(view.title), f"{link}?view={view.name}", view.icon, view.name == current)
        add = reverse("console:tickets_ticket_add")
        yield Item(group, _("New ticket"), add, "add", request.path == add)

    def get_panels(self, request: HttpRequest) -> Iterable[str]:
        if self.has_module_permission(request):
            yield open_tickets_panel(request, self.changelist_url)

    def get_queryset(self, request: HttpRequest) -> TenantQuerySet:
        return visible_tickets(actor_of(request))

    def get_columns(self) -> Sequence[str]:
        return (*_COLUMNS, *_TIMES)

    def get_page(self, request: HttpRequest, rows: TenantQuerySet, asked: PageRequest) -> Page:
        column, direction = sort_of(rows)[0]
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

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("requesters/", "tickets_ticket_requesters", self.suggest_requesters),)

    def suggest_requesters(self, request: HttpRequest, model_admin: Any) -> HttpResponse:
        """E-mail addresses of active accounts that begin with ``q``, for whoever opens tickets for others."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return JsonResponse({"people": find_addresses(request.GET.get("q", ""))})

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

    # --- the ticket page ------------------------------------------------------------------------------------------

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Ticket | None:
        try:
            document = access_ticket(actor_of(request), object_id)
        except NotFound:
            return None
        return Ticket.from_document(document)

    def create_through_service(self, request: HttpRequest, values: dict[str, Any]) -> Ticket:
        actor = actor_of(request)
        requester = get_requester_id(actor, values.pop("requester_email"))
        return Ticket.from_document(open_ticket(actor, requester=requester, **values))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
            return
        actor, visibility = actor_of(request), form.cleaned_data["visibility"] or Visibility.PUBLIC.value
        comment = work_on_ticket(
            actor,
            obj.pk,
            changes=form.field_changes,
            reply=form.cleaned_data["reply"],
            visibility=visibility,
            expected_version=form.expected_version,
        )
        for refusal in attach_files(actor, obj.pk, form.cleaned_data["attachments"], comment, visibility):
            self.message_user(request, refusal, messages.ERROR)

    def changes_since(self, request: HttpRequest, obj: Any, version: int) -> list[str]:
        page = events_of(request, obj, PageRequest(_EVENTS_TOLD, last=True))
        newer = [event for event in page.rows if event["version"] > version]
        return [f"{event['who']} {event['what']}" for event in described(request, newer)]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        ticket = context["original"]
        if ticket is not None:
            try:
                context |= ticket_context(request, ticket)
            except InvalidInput:  # a cursor that is none
                return self.missing(request)
            form = context["adminform"].form
            context["side_fields"] = [form[name] for name in _SIDE]
            context["closed"] = ticket.status == Status.CLOSED
            context["status_badge"], context["priority_badge"] = self.status_badge(ticket), self.priority_badge(ticket)
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Stays on the page: the answer is to be seen in the conversation."""
        self.message_user(request, _("Saved."), messages.SUCCESS)
        return HttpResponseRedirect(self.page_url(obj))

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        self.message_user(request, _("Ticket #%(number)d was opened.") % {"number": obj.number}, messages.SUCCESS)
        return HttpResponseRedirect(self.page_url(obj))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The ticket's events; also the part of it that the ticket page loads when it is asked for."""
        ticket = self.get_object(request, object_id) if self.has_view_permission(request) else None
        if ticket is None:
            return self.missing(request)
        try:
            found = history_context(request, ticket)
        except InvalidInput:  # a cursor that is none
            return self.missing(request)
        context = {
            **self.admin_site.each_context(request),
            **found,
            "title": _("History of #%(number)d") % {"number": ticket.number},
            "ticket": ticket,
            "ticket_url": self.page_url(ticket),
            "opts": self.opts,
        }
        return TemplateResponse(request, "tickets/console/history.html", context)

    def page_url(self, ticket: Any) -> str:
        return reverse("console:tickets_ticket_change", args=[ticket.pk])


def _name(person: Document | None) -> str | None:
    return None if person is None else person["name"]


site.register(Ticket, TicketAdmin)
