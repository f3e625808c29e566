"""`manage.py import_tickets`: tickets from a CSV or JSON lines file."""

import csv
import sys
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from tenants.models import Tenant
from tenants.services import find_tenant
from ticketing.errors import TicketingError
from tickets.transfer.importing import BATCH, ImportOptions, ImportReport, Rejection, import_tickets
from tickets.transfer.mapping import FIELDS, FieldMapping
from tickets.transfer.reading import SourceFile

SHOWN_REJECTIONS = 20
_DETAILS = f"""
fields: {", ".join(FIELDS[:10])},
        {", ".join(FIELDS[10:])}

A mapping file (TOML, or JSON of the same shape) has the tables [columns] (field = "column"), [values.<field>]
(source = "target") and [constants] (field = "value"); --map, --value and --set add to it. Without any columns, those
named like a field are taken. Requester and assignee are e-mail addresses; comments (JSON lines only) are a list of
objects with author, body, created_at, and optionally author_name and visibility.

An empty title is made of the description's first words; a title of more than 200 characters is cut, and stands whole
at the beginning of the description. The exit code is 0 when the file was read to its end, rejected rows or not.
"""


class Command(BaseCommand):
    help = "Imports tickets from a CSV or JSON lines file. Can be interrupted and run again; sends nothing to anybody."
    requires_system_checks = ()  # they take longer than a thousand tickets

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.epilog, parser.formatter_class = _DETAILS, RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        parser.add_argument("--mapping", type=Path, metavar="FILE", help="columns, value maps and constants")
        parser.add_argument("--map", action="append", default=[], metavar="FIELD=COLUMN")
        parser.add_argument("--value", action="append", default=[], metavar="FIELD.SOURCE=TARGET")
        parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="where the row has none")
        parser.add_argument("--dry-run", action="store_true", help="check everything, store nothing")
        parser.add_argument("--rejects", type=Path, metavar="FILE", help="write every rejected row's reasons as CSV")
        parser.add_argument(
            "--no-create-users", action="store_true", help="reject rows of customers without an account"
        )
        parser.add_argument("--time-zone", type=_zone, metavar="ZONE", help="of times without one (the tenant's)")
        parser.add_argument("--time-format", default="", metavar="FORMAT", help="as in strptime (ISO 8601)")
        parser.add_argument("--format", choices=["csv", "jsonl"], default="", help="told by the file's name otherwise")
        parser.add_argument("--encoding", default="utf-8-sig", help="default: UTF-8")
        parser.add_argument("--delimiter", default=",", help="of CSV (,)")
        parser.add_argument("--batch", type=int, default=BATCH, help=f"tickets in one transaction ({BATCH})")

    def handle(self, *, file: Path, tenant: str, dry_run: bool, rejects: Path | None, **options: Any) -> None:
        try:
            source = SourceFile(file, options["format"], options["encoding"], options["delimiter"])
            mapping = FieldMapping.from_file(options["mapping"]) if options["mapping"] else FieldMapping()
            mapping = mapping.extended(options["map"], options["value"], options["set"])
            import_options = ImportOptions(
                dry_run=dry_run,
                create_users=not options["no_create_users"],
                zone=options["time_zone"],
                time_format=options["time_format"],
                batch=max(1, options["batch"]),
            )
            self._import(_tenant(tenant), source, mapping, import_options, rejects)
        except TicketingError as error:
            raise CommandError(error.detail) from None

    def _import(
        self, tenant: Tenant, source: SourceFile, mapping: FieldMapping, options: ImportOptions, rejects: Path | None
    ) -> None:
        started = time.monotonic()
        source.fingerprint()
        shown = sys.stderr.isatty()
        last = ImportReport()
        with (
            _rejection_file(rejects) as writer,
            tqdm(total=source.count() if shown else None, unit=" rows", file=sys.stderr, disable=not shown) as bar,
        ):

            def on_batch(report: ImportReport) -> None:
                nonlocal last
                last = report
                bar.update(report.rows - bar.n)

            def on_rejection(rejection: Rejection) -> None:
                for error in rejection.errors:
                    writer.write(rejection.line, error.field, error.message)

            try:
                import_tickets(tenant, source, mapping, options, on_batch=on_batch, on_rejection=on_rejection)
            except KeyboardInterrupt:
                bar.close()
                self._report(last, options, writer)
                raise CommandError(
                    "Interrupted. Run the same command again to go on: what is stored is skipped.", returncode=130
                ) from None
        self._report(last, options, writer)
        seconds = time.monotonic() - started
        self.stdout.write(f"{seconds:.1f} s, {last.rows / seconds:,.0f} rows a second")

    def _report(self, report: ImportReport, options: ImportOptions, writer: "_RejectionWriter") -> None:
        verb = "would be imported" if options.dry_run else "imported"
        self.stdout.write(
            f"{report.rows} rows read: {report.imported} {verb}, {report.present} already there, "
            f"{report.rejected} rejected; {report.new_users} new customer accounts"
        )
        for reason, amount in report.reasons.most_common():
            self.stdout.write(f"  {amount} × {reason}")
        for line in writer.shown:
            self.stderr.write(line)
        if writer.hidden:
            self.stderr.write(f"… and {writer.hidden} more; --rejects FILE has them all")


class _RejectionWriter:
    """Writes reasons to the file if there is one; otherwise keeps the first ones to show."""

    def __init__(self, file: Any = None) -> None:
        self._csv = csv.writer(file) if file else None
        self.shown: list[str] = []
        self.hidden = 0
        if self._csv:
            self._csv.writerow(["line", "field", "reason"])

    def write(self, line: int, field: str, reason: str) -> None:
        if self._csv:
            self._csv.writerow([line, field, reason])
        elif len(self.shown) < SHOWN_REJECTIONS:
            self.shown.append(f"line {line}: {field}: {reason}")
        else:
            self.hidden += 1


@contextmanager
def _rejection_file(path: Path | None) -> Iterator[_RejectionWriter]:
    if path is None:
        yield _RejectionWriter()
        return
    try:
        file = path.open("w", newline="", encoding="utf-8")
    except OSError as error:
        raise CommandError(f"--rejects {path}: {error.strerror}") from None
    with file:
        yield _RejectionWriter(file)


def _tenant(slug: str) -> Tenant:
    tenant = find_tenant(slug)
    if tenant is None:
        raise CommandError(f"There is no tenant {slug!r}; manage.py create_tenant creates one")
    return tenant


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CommandError(f"--time-zone: {name!r} is not an IANA zone such as Europe/Berlin") from None
