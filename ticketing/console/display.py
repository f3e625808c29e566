"""How values look in lists and on pages."""

from datetime import datetime, timedelta
from typing import Any

from django.template.defaultfilters import date as format_date
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from ticketing import clock

# Whole phrases: "3 days" ends otherwise behind a preposition in many languages.
_AGO: dict[str, Any] = {
    "year": ngettext_lazy("%(num)d year ago", "%(num)d years ago", "num"),
    "month": ngettext_lazy("%(num)d month ago", "%(num)d months ago", "num"),
    "week": ngettext_lazy("%(num)d week ago", "%(num)d weeks ago", "num"),
    "day": ngettext_lazy("%(num)d day ago", "%(num)d days ago", "num"),
    "hour": ngettext_lazy("%(num)d hour ago", "%(num)d hours ago", "num"),
    "minute": ngettext_lazy("%(num)d minute ago", "%(num)d minutes ago", "num"),
}
_IN: dict[str, Any] = {
    "year": ngettext_lazy("in %(num)d year", "in %(num)d years", "num"),
    "month": ngettext_lazy("in %(num)d month", "in %(num)d months", "num"),
    "week": ngettext_lazy("in %(num)d week", "in %(num)d weeks", "num"),
    "day": ngettext_lazy("in %(num)d day", "in %(num)d days", "num"),
    "hour": ngettext_lazy("in %(num)d hour", "in %(num)d hours", "num"),
    "minute": ngettext_lazy("in %(num)d minute", "in %(num)d minutes", "num"),
}


def badge(value: str, label: object) -> SafeString:
    """A coloured label; the colour belongs to the value (see console.css)."""
    return format_html('<span class="console-badge console-badge-{}">{}</span>', value, label)


def moment(at: datetime | None) -> SafeString:
    """How long ago it was, with the exact time as its title."""
    if at is None:
        return format_html('<span class="console-quiet">{}</span>', "–")
    return _time(at, timesince(at, depth=1, time_strings=_AGO) if _is_past(at) else _("just now"))


def exact_moment(at: datetime) -> SafeString:
    """When it was, in the reader's time zone."""
    return _time(at, format_date(timezone.localtime(at), _("D j M Y, H:i T")))


def coming(at: datetime) -> SafeString:
    """In how long it will be, with the exact time as its title."""
    ahead = at - clock.now() >= timedelta(minutes=1)
    return _time(at, timeuntil(at, depth=1, time_strings=_IN) if ahead else _("now"))


def age(at: datetime) -> SafeString:
    """How old something is, in its largest unit, with the exact time as its title."""
    return _time(at, timesince(at, depth=1) if _is_past(at) else _("just now"))


def figure(number: int) -> str:
    """A number as the reader's language writes it, with its thousands apart."""
    return number_format(number, force_grouping=True)


def _is_past(at: datetime) -> bool:
    return clock.now() - at >= timedelta(minutes=1)


def _time(at: datetime, shown: str) -> SafeString:
    exact = format_date(timezone.localtime(at), _("D j M Y, H:i T"))
    return format_html('<time class="console-nowrap" datetime="{}" title="{}">{}</time>', at.isoformat(), exact, shown)
