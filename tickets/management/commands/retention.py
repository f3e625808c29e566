"""`manage.py retention`: shows what a tenant's retention would remove, or removes it now."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.actor import Actor, Via
from tenants.services import find_tenant
from ticketing.mongo.scope import tenant_scope
from tickets.privacy.retention import apply_retention, preview_retention


class Command(BaseCommand):
    help = (
        "Applies a tenant's retention now, as the job privacy.retention does once a day: texts and files of tickets "
        "closed long ago, and the names of people who left. With --preview nothing is removed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        parser.add_argument("--preview", action="store_true", help="only tell what would be removed")

    def handle(self, *, tenant: str, preview: bool, **options: Any) -> None:
        found = find_tenant(tenant)
        if found is None:
            raise CommandError(f"There is no tenant {tenant!r}")
        actor = Actor.system(found, Via.COMMAND)
        with tenant_scope(found.pk):
            told = asdict(preview_retention(actor)) if preview else apply_retention(found, actor)
        self.stdout.write(json.dumps(told, indent=2, default=str))
