"""The tickets' part of the overview: what is open, each count leading to the list that it counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from accounts.console.acting import actor_of
from ticketing.mongo import parse_object_id
from tickets.console.queue.filters import ME, NOBODY
from tickets.models import Priority, Status
from tickets.people import find_people
from tickets.stats.rules import StatsFilter
from tickets.stats.services import ticket_stats
from tickets.workflow.rules import UNRESOLVED

_AGENTS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Figure:
    """A count; ``query`` is the list's part of the URL, empty where no list shows just these."""

    label: Any
    count: int
    query: str = ""


def open_tickets_panel(request: HttpRequest, queue_url: str) -> str:
    """Open tickets by view, status, priority, agent and age, as HTML."""
    actor = actor_of(request)
    stats = ticket_stats(actor, filters=StatsFilter(status=UNRESOLVED), days=1)
    agents: Mapping[str, int] = stats["assigned_to"]
    figures = [
        Figure(_("My open tickets"), agents.get(str(actor.user_id), 0), "view=mine"),
        Figure(_("Unassigned"), agents.get("none", 0), "view=unassigned"),
        Figure(_("All open"), stats["total"], "view=open"),
    ]
    groups = [
        (
            _("By status"),
            [Figure(Status(value).label, stats["status"][value], _query(status=value)) for value in UNRESOLVED],
        ),
        (
            _("By priority"),
            [
                Figure(label, stats["priority"].get(value, 0), _query(view="open", priority=value))
                for value, label in reversed(Priority.choices)
            ],
        ),
        (_("By agent"), _by_agent(request, agents)),
        (_("By age in days"), [Figure(label, count) for label, count in stats["age"].items()]),
    ]
    context = {"figures": figures, "groups": groups, "queue_url": queue_url}
    return render_to_string("tickets/console/overview.html", context, request)


def _by_agent(request: HttpRequest, agents: Mapping[str, int]) -> list[Figure]:
    actor = actor_of(request)
    shown = [(id_, count) for id_, count in agents.items() if id_ != "none"][:_AGENTS_SHOWN]
    people = find_people(actor, [parse_object_id(id_) for id_, _count in shown])
    names = {str(id_): person["name"] for id_, person in people.items()}
    return [
        Figure(
            names.get(id_, _("Somebody")), count, _query(view="open", assignee=ME if id_ == str(actor.user_id) else id_)
        )
        for id_, count in shown
    ] + [Figure(_("Nobody"), agents.get("none", 0), _query(view="open", assignee=NOBODY))]


def _query(**parameters: str) -> str:
    return urlencode(parameters)
