"""Jobs and many runners on the real server: each due run runs once, and never two of a job at a time."""

import threading
import time
from datetime import timedelta

import pytest

from tests.together import run_together
from tests.waiting import wait_until
from ticketing.jobs import Run
from ticketing.jobs.registry import Job
from ticketing.jobs.repository import JobRepository
from ticketing.jobs.runner import Runner
from ticketing.mongo.client import get_database

pytestmark = pytest.mark.django_db

JOBS = 6
ROUNDS = 5


class Counted:
    """Jobs that notice when one of them runs twice at once, and count their runs."""

    def __init__(self) -> None:
        self.runs: dict[str, int] = {}
        self.at_once: dict[str, int] = {}
        self.twice_at_once = 0
        self._lock = threading.Lock()
        self.jobs = {name: Job(name, timedelta(hours=1), timedelta(minutes=5), self._run) for name in self._names()}

    def _names(self) -> list[str]:
        return [f"job{number}" for number in range(JOBS)]

    def _run(self, run: Run) -> None:
        with self._lock:
            self.at_once[run.name] = self.at_once.get(run.name, 0) + 1
            self.twice_at_once += self.at_once[run.name] > 1
        time.sleep(0.005)  # long enough for others to try
        with self._lock:
            self.at_once[run.name] -= 1
            self.runs[run.name] = self.runs.get(run.name, 0) + 1


@pytest.mark.parametrize("runners", [2, 8])
def test_each_due_run_runs_once(runners: int) -> None:
    counted = Counted()
    for expected in range(1, ROUNDS + 1):
        get_database()["jobs"].update_many({}, [{"$set": {"next_at": "$$NOW"}}])
        results = run_together([Runner(counted.jobs, seconds=60).run_due] * runners)
        assert not [result for result in results if isinstance(result, Exception)], results
        assert counted.runs == dict.fromkeys(counted.jobs, expected)
    assert counted.twice_at_once == 0
    assert [state["failures"] for state in JobRepository().states()] == [0] * JOBS


@pytest.mark.parametrize("runners", [2, 8])
def test_workers_that_go_on_for_a_while(runners: int) -> None:
    """Due every few milliseconds, so that claims, ends and renewals of all runners meet."""
    counted = Counted()
    often = {
        name: Job(name, timedelta(milliseconds=20), timedelta(seconds=1), each.function)
        for name, each in counted.jobs.items()
    }
    workers = [Runner(often) for _ in range(runners)]
    threads = [threading.Thread(target=worker.run) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: len(counted.runs) == JOBS and min(counted.runs.values()) >= 10, seconds=60)
    finally:
        for worker in workers:
            worker.stop()
        for thread in threads:
            thread.join(30)
    assert counted.twice_at_once == 0
    states = JobRepository().states()
    assert [(state["holder"], state["failures"], state["last_outcome"]) for state in states] == [
        (None, 0, "done")
    ] * JOBS


@pytest.mark.parametrize("claimants", [2, 8])
def test_a_lapsed_lease_goes_to_one(claimants: int) -> None:
    jobs = {"tidy": Job("tidy", timedelta(hours=1), timedelta(seconds=1), lambda run: None)}
    repository = JobRepository()
    repository.register(jobs.values())
    assert repository.claim(jobs, "the dead one")
    wait_until(lambda: (repository.seconds_until_due(jobs) or 0) < 0)
    claims = [lambda number=number: repository.claim(jobs, f"claimant {number}") for number in range(claimants)]
    taken = [lease for lease in run_together(claims) if lease is not None]
    assert len(taken) == 1, taken
