"""`manage.py load_demo`: two tenants to try the platform with."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand

from ticketing import clock
from tickets.demo.services import TICKETS, load_demo


class Command(BaseCommand):
    help = (
        "Creates the demo tenants acme and globex with people and tickets, and an operator. What exists is left alone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--today",
            type=date.fromisoformat,
            default=clock.now().date(),
            metavar="YYYY-MM-DD",
            help="the day before which all tickets lie (default: today, UTC)",
        )

    def handle(self, *, today: date, **options: Any) -> None:
        for slug in load_demo(today):
            self.stdout.write(f"{slug}: {TICKETS} tickets loaded")
