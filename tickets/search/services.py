"""Keeping the stored words as they would be written now."""

from collections import defaultdict

from tenants.models import Tenant
from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Document
from tickets.conversation.repository import CommentRepository
from tickets.privacy.rules import remaining_terms
from tickets.repository import TicketRepository
from tickets.search.rules import form_of, language_of

BATCH = 500
_READ = ("number", "title", "description", "version")


def renew_terms(tenant: Tenant, below: int | None = None) -> tuple[int, int]:
    """Looks at the BATCH numbers below one (None: at the last ones), makes the words of these tickets anew where they
    are of another form, and returns of how many, and the number to go on below (1: that was all).

    A ticket that changes meanwhile is left alone: who changed it has written its words, or the next run does. The
    words are no change of the ticket: its version stays.
    """
    tickets = TicketRepository(tenant.pk)
    if below is None:
        newest = tickets.find({}, fields=["number"], sort=[("number", -1)], limit=1)
        below = 1 + newest[0]["number"] if newest else 1
    language = language_of(tenant.locale)
    start = max(1, below - BATCH)
    stale = {
        "number": {"$gte": start, "$lt": below},
        "terms_form": {"$ne": form_of(language)},
        "redacted_at": None,
    }
    found = tickets.find(stale, fields=_READ, hint="tickets_number")
    threads = _threads(tenant.pk, [ticket["_id"] for ticket in found])
    renewed = 0
    for ticket in found:
        terms = remaining_terms(ticket, threads[ticket["_id"]], language)
        renewed += tickets.update_all({"_id": ticket["_id"], "version": ticket["version"]}, terms)
    return renewed, start


def _threads(tenant_id: ObjectId, ticket_ids: list[ObjectId]) -> dict[ObjectId, list[Document]]:
    threads: dict[ObjectId, list[Document]] = defaultdict(list)
    if ticket_ids:
        fields = ["ticket_id", "body", "visibility"]
        for comment in CommentRepository(tenant_id).find({"ticket_id": {"$in": ticket_ids}}, fields=fields):
            threads[comment["ticket_id"]].append(comment)
    return threads
