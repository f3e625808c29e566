"""The statistics counted the slow way: over every ticket's document, in plain Python."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from math import ceil
from typing import Any

from tickets.stats.durations import bucket_of, middle
from tickets.stats.rules import StatsFilter
from tickets.workflow.rules import UNRESOLVED

Document = dict[str, Any]
COLUMNS = {"assigned_to": "assigned_to_id", "team": "team_id"}
NAMES = ("status", "priority", "type", "category", "assigned_to", "team")


def counted(
    tickets: Iterable[Document],
    filters: StatsFilter,
    start: datetime | None,
    end: datetime | None,
    days: tuple[date, date],
    today: date,
) -> dict[str, Any]:
    """What ``ticket_stats`` must answer, zeros left out."""
    matching = [ticket for ticket in tickets if _matches(ticket, filters)]
    created = [t for t in matching if (not start or start <= t["created_at"]) and (not end or t["created_at"] < end)]
    per_day = Counter(ticket["created_at"].date() for ticket in created)
    resolved = Counter(ticket["resolved_at"].date() for ticket in matching if ticket["resolved_at"])
    ages = [(today - t["created_at"].date()).days for t in created if t["status"] in UNRESOLVED]
    listed = [days[0] + timedelta(days=n) for n in range((days[1] - days[0]).days)]
    return {
        "total": len(created),
        **{name: Counter(_value(ticket, name) for ticket in created) for name in NAMES},
        "age": Counter(_bucket(age) for age in ages),
        "per_day": {day: (per_day[day], resolved[day]) for day in listed if per_day[day] or resolved[day]},
        "first_response_time": _times(matching, "first_responded_at", days),
        "resolution_time": _times(matching, "resolved_at", days),
    }


def _times(tickets: list[Document], column: str, days: tuple[date, date]) -> dict[str, int | None]:
    """The percentiles of the single durations, each as the middle of its bucket."""
    done = [ticket for ticket in tickets if ticket[column] and days[0] <= ticket[column].date() < days[1]]
    elapsed = sorted(ticket[column] - ticket["created_at"] for ticket in done)
    median, p90 = (
        middle(bucket_of(elapsed[ceil(share * len(elapsed)) - 1])) if elapsed else None for share in (0.5, 0.9)
    )
    return {"count": len(elapsed), "median_seconds": median, "p90_seconds": p90}


def answered(stats: dict[str, Any]) -> dict[str, Any]:
    """An answer of ``ticket_stats`` in the same form."""
    return {
        "total": stats["total"],
        **{name: {value: n for value, n in stats[name].items() if n} for name in (*NAMES, "age")},
        "per_day": {
            day["date"]: (day["created"], day["resolved"])
            for day in stats["per_day"]
            if day["created"] or day["resolved"]
        },
        "first_response_time": stats["first_response_time"],
        "resolution_time": stats["resolution_time"],
    }


def _matches(ticket: Document, filters: StatsFilter) -> bool:
    if filters.tag and not set(filters.tag) & set(ticket["tags"]):
        return False
    return all(ticket[COLUMNS.get(n, n)] in getattr(filters, n) for n in NAMES if getattr(filters, n))


def _value(ticket: Document, name: str) -> str:
    value = ticket[COLUMNS.get(name, name)]
    return "none" if value is None else str(value)


def _bucket(age: int) -> str:
    bounds = [(0, "today"), (2, "1-2"), (6, "3-6"), (29, "7-29"), (89, "30-89")]
    return next((name for last, name in bounds if age <= last), "90+")
