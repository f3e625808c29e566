"""The console's pages about tickets; importing this registers them."""

from tickets.console.admin import TicketAdmin
from tickets.console.privacy import ErasureAdmin, HoldAdmin

__all__ = ["ErasureAdmin", "HoldAdmin", "TicketAdmin"]
