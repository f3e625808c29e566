"""`manage.py backup`: a complete copy of the database, or of one tenant, with the files."""

import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from tenants.services import find_tenant
from ticketing.errors import TicketingError
from tickets.backup.places import open_place
from tickets.backup.saving import back_up, count_steps

SHOWN_MISSING = 20


class Command(BaseCommand):
    help = (
        "Copies everything as it was at one moment, while writes go on, into a folder or s3://bucket/prefix. It holds "
        "all tenants' data and password hashes. Left out: sign-ins, lock-outs, rate windows, leases of jobs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("destination", metavar="DESTINATION", help="a new or empty folder, or s3://bucket/prefix")
        parser.add_argument("--tenant", metavar="SLUG", help="only this tenant (default: everything)")
        parser.add_argument("--without-files", action="store_true", help="only documents, not the attachments' files")

    def handle(self, *, destination: str, tenant: str | None, without_files: bool, **options: Any) -> None:
        found = find_tenant(tenant) if tenant else None
        if tenant and found is None:
            raise CommandError(f"There is no tenant {tenant!r}")
        shown = sys.stderr.isatty()
        started = time.monotonic()
        try:
            total = count_steps(found, with_files=not without_files) if shown else None
            with tqdm(total=total, file=sys.stderr, disable=not shown) as bar:
                place = open_place(destination)
                manifest = back_up(
                    place, tenant=found, with_files=not without_files, by="backup", on_progress=bar.update
                )
        except TicketingError as error:
            raise CommandError(error.detail) from None
        except KeyboardInterrupt:
            raise CommandError(f"Interrupted: {destination} is no backup; remove it", returncode=130) from None
        seconds = time.monotonic() - started
        files = manifest.files
        self.stdout.write(
            f"{destination}: {manifest.documents:,} documents ({_mb(manifest.document_bytes)}, compressed "
            f"{_mb(manifest.stored_bytes)}) as of {manifest.made_at}, "
            + (f"{files.count:,} files ({_mb(files.bytes)})" if files else "without files")
        )
        self.stdout.write(
            f"{seconds:.1f} s, {_mb((manifest.document_bytes + (files.bytes if files else 0)) / seconds)} a second"
        )
        for key in files.missing[:SHOWN_MISSING] if files else ():
            self.stderr.write(f"the file {key} is missing or damaged, and not in the backup")
        if files and len(files.missing) > SHOWN_MISSING:
            self.stderr.write(f"… and {len(files.missing) - SHOWN_MISSING} more")


def _mb(size: float) -> str:
    return f"{size / 1e6:,.1f} MB"
