"""The queue and the ticket page; importing this registers them."""

from tickets.console.admin import TicketAdmin

__all__ = ["TicketAdmin"]
