"""Tickets in the console: the queue, the ticket page and the tickets' part of the overview."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest

from accounts.roles import Action
from ticketing.console.site import site
from tickets.console.dashboard import overview
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

    def get_panels(self, request: HttpRequest) -> Iterable[str]:
        if self.has_module_permission(request):
            yield overview.tickets_panel(request, self.changelist_url)

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (*super().get_custom_urls(), *overview.ROUTES)


site.register(Ticket, TicketAdmin)
