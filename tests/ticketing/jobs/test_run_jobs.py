"""`manage.py run_jobs` and what Lambda's handler calls: once, with an end that tells how it went."""

import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from ticketing.jobs import Run, job, registry
from ticketing.jobs.repository import JobRepository
from ticketing.jobs.run import Outcome
from ticketing.jobs.runner import run_due_jobs

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _jobs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "_jobs", {})
    monkeypatch.setattr(registry, "autodiscover_modules", lambda _: None)

    @job("tea.make", every=HOUR)
    def make(run: Run) -> None:
        """Makes tea."""
        run.note(cups=2)

    @job("tea.spill", every=HOUR)
    def spill(run: Run) -> None:
        """Spills it."""
        raise RuntimeError("hot")

    return


def run_jobs(*arguments: str) -> list[str]:
    output = StringIO()
    call_command("run_jobs", *arguments, stdout=output)
    return output.getvalue().splitlines()


def test_named_jobs_run_due_or_not() -> None:
    for _ in range(2):
        [line] = run_jobs("tea.make")
        assert line.startswith("tea.make: done in ")
        assert line.endswith(" ms, cups 2")
    assert run_jobs("tea.make", "--due") == ["tea.make: not due, or under way elsewhere"]


def test_all_run_and_a_failure_is_the_commands() -> None:
    output = StringIO()
    with pytest.raises(CommandError, match=r"Not done: tea\.spill"):
        call_command("run_jobs", "--due", stdout=output)
    made, spilt = output.getvalue().splitlines()
    assert made.startswith("tea.make: done")
    assert spilt.endswith("RuntimeError: hot")


def test_a_job_that_is_under_way_elsewhere_is_not_run_twice() -> None:
    jobs = registry.known_jobs()
    JobRepository().register(jobs.values())
    assert JobRepository().claim({"tea.make": jobs["tea.make"]}, "another")
    with pytest.raises(CommandError, match=r"Not done: tea\.make"):
        run_jobs("tea.make")


def test_an_unknown_name_is_refused_before_anything_runs() -> None:
    with pytest.raises(CommandError, match=r"no job tea\.drink; there are: tea\.make, tea\.spill"):
        run_jobs("tea.make", "tea.drink")
    assert JobRepository().states() == []


def test_ctrl_c_ends_it_after_the_step_and_is_pythons_again_afterwards() -> None:
    before = signal.getsignal(signal.SIGINT)

    @job("tea.drink", every=HOUR)
    def drink(run: Run) -> None:
        """Drinks tea until told otherwise."""
        os.kill(os.getpid(), signal.SIGINT)
        while not run.stopping:
            pass

    [line] = run_jobs("tea.drink", "tea.make")
    assert line.startswith("tea.drink: interrupted")
    assert signal.getsignal(signal.SIGINT) is before


def test_due_jobs_within_a_time() -> None:
    results = {result.job: result.outcome for result in run_due_jobs(30)}
    assert results == {"tea.make": Outcome.DONE, "tea.spill": Outcome.FAILED}
    assert run_due_jobs(30) == []


def test_no_job_begins_without_time() -> None:
    assert run_due_jobs(0) == []
    assert {state["last_started_at"] for state in JobRepository().states()} == {None}
