"""Filters of the queue by what happened on which days, where the dashboard's figures lead to.

A value is a UTC day, or the first and the last of several, either of which may be left out: 2026-11-02,
2026-11-02..2026-11-08, 2026-11-02.. and ..2026-11-08.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ticketing.console.filters import TextFilter

_DAYS = re.compile(r"(\d{4}-\d\d-\d\d)?(\.\.)?(\d{4}-\d\d-\d\d)?", re.ASCII)
# The lists' order goes by the time that is asked for, whose index has the range.
_COLUMNS = {"created": "created_at", "responded": "first_responded_at", "resolved": "resolved_at"}


def days_text(first: date | None, last: date | None) -> str:
    """The value that asks for the days from ``first`` to ``last``; None is an open end."""
    if first == last and first is not None:
        return first.isoformat()
    return "..".join("" if day is None else day.isoformat() for day in (first, last))


def column_of(request: HttpRequest) -> str:
    """The time that a period is asked for by, which the list is to be ordered by; empty where there is none."""
    return next((column for name, column in reversed(_COLUMNS.items()) if request.GET.get(name)), "")


class PeriodFilter(TextFilter):
    """Shows only where it is set: links set it."""

    def has_output(self) -> bool:
        return bool(self.value())

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        """The rows of the days; none where the value is no days."""
        bounds = _bounds(value)
        if bounds is None:
            return queryset.none()
        column = _COLUMNS[str(self.parameter_name)]
        first, end = (None if day is None else datetime.combine(day, time(), UTC) for day in bounds)
        if first is not None:
            queryset = queryset.filter(**{f"{column}__gte": first})
        return queryset if end is None else queryset.filter(**{f"{column}__lt": end})


class CreatedFilter(PeriodFilter):
    title, parameter_name = _("Created (UTC)"), "created"


class RespondedFilter(PeriodFilter):
    title, parameter_name = _("First answered (UTC)"), "responded"


class ResolvedFilter(PeriodFilter):
    title, parameter_name = _("Resolved (UTC)"), "resolved"


FILTERS = (CreatedFilter, RespondedFilter, ResolvedFilter)


def _bounds(value: str) -> tuple[date | None, date | None] | None:
    """The first day, and the day after the last; None for what is no days."""
    found = _DAYS.fullmatch(value.strip())
    if not found or not (found[1] or found[3]) or (found[3] and not found[2]):
        return None
    try:
        first, last = (date.fromisoformat(day) if day else None for day in (found[1], found[3]))
        if not found[2]:
            last = first
        return first, None if last is None else last + timedelta(days=1)
    except (ValueError, OverflowError):
        return None
