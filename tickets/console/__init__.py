"""The console's pages about tickets; importing this registers them."""

from tickets.console import audit
from tickets.console.admin import TicketAdmin
from tickets.console.canned_replies import CannedReplyAdmin
from tickets.console.exports import ExportAdmin
from tickets.console.mentions import MentionAdmin
from tickets.console.privacy import ErasureAdmin, HoldAdmin

__all__ = ["CannedReplyAdmin", "ErasureAdmin", "ExportAdmin", "HoldAdmin", "MentionAdmin", "TicketAdmin", "audit"]
