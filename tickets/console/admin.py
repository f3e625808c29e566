"""Tickets in the console: the queue, the ticket page and the tickets' part of the overview."""

from collections.abc import Iterable

from django.http import HttpRequest

from accounts.roles import Action
from ticketing.console.site import site
from tickets.console.dashboard.overview import open_tickets_panel
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
            yield open_tickets_panel(request, self.changelist_url)


site.register(Ticket, TicketAdmin)
