"""`manage.py restore`: what `manage.py backup` wrote, into an empty database, or one tenant beside others."""

import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from ticketing.errors import TicketingError
from tickets.backup.manifest import Manifest
from tickets.backup.places import Place, open_place
from tickets.backup.restoring import count_steps, restore
from tickets.backup.verifying import find_tenant, verify


class Command(BaseCommand):
    help = (
        "Verifies a backup and puts it back: everything into a database without collections, or one tenant that does "
        "not exist. All of it or nothing; nothing is overwritten."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", metavar="SOURCE", help="the backup's folder, or s3://bucket/prefix")
        parser.add_argument("--tenant", default="", metavar="SLUG", help="only this tenant, out of a backup of all")
        parser.add_argument("--verify-only", action="store_true", help="compare every checksum and write nothing")
        parser.add_argument("--start-over", action="store_true", help="first remove what a killed restore has left")

    def handle(self, *, source: str, tenant: str, verify_only: bool, start_over: bool, **options: Any) -> None:
        started = time.monotonic()
        try:
            place = open_place(source)
            manifest = Manifest.read(place)
            with tqdm(total=count_steps(manifest), file=sys.stderr, disable=not sys.stderr.isatty()) as bar:
                if verify_only:
                    told = _verify(place, manifest, tenant, bar)
                else:
                    told = _restore(place, manifest, tenant, start_over, bar)
        except TicketingError as error:
            raise CommandError(error.detail) from None
        except KeyboardInterrupt:
            raise CommandError("Interrupted; what was written is removed again", returncode=130) from None
        self.stdout.write(f"{source} of {manifest.made_at}: {told}, in {time.monotonic() - started:.1f} s")


def _verify(place: Place, manifest: Manifest, slug: str, bar: Any) -> str:
    tenant_id = find_tenant(place, manifest, slug)["_id"] if slug else None
    verified = verify(place, manifest, tenant_id, bar.update)
    files = "without files" if manifest.files is None else f"{verified.files:,} files"
    return f"whole: {sum(verified.documents.values()):,} documents, {files}"


def _restore(place: Place, manifest: Manifest, slug: str, start_over: bool, bar: Any) -> str:
    restored = restore(place, slug=slug, start_over=start_over, by="restore", on_progress=bar.update)
    told = [f"{restored.documents:,} documents and {restored.files:,} files restored"]
    if manifest.files is None:
        told.append("the backup is without files: see manage.py sweep_files --dry-run for those that the storage lacks")
    elif manifest.files.missing:
        told.append(f"{len(manifest.files.missing)} files were missing when it was made")
    if restored.to_migrate:
        told.append(f"run manage.py migrate now: {len(restored.to_migrate)} migrations are not applied")
    return "; ".join(told)
