"""`manage.py verify_stats`: proves that the statistics equal a full count, and repairs them where they do not."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants.models import Tenant
from tenants.services import find_tenant
from tickets.stats.services import differences, fold_all, recount


class Command(BaseCommand):
    help = "Compares the statistics with a full count of the tickets; fails when they differ and are not repaired."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", metavar="SLUG", help="only this tenant (default: all)")
        parser.add_argument("--repair", action="store_true", help="correct what differs; users may work meanwhile")

    def handle(self, *, tenant: str | None, repair: bool, **options: Any) -> None:
        wrong = [each.slug for each in _tenants(tenant) if not self._verify(each, repair=repair)]
        if wrong:
            raise CommandError(
                f"The statistics differ: {', '.join(wrong)}. Repair them with: manage.py verify_stats --repair"
            )

    def _verify(self, tenant: Tenant, *, repair: bool) -> bool:
        fold_all(tenant.pk)
        found = recount(tenant.pk) if repair else len(differences(tenant.pk))
        if not found:
            self.stdout.write(f"{tenant.slug}: equal to a full count")
        else:
            self.stdout.write(f"{tenant.slug}: {found} cells {'repaired' if repair else 'differ'}")
        return repair or not found


def _tenants(slug: str | None) -> list[Tenant]:
    if slug is None:
        return list(Tenant.objects.order_by("slug"))
    tenant = find_tenant(slug)
    if tenant is None:
        raise CommandError(f"There is no tenant {slug!r}")
    return [tenant]
