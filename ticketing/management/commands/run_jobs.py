"""`manage.py run_jobs`: runs background jobs once, for operators and for schedulers other than the worker."""

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ticketing.jobs.registry import known_jobs
from ticketing.jobs.run import Outcome
from ticketing.jobs.runner import Runner, stopped_by_signals


class Command(BaseCommand):
    help = "Runs jobs once, one after the other; fails when one of them does, or is under way elsewhere."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME", help="which jobs (default: all)")
        parser.add_argument("--due", action="store_true", help="only those that are due")

    def handle(self, *, names: Sequence[str], due: bool, **options: Any) -> None:
        jobs = known_jobs()
        unknown = [name for name in names if name not in jobs]
        if unknown:
            raise CommandError(f"There is no job {', '.join(unknown)}; there are: {', '.join(jobs)}")
        runner = Runner(jobs)
        with stopped_by_signals(runner):
            wrong = [name for name in names or jobs if not runner.is_stopping and not self._run(runner, name, due=due)]
        if wrong:
            raise CommandError(f"Not done: {', '.join(wrong)}")

    def _run(self, runner: Runner, name: str, *, due: bool) -> bool:
        """Whether all is well with the job."""
        result = runner.run_now(name, due=due)
        if result is None:
            self.stdout.write(f"{name}: {'not due, or ' if due else ''}under way elsewhere")
            return due
        figures = "".join(f", {key} {value}" for key, value in result.notes.items())
        reason = f": {result.error}" if result.error else ""
        self.stdout.write(f"{name}: {result.outcome} in {result.milliseconds} ms{figures}{reason}")
        return result.outcome in (Outcome.DONE, Outcome.INTERRUPTED)
