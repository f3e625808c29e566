"""The dashboard's tables: each count with the list that it counts. The page shows and draws them, CSV holds them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ticketing import clock
from tickets.console.dashboard.period import Asked
from tickets.console.queue.filters import ME, NOBODY
from tickets.console.queue.periods import days_text
from tickets.models import Priority, Status
from tickets.stats.tally import AGE_BUCKETS
from tickets.workflow.rules import UNRESOLVED

_AGES = {
    "today": gettext_lazy("Today"),
    "1-2": gettext_lazy("1–2 days"),
    "3-6": gettext_lazy("3–6 days"),
    "7-29": gettext_lazy("7–29 days"),
    "30-89": gettext_lazy("30–89 days"),
    "90+": gettext_lazy("90 days and more"),
}


OpenRow = tuple[Any, int, dict[str, str]]
# Rows of a table that the page shows; a file has all of them.
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Count:
    """A count, and the list's part of the URL that shows what it counts."""

    count: int
    query: str


@dataclass(frozen=True, slots=True)
class Row:
    """``key`` is what files say for it, where that is not the label."""

    label: Any
    counts: Sequence[Count]
    key: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Row]

    @property
    def most(self) -> int:
        """The largest count, which a bar is as long as the table is wide for; at least 1."""
        return max((each.count for row in self.rows for each in row.counts), default=1) or 1

    @property
    def shown(self) -> Sequence[Row]:
        return self.rows[:_SHOWN]

    @property
    def hidden(self) -> int:
        """How many rows the page leaves to the file."""
        return len(self.rows) - len(self.shown)

    def lines(self) -> Iterable[Sequence[Any]]:
        """Its head and its rows, as a file has them."""
        yield self.columns
        for row in self.rows:
            yield [row.key or row.label, *(each.count for each in row.counts)]


def backlog_tables(
    stats: Mapping[str, Any], asked: Asked, people: Mapping[str, str], teams: Mapping[str, str], user_id: str
) -> list[Table]:
    """Open tickets by status, priority, age, agent and, where no team is asked for, by team."""
    today, opened = clock.now().date(), _("Open tickets")
    by_status = [(Status(value).label, stats["status"][value], {"status": value}) for value in UNRESOLVED]
    by_priority = [(each.label, stats["priority"][each.value], {"priority": each.value}) for each in reversed(Priority)]
    by_age = [(str(_AGES[name]), n, {"created": _age_days(name, today)}) for name, n in stats["age"].items()]

    def table(name: str, title: str, column: str, rows: Iterable[OpenRow]) -> Table:
        return Table(name, title, (column, opened), [_open_row(asked, *each) for each in rows])

    tables = [
        table("status", _("Open by status"), _("Status"), by_status),
        table("priority", _("Open by priority"), _("Priority"), by_priority),
        table("age", _("Open by age"), _("Age"), by_age),
        table("agent", _("Open by agent"), _("Agent"), _by_agent(stats["assigned_to"], people, user_id)),
    ]
    if not asked.team:
        tables.append(table("team", _("Open by team"), _("Team"), _by_team(stats["team"], teams)))
    return tables


def day_table(stats: Mapping[str, Any], asked: Asked) -> Table:
    """Tickets created and resolved on each day of the period."""
    rows = [
        Row(
            date_format(each["date"], _("j M")),
            [
                Count(each["created"], _query(asked, view="all", created=days_text(each["date"], each["date"]))),
                Count(each["resolved"], _query(asked, view="all", resolved=days_text(each["date"], each["date"]))),
            ],
            each["date"].isoformat(),
        )
        for each in stats["per_day"]
    ]
    return Table("days", _("Created and resolved per day"), (_("Day"), _("Created"), _("Resolved")), rows)


def in_period(asked: Asked, name: str) -> str:
    """The list of what was ``created``, ``responded`` or ``resolved`` in the period."""
    return _query(asked, view="all", **{name: days_text(asked.first, asked.last)})


def in_view(asked: Asked, view: str) -> str:
    """A view of the queue, of the team that is asked for."""
    return _query(asked, view=view)


def _open_row(asked: Asked, label: Any, count: int, narrowed: Mapping[str, str]) -> Row:
    return Row(label, [Count(count, _query(asked, view="open", **narrowed))])


def _by_agent(counts: Mapping[str, int], people: Mapping[str, str], user_id: str) -> list[OpenRow]:
    agents = [
        (people.get(id_, _("Somebody")), count, {"assignee": ME if id_ == user_id else id_})
        for id_, count in counts.items()
        if id_ != "none"
    ]
    return [(_("Nobody"), counts.get("none", 0), {"assignee": NOBODY}), *agents]


def _by_team(counts: Mapping[str, int], teams: Mapping[str, str]) -> list[OpenRow]:
    named = [(teams.get(id_, _("Former team")), count, {"team": id_}) for id_, count in counts.items() if id_ != "none"]
    return [(_("No team"), counts.get("none", 0), {"team": NOBODY}), *named]


def _age_days(bucket: str, today: date) -> str:
    """The days on which tickets of the age were created."""
    youngest, oldest = AGE_BUCKETS[bucket]
    first = None if oldest is None else today - timedelta(days=oldest)
    # What is stored with a time to come is of today.
    return days_text(first, today - timedelta(days=youngest) if youngest else None)


def _query(asked: Asked, **parameters: str) -> str:
    return urlencode({**parameters, **({"team": asked.team} if asked.team else {})})
