"""The ticket page: everything of TicketAdmin that shows and changes one ticket."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.console.acting import actor_of
from ticketing.console.admin import ServiceModelAdmin
from ticketing.errors import InvalidInput, NotFound
from ticketing.mongo.pages import PageRequest
from tickets.access import access_ticket
from tickets.console.choices import find_addresses
from tickets.console.ticket import composer, live, merging, people
from tickets.console.ticket.forms import NewTicketForm, TicketForm
from tickets.console.ticket.page import described, events_of, fields_context, history_context, ticket_context
from tickets.models import Ticket
from tickets.people import get_requester_id
from tickets.services import open_ticket

_EVENTS_TOLD = 5


class TicketPageAdmin(ServiceModelAdmin):
    """One page for everything about a ticket; its parts bring their own routes and context."""

    add_title = gettext_lazy("New ticket")
    form = TicketForm
    add_form = NewTicketForm
    change_form_template = "tickets/console/ticket.html"
    add_form_template = "tickets/console/new_ticket.html"

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            *super().get_custom_urls(),
            ("requesters/", "tickets_ticket_requesters", self.suggest_requesters),
            *composer.ROUTES,
            *live.ROUTES,
            *people.ROUTES,
            *merging.ROUTES,
        )

    def suggest_requesters(self, request: HttpRequest, model_admin: Any) -> HttpResponse:
        """E-mail addresses of active accounts that begin with ``q``, for whoever opens tickets for others."""
        self.check_may(request, "add")
        return JsonResponse({"people": find_addresses(request.GET.get("q", ""))})

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
        for refusal in composer.save(request, obj, form):
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
                context |= composer.context_of(request, ticket, context["adminform"].form)
                context |= live.context_of(request, ticket)
            except InvalidInput:  # a cursor that is none
                return self.missing(request)
            context |= fields_context(ticket, context["adminform"].form)
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        composer.allow_uploads(response)
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
