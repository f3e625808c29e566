"""`manage.py create_user`: an account of a tenant, or an operator of the platform."""

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.actor import Actor, Via
from accounts.models import User
from accounts.passwords import describe_invitation
from accounts.roles import TENANT_ROLES, Role
from accounts.services import create_operator, create_user
from tenants.services import find_tenant
from ticketing.errors import TicketingError


class Command(BaseCommand):
    help = "Creates an account: of a tenant (--tenant SLUG), or a platform operator (--operator)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--tenant", metavar="SLUG", help="the tenant that the account belongs to")
        whose.add_argument("--operator", action="store_true", help="an operator of the platform, without a tenant")
        parser.add_argument("--email", required=True)
        parser.add_argument("--name", required=True)
        parser.add_argument("--role", choices=[str(role) for role in TENANT_ROLES], default=Role.USER.value)
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
        how.add_argument("--invite", action="store_true", help="print a token with which the password is chosen, once")

    def handle(self, *_args: Any, **options: Any) -> None:
        password = None if options["invite"] else _read_password(from_stdin=options["password_stdin"])
        try:
            user = _create(options, password)
        except TicketingError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(f"Created {user.email} as {user.role}.")
        if password is None:
            self.stdout.write(describe_invitation(user))


def _create(options: dict[str, Any], password: str | None) -> User:
    if options["operator"]:
        return create_operator(email=options["email"], name=options["name"], password=password)
    tenant = find_tenant(options["tenant"])
    if tenant is None:
        raise CommandError(f"There is no tenant {options['tenant']!r}; create it with: manage.py create_tenant")
    return create_user(
        Actor.system(tenant, Via.COMMAND),
        email=options["email"],
        name=options["name"],
        role=options["role"],
        password=password,
    )


def _read_password(*, from_stdin: bool) -> str:
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise CommandError("There was no password on standard input.")
        return password
    if not sys.stdin.isatty():
        raise CommandError("Give the password by --password-stdin, or use --invite.")
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("Again: "):
        raise CommandError("The two passwords differ.")
    return password
