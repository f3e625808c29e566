"""`manage.py tenant_usage`: what each tenant used on each day."""

import csv
import io
import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants.models import Tenant
from tenants.services import find_tenant
from tenants.usage.services import today, usage_of

COLUMNS = (*("tenant", "day", "requests", "cpu_milliseconds", "database_milliseconds", "stored_bytes", "mails"),)
Row = dict[str, Any]


class Command(BaseCommand):
    help = "Shows what each tenant used on each day (UTC): requests, times in milliseconds, stored bytes, mails."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", metavar="SLUG", help="only this tenant (default: all)")
        parser.add_argument("--since", metavar="YYYY-MM-DD", type=_day, help="default: the first of this month")
        parser.add_argument(
            "--until", metavar="YYYY-MM-DD", type=_day, help="the last day that counts (default: today)"
        )
        parser.add_argument("--format", choices=sorted(FORMATS), default="table")

    def handle(self, *, tenant: str | None, since: str | None, until: str | None, **options: Any) -> None:
        slugs = _slugs(tenant)
        found = usage_of(slugs, since or today()[:8] + "01", until or today())
        rows = [
            {"tenant": slugs[each["tenant_id"]], **{name: each.get(name, 0) for name in COLUMNS[1:]}} for each in found
        ]
        rows = [
            {name: round(value) if isinstance(value, float) else value for name, value in row.items()} for row in rows
        ]
        rows.sort(key=lambda row: (row["tenant"], row["day"]))
        self.stdout.write(FORMATS[options["format"]](rows))


def _day(text: str) -> str:
    """An ISO date, for argparse."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no day such as 2026-01-31") from None


def _slugs(slug: str | None) -> dict[Any, str]:
    if slug is None:
        return {each.pk: each.slug for each in Tenant.objects.only("slug")}
    tenant = find_tenant(slug)
    if tenant is None:
        raise CommandError(f"There is no tenant {slug!r}")
    return {tenant.pk: tenant.slug}


def _table(rows: Sequence[Row]) -> str:
    lines = [COLUMNS, *([str(row[name]) for name in COLUMNS] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    return "\n".join(_aligned(line, widths) for line in lines)


def _aligned(cells: Sequence[str], widths: Iterable[int]) -> str:
    """Names to the left, numbers to the right."""
    padded = [
        cell.ljust(width) if column < 2 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(padded).rstrip()


def _csv(rows: Sequence[Row]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().rstrip("\n")


FORMATS = {"table": _table, "json": lambda rows: json.dumps(rows, indent=2), "csv": _csv}
