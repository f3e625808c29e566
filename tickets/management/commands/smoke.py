"""`manage.py smoke URL`: works a served platform once from the outside and fails at the first surprise."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ticketing.errors import InvalidInput
from tickets.smoke import SignIn, Site, SmokeFailed, smoke


class Command(BaseCommand):
    help = "Signs in to a served platform, opens a ticket, comments, reads, probes the isolation, and cleans up."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("url", help="the platform's root, such as https://support.example")
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        parser.add_argument("--email", required=True, help="an account of that tenant")
        parser.add_argument("--other-tenant", metavar="SLUG", help="another tenant, which must not see the ticket")
        parser.add_argument("--other-email", help="an account of that other tenant")
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            required=True,
            help="read the password from standard input; the other tenant's account's from its second line",
        )
        parser.add_argument("--wait", type=float, default=30, help="seconds until it must be ready (default: 30)")

    def handle(self, *, url: str, tenant: str, email: str, wait: float, **options: Any) -> None:
        if bool(options["other_tenant"]) != bool(options["other_email"]):
            raise CommandError("--other-tenant and --other-email belong together.")
        ours = SignIn(tenant, email, _read_password(email))
        other = None
        if options["other_tenant"]:
            other = SignIn(options["other_tenant"], options["other_email"], _read_password(options["other_email"]))
        try:
            smoke(Site(url), ours, other, wait=wait, tell=lambda step: self.stdout.write(f"ok: {step}"))
        except InvalidInput as error:
            raise CommandError(error.detail) from None
        except SmokeFailed as error:
            raise CommandError(f"The smoke test failed: {error}") from None
        self.stdout.write(self.style.SUCCESS("The smoke test passed."))


def _read_password(email: str) -> str:
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise CommandError(f"There was no password for {email} on standard input.")
    return password
