"""`manage.py wait_for_database`: for containers and deployments that start beside their MongoDB."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from ticketing.mongo.server import ServerUnusableError, check_server


class Command(BaseCommand):
    help = "Waits until MongoDB answers as a replica set; fails when it does not within the time."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seconds", type=int, default=60, help="how long to wait (default 60)")

    def handle(self, *, seconds: int, **options: Any) -> None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                return check_server(connections["default"].settings_dict["HOST"])
            except ServerUnusableError as error:
                if time.monotonic() >= deadline:
                    raise CommandError(str(error)) from None
            time.sleep(0.5)
