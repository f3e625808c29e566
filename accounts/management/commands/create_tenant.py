"""`manage.py create_tenant`: a new tenant, on request with its first admin."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.actor import Actor, Via
from accounts.models import User
from accounts.passwords import describe_invitation
from accounts.roles import Role
from accounts.services import create_user
from tenants.models import Tenant
from tenants.services import create_tenant
from ticketing.errors import TicketingError
from ticketing.mongo.client import transactional


class Command(BaseCommand):
    help = "Creates a tenant; with --admin-email also its first admin, who is invited to choose a password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--slug", required=True, help="short name in addresses, such as acme")
        parser.add_argument("--name", required=True)
        parser.add_argument("--host", action="append", default=[], help="a host name of its own; may be repeated")
        parser.add_argument("--admin-email", help="the first admin's address")

    def handle(self, *_args: Any, slug: str, name: str, host: list[str], **options: Any) -> None:
        try:
            tenant, admin = _create({"slug": slug, "name": name, "hosts": host}, options["admin_email"])
        except TicketingError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(f"Created the tenant {tenant.slug} ({tenant.name}).")
        if admin is not None:
            self.stdout.write(f"Created {admin.email} as its admin.\n{describe_invitation(admin)}")


@transactional
def _create(values: dict[str, Any], admin_email: str | None) -> tuple[Tenant, User | None]:
    tenant = create_tenant(values, by="create_tenant")
    if admin_email is None:
        return tenant, None
    actor = Actor.system(tenant, Via.COMMAND)
    return tenant, create_user(actor, email=admin_email, name=admin_email, role=Role.ADMIN.value)
