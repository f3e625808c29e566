"""`manage.py worker`: runs the background jobs, in containers and beside `make run`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ticketing.jobs.listing import list_jobs
from ticketing.jobs.registry import known_jobs
from ticketing.jobs.runner import Runner, stopped_by_signals


class Command(BaseCommand):
    help = "Runs background jobs when they are due. SIGTERM and Ctrl-C end it after the step that each job is at."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--list", action="store_true", dest="only_list", help="show the jobs instead of running")

    def handle(self, *, only_list: bool, **options: Any) -> None:
        if only_list:
            self.stdout.write(list_jobs())
            return
        runner = Runner(known_jobs())
        with stopped_by_signals(runner):
            runner.run()
