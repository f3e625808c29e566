"""`manage.py export_tenant`: everything a tenant owns, as a folder."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from tenants.services import find_tenant
from ticketing.errors import TicketingError
from tickets.transfer.exporting import count_documents, export_tenant


class Command(BaseCommand):
    help = (
        "Writes everything a tenant owns into a folder: JSON lines, files, and a manifest with checksums. It holds "
        "password hashes, so only its owner can read it. Left out: sign-ins, idempotency keys, the audit log."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", metavar="SLUG")
        parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="new or empty")

    def handle(self, *, tenant: str, to: Path, **options: Any) -> None:
        found = find_tenant(tenant)
        if found is None:
            raise CommandError(f"There is no tenant {tenant!r}")
        shown = sys.stderr.isatty()
        try:
            with tqdm(total=count_documents(found) if shown else None, file=sys.stderr, disable=not shown) as bar:
                manifest = export_tenant(found, to, by="export_tenant", on_progress=bar.update)
        except TicketingError as error:
            raise CommandError(error.detail) from None
        rows = sum(entry.rows for entry in manifest.files.values())
        self.stdout.write(f"{tenant}: {rows} documents and {manifest.attachment_files} files in {to}")
