"""What the overview says about the reader's own answers that did not go out as they were meant to."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_GET

from accounts.console.acting import actor_of
from ticketing.console.refusals import in_words
from tickets.drafts.services import find_problems, problem_of
from tickets.merging.lists import linked_tickets


@dataclass(frozen=True, slots=True)
class Unsent:
    """One of them: the ticket, and why."""

    name: str
    link: str
    problem: str


def unsent_place(request: HttpRequest) -> str:
    """Where the panel comes to be, by a request of its own."""
    return render_to_string("tickets/console/dashboard/unsent_place.html", {}, request)


@require_GET
def unsent_panel(request: HttpRequest, model_admin: Any) -> HttpResponse:
    """The panel as HTML, nothing where all went well."""
    if not model_admin.has_change_permission(request):
        raise PermissionDenied
    actor = actor_of(request)
    drafts = find_problems(actor)
    tickets = linked_tickets(actor, [draft["ticket_id"] for draft in drafts])
    shown = [
        Unsent(
            "#{number} {title}".format_map(tickets[draft["ticket_id"]]),
            reverse("console:tickets_ticket_change", args=[draft["ticket_id"]]),
            in_words(problem_of(draft)),
        )
        for draft in drafts
        if draft["ticket_id"] in tickets
    ]
    return render(request, "tickets/console/dashboard/unsent.html", {"unsent": shown})


ROUTES = (("dashboard/unsent/", "tickets_ticket_dashboard_unsent", unsent_panel),)
