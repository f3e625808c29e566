"""Tickets in the console: the queue, the ticket page and the tickets' part of the overview."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import STAFF_ROLES, Action, Role
from ticketing.console.navigation import Item
from ticketing.console.site import site
from tickets.console.dashboard import overview, unsent
from tickets.console.queue.admin import QueueAdmin
from tickets.console.ticket.admin import TicketPageAdmin
from tickets.models import Ticket


class TicketAdmin(QueueAdmin, TicketPageAdmin):
    """Agents' day: a queue by views and filters, and one page for everything about a ticket."""

    navigation_position = 10
    permissions = {
        "view": Action.TICKETS_READ_ALL,
        "add": Action.TICKETS_CREATE_FOR_OTHERS,
        "change": Action.TICKETS_EDIT_ALL,
    }

    def get_page_links(self, request: HttpRequest, obj: Model) -> Iterable[Item]:
        """From a person's page to the tickets that are his to work on, or that he opened."""
        yield from super().get_page_links(request, obj)
        if isinstance(obj, User) and obj.role != Role.OPERATOR and self.can(request, "view"):
            is_staff = obj.role in STAFF_ROLES
            title = _("Open tickets assigned to %(name)s") if is_staff else _("Tickets of %(name)s")
            asked = {"view": "open", "assignee": obj.pk} if is_staff else {"view": "all", "requester": obj.pk}
            yield Item("", title % {"name": obj.name}, f"{self.changelist_url}?{urlencode(asked)}", "inbox")

    def get_panels(self, request: HttpRequest) -> Iterable[str]:
        if self.has_module_permission(request):
            yield unsent.unsent_place(request)
            yield overview.tickets_panel(request, self.changelist_url)

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (*super().get_custom_urls(), *overview.ROUTES, *unsent.ROUTES)


site.register(Ticket, TicketAdmin)
