"""What the dashboard is asked to show: the days and the team that its URL names."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ticketing import clock
from ticketing.mongo import ObjectId, parse_object_id
from tickets.console.queue.filters import NOBODY

PERIODS = {
    "7": _("Last 7 days"),
    "30": _("Last 30 days"),
    "90": _("Last 90 days"),
    "month": _("This month"),
    "custom": _("From … to …"),
}
_DEFAULT = "30"


@dataclass(frozen=True, slots=True)
class Asked:
    """``first`` and ``last`` are UTC days; ``team`` is an id, NOBODY for tickets without a team, or empty for all.

    ``problem`` says why it is not the period that the URL asks for.
    """

    period: str
    first: date
    last: date
    team: str
    problem: str = ""

    @property
    def teams(self) -> tuple[ObjectId | None, ...]:
        """The same as the statistics ask for it; what is no id stands for a team that nobody has."""
        if not self.team:
            return ()
        return (None,) if self.team == NOBODY else (parse_object_id(self.team) or ObjectId("0" * 24),)


def asked_for(request: HttpRequest) -> Asked:
    """What the URL says; the last 30 days where it says nothing, or nothing that can be understood."""
    given, today = request.GET, clock.now().date()
    period, team = given.get("period", _DEFAULT), given.get("team", "")
    if period == "custom":
        first, last = _day(given.get("from", "")), _day(given.get("to", ""))
        if first and last:
            return Asked(period, first, last, team)
        return default_for(team, gettext("it needs a first and a last day"))
    if period == "month":
        return Asked(period, today.replace(day=1), today, team)
    period = period if period in ("7", "30", "90") else _DEFAULT
    return Asked(period, today - timedelta(days=int(period) - 1), today, team)


def default_for(team: str, problem: str) -> Asked:
    """The last 30 days of a team, instead of what cannot be shown."""
    today = clock.now().date()
    return Asked(_DEFAULT, today - timedelta(days=int(_DEFAULT) - 1), today, team, problem)


def query_of(asked: Asked) -> dict[str, Any]:
    """The parameters that ask for it."""
    days = {"from": asked.first.isoformat(), "to": asked.last.isoformat()} if asked.period == "custom" else {}
    return {"period": asked.period, **days, **({"team": asked.team} if asked.team else {})}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
