"""The queue and the ticket page; importing this registers them."""

from tickets.console.admin import TicketAdmin
from tickets.console.privacy import ErasureAdmin, HoldAdmin

__all__ = ["ErasureAdmin", "HoldAdmin", "TicketAdmin"]
