"""Periods of time, cut into the pieces that are counted already and those that are not. Pure; all days are UTC."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

ONE_DAY = timedelta(days=1)
Days = tuple[date | None, date | None]
Moments = tuple[datetime | None, datetime | None]


@dataclass(frozen=True, slots=True)
class Pieces:
    """Half-open ranges that do not overlap and together are the period; None is an open end.

    ``months`` runs over whole months, ``days`` over further whole days, ``edges`` over what is left.
    """

    months: Days | None
    days: tuple[Days, ...]
    edges: tuple[Moments, ...]


def cut(start: datetime | None, end: datetime | None, *, by_day: bool) -> Pieces:
    """Cuts the period [start, end) into as few and as long pieces as can be; without ``by_day`` days become edges."""
    days = whole_days(start, end)
    if days is None:
        return Pieces(None, (), ((start, end),))
    first, last = days
    months = _whole_months(first, last)
    inner: Days | None = days if by_day else months
    if inner is None:
        return Pieces(None, (), ((start, end),))
    edges = [(start, _midnight(inner[0])), (_midnight(inner[1]), end)]
    rest = [days] if months is None else [(first, months[0]), (months[1], last)]
    return Pieces(
        months,
        tuple((low, high) for low, high in rest if low != high) if by_day else (),
        tuple((low, high) for low, high in edges if low != high),
    )


def whole_days(start: datetime | None, end: datetime | None) -> Days | None:
    """The days that lie in [start, end) entirely, or None when there is none."""
    first = None if start is None else day_after(start)
    last = None if end is None else end.date()
    return None if first is not None and last is not None and first >= last else (first, last)


def day_after(moment: datetime) -> date:
    """The first day that begins at or after the moment."""
    return moment.date() if moment.timetz() == time(tzinfo=UTC) else moment.date() + ONE_DAY


def each_day(first: date, last: date) -> list[date]:
    """The days of [first, last)."""
    return [first + timedelta(days=number) for number in range((last - first).days)]


def months_of(first: date, last: date) -> list[str]:
    """The months that the days of [first, last) lie in, as 2024-01."""
    return sorted({day.isoformat()[:7] for day in each_day(first, last)})


def contains(days: Days | None, day: str) -> bool:
    """Whether an ISO day lies in the range."""
    if days is None:
        return False
    first, last = days
    return (first is None or first.isoformat() <= day) and (last is None or day < last.isoformat())


def _whole_months(first: date | None, last: date | None) -> Days | None:
    low = None if first is None else _month_from(first)
    high = None if last is None else last.replace(day=1)
    return None if low is not None and high is not None and low >= high else (low, high)


def _month_from(day: date) -> date:
    return day if day.day == 1 else (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), UTC)
