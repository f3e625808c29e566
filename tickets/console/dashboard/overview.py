"""The tickets' part of the overview: what is open, what went on, and how long it took, each leading to its list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.console.acting import actor_of
from ticketing.console.refusals import explain
from ticketing.console.spreadsheets import csv_answer
from ticketing.errors import InvalidInput
from ticketing.mongo import parse_object_id
from tickets.console.choices import people_and_choices, team_choices
from tickets.console.dashboard.period import PERIODS, Asked, asked_for, default_for, query_of
from tickets.console.dashboard.tables import Table, backlog_tables, day_table, in_period, in_view
from tickets.console.queue.filters import NOBODY
from tickets.stats.services import desk_stats


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with what it means; ``query`` is the list's part of the URL."""

    label: str
    value: Any
    query: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """What one request shows."""

    asked: Asked
    stats: Mapping[str, Any]
    backlog: Sequence[Table]
    days: Table

    @property
    def is_empty(self) -> bool:
        counts = (count for row in self.days.rows for count in row.counts)
        return not self.stats["total"] and not any(each.count for each in counts)


def tickets_panel(request: HttpRequest, queue_url: str) -> str:
    """The dashboard as HTML."""
    dashboard = _dashboard(request)
    asked = dashboard.asked
    context = {
        "asked": asked,
        "is_empty": dashboard.is_empty,
        "periods": PERIODS.items(),
        "teams": [(NOBODY, _("No team")), *team_choices(request)],
        "now": _open_figures(request, dashboard),
        "flow": _period_figures(dashboard),
        "days": dashboard.days,
        "backlog": dashboard.backlog,
        "queue_url": queue_url,
        "query": urlencode(query_of(asked)),
    }
    return render_to_string("tickets/console/dashboard/dashboard.html", context, request)


def download_table(request: HttpRequest, name: str, model_admin: Any) -> HttpResponse:
    """One of the dashboard's tables as CSV."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    dashboard = _dashboard(request)
    tables = {table.name: table.lines() for table in (*dashboard.backlog, dashboard.days)}
    lines = {**tables, "times": _time_lines(dashboard.stats)}.get(name)
    if lines is None:
        answer: HttpResponse = model_admin.missing(request)
        return answer
    asked = dashboard.asked
    return csv_answer(f"tickets-{name}-{asked.first.isoformat()}-{asked.last.isoformat()}", lines)


ROUTES = (("dashboard/<str:name>.csv", "tickets_ticket_dashboard_table", download_table),)


def _dashboard(request: HttpRequest) -> Dashboard:
    actor, asked = actor_of(request), asked_for(request)
    try:
        stats = desk_stats(actor, team=asked.teams, first=asked.first, last=asked.last)
    except InvalidInput as error:
        asked = default_for(asked.team, explain(error))
        stats = desk_stats(actor, team=asked.teams, first=asked.first, last=asked.last)
    agents = [parse_object_id(id_) for id_ in stats["assigned_to"] if id_ != "none"]
    people = {str(id_): person["name"] for id_, person in people_and_choices(request, agents).items()}
    tables = backlog_tables(stats, asked, people, dict(team_choices(request)), str(actor.user_id))
    return Dashboard(asked, stats, tables, day_table(stats, asked))


def _open_figures(request: HttpRequest, dashboard: Dashboard) -> list[Figure]:
    stats, asked = dashboard.stats, dashboard.asked
    agents: Mapping[str, int] = stats["assigned_to"]
    mine = agents.get(str(actor_of(request).user_id), 0)
    return [
        Figure(_("My open tickets"), mine, in_view(asked, "mine")),
        Figure(_("Unassigned"), agents.get("none", 0), in_view(asked, "unassigned")),
        Figure(_("All open"), stats["total"], in_view(asked, "open")),
    ]


def _period_figures(dashboard: Dashboard) -> list[Figure]:
    stats, asked = dashboard.stats, dashboard.asked
    created, resolved = (sum(day[name] for day in stats["per_day"]) for name in ("created", "resolved"))
    responses, resolutions = stats["first_response_time"], stats["resolution_time"]
    answered, done = in_period(asked, "responded"), in_period(asked, "resolved")
    return [
        Figure(_("Created"), created, in_period(asked, "created")),
        Figure(_("Resolved"), resolved, done),
        Figure(_("First response, median"), duration(responses["median_seconds"]), answered, _tickets(responses)),
        Figure(_("First response, 90th percentile"), duration(responses["p90_seconds"]), answered, _tickets(responses)),
        Figure(_("Resolution, median"), duration(resolutions["median_seconds"]), done, _tickets(resolutions)),
        Figure(_("Resolution, 90th percentile"), duration(resolutions["p90_seconds"]), done, _tickets(resolutions)),
    ]


def _tickets(summary: Mapping[str, int]) -> str:
    count = summary["count"]
    return ngettext("of %(count)d ticket", "of %(count)d tickets", count) % {"count": count}


def duration(seconds: int | None) -> str:
    """A length of time in its two largest units."""
    if seconds is None:
        return "–"
    minutes, hours = round(seconds / 60), round(seconds / 3600)
    if seconds < 60:
        return _("%(seconds)d s") % {"seconds": seconds}
    if minutes < 60:
        return _("%(minutes)d min") % {"minutes": minutes}
    if minutes < 24 * 60:
        return _("%(hours)d h %(minutes)d min") % {"hours": minutes // 60, "minutes": minutes % 60}
    return _("%(days)d d %(hours)d h") % {"days": hours // 24, "hours": hours % 24}


def _time_lines(stats: Mapping[str, Any]) -> list[Sequence[Any]]:
    rows = ((_("First response"), stats["first_response_time"]), (_("Resolution"), stats["resolution_time"]))
    return [
        (_("Time"), _("Tickets"), _("Median in seconds"), _("90th percentile in seconds")),
        *((name, each["count"], each["median_seconds"], each["p90_seconds"]) for name, each in rows),
    ]
