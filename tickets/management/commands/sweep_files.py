"""`manage.py sweep_files`: removes files that belong to nothing, and tells which attachments have no file."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants.models import Tenant
from tickets.attachments.sweeping import find_missing_files, sweep_files


class Command(BaseCommand):
    help = "Removes stored files of no attachment, upload or export; fails when attachments are without their file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--older-than-hours", type=_hours, default=24, metavar="HOURS", help="default: 24")
        parser.add_argument("--dry-run", action="store_true", help="only tell")

    def handle(self, *, older_than_hours: float, dry_run: bool, **options: Any) -> None:
        lost = 0
        for tenant in Tenant.objects.order_by("slug"):
            orphans = sweep_files(tenant.pk, older_than=timedelta(hours=older_than_hours), dry_run=dry_run)
            verb = "would remove" if dry_run else "removed"
            self.stdout.write(f"{tenant.slug}: {verb} {len(orphans)} files that belong to nothing")
            missing = find_missing_files(tenant.pk)
            for key in missing:
                self.stderr.write(f"{tenant.slug}: the file {key} is missing")
            lost += len(missing)
        if lost:
            raise CommandError(f"{lost} attachments have no file; restore them from a backup of the storage")


def _hours(text: str) -> float:
    hours = float(text)
    if hours < 0:
        raise ArgumentTypeError("must not be negative")
    return hours
