"""`manage.py import_tenant`: a tenant from the folder that `export_tenant` wrote."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from ticketing.errors import TicketingError
from tickets.transfer.archive import Manifest
from tickets.transfer.restoring import count_steps, import_tenant


class Command(BaseCommand):
    help = (
        "Imports an exported tenant, as a new tenant or into one without data. All of it or nothing; ids are kept "
        "unless the exported tenant lives in this deployment."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="FOLDER")
        parser.add_argument("--as", dest="slug", default="", metavar="SLUG", help="the export's own by default")

    def handle(self, *, folder: Path, slug: str, **options: Any) -> None:
        try:
            manifest = Manifest.read(folder)
            with tqdm(total=count_steps(manifest), file=sys.stderr, disable=not sys.stderr.isatty()) as bar:
                restored = import_tenant(folder, slug or manifest.tenant, by="import_tenant", on_progress=bar.update)
        except TicketingError as error:
            raise CommandError(error.detail) from None
        ids = "the same ids" if restored.same_ids else "new ids"
        self.stdout.write(
            f"{restored.tenant.slug}: {restored.documents} documents and {restored.files} files, with {ids}"
        )
        for host in restored.lost_hosts:
            self.stdout.write(f"  the host name {host} belongs to another tenant and was left out")
