"""What the overview says about the reader's own answers that did not go out as they were meant to."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.console.acting import actor_of
from accounts.roles import Action
from ticketing.console.refusals import in_words
from tickets.drafts.services import find_problems
from tickets.merging.lists import linked_tickets


@dataclass(frozen=True, slots=True)
class Unsent:
    """One of them: the ticket, and why."""

    name: str
    link: str
    problem: str


def unsent_panel(request: HttpRequest) -> str:
    """The panel as HTML, nothing where all went well."""
    actor = actor_of(request)
    drafts = find_problems(actor) if actor.can(Action.TICKETS_EDIT_ALL) else []
    if not drafts:
        return ""
    tickets = linked_tickets(actor, [draft["ticket_id"] for draft in drafts])
    shown = [
        Unsent(
            "#{number} {title}".format_map(tickets[draft["ticket_id"]]),
            reverse("console:tickets_ticket_change", args=[draft["ticket_id"]]),
            in_words(draft["problem"]),
        )
        for draft in drafts
        if draft["ticket_id"] in tickets
    ]
    return render_to_string("tickets/console/dashboard/unsent.html", {"unsent": shown}, request)
