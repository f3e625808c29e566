"""How values look in lists and on pages."""

from datetime import datetime

from django.template.defaultfilters import date as format_date
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince


def badge(value: str, label: object) -> SafeString:
    """A coloured label; the colour belongs to the value (see console.css)."""
    return format_html('<span class="console-badge console-badge-{}">{}</span>', value, label)


def moment(at: datetime | None) -> SafeString:
    """How long ago, in its largest unit, with the exact time as its title."""
    if at is None:
        return format_html('<span class="console-quiet">{}</span>', "–")
    local = timezone.localtime(at)
    return format_html(
        '<time class="console-nowrap" datetime="{}" title="{}">{}</time>',
        at.isoformat(),
        format_date(local, "D j M Y, H:i T"),
        timesince(at, depth=1),
    )
