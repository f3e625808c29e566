"""Runs jobs: some at a time, each under a lease that is renewed while it runs."""

import logging
import os
import random
import secrets
import signal
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

from ticketing.errors import StorageUnavailable
from ticketing.jobs.heartbeat import Heartbeat
from ticketing.jobs.registry import Job, known_jobs
from ticketing.jobs.repository import JobRepository, Lease
from ticketing.jobs.run import Outcome, Run, RunResult
from ticketing.logs import request_id
from ticketing.mongo.scope import empty_scope
from ticketing.observability import metrics
from ticketing.observability.metrics import Metric

THREADS = 4
LONGEST_WAIT, SHORTEST_WAIT = 10.0, 0.05  # seconds between looks at what is due
LONGEST_BACK_OFF, RETRY_AFTER = 10.0, 1.0
REGISTER_EVERY = 300.0
LONGEST_ERROR = 500  # characters
logger = logging.getLogger("ticketing.jobs")


def run_due_jobs(seconds: float) -> list[RunResult]:
    """Runs what is due and returns the results; after so many seconds nothing begins and jobs are asked to stop.

    For runners that are called again and again, such as a scheduled Lambda function. Raises StorageUnavailable.
    """
    return Runner(known_jobs(), seconds=seconds).run_due()


class Runner:
    """Runs the jobs it is given, ``THREADS`` at a time; ``seconds`` is how long it may (none: until stopped)."""

    def __init__(self, jobs: Mapping[str, Job], *, seconds: float | None = None) -> None:
        self._jobs = dict(jobs)
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self._stop = threading.Event()
        self._repository = JobRepository()
        self._register_at = time.monotonic()
        self._registering = threading.Lock()

    @property
    def is_stopping(self) -> bool:
        return self._stop.is_set() or (self._deadline is not None and time.monotonic() >= self._deadline)

    def stop(self) -> None:
        """Asks the jobs to end after the step they are at; nothing begins any more.

        May be called by a signal handler: the main thread never waits for the event that is set here.
        """
        self._stop.set()

    def run(self) -> None:
        """Runs jobs whenever they are due, until stopped; no error ends it."""
        threads = [threading.Thread(target=self._work, name=f"jobs-{number}") for number in range(THREADS)]
        for thread in threads:
            thread.start()
        logger.info("ready to run jobs: %s", ", ".join(self._jobs))
        for thread in threads:
            thread.join()

    def run_due(self) -> list[RunResult]:
        """Runs jobs until none is due, or the time is up. Raises StorageUnavailable."""
        self._register()
        metrics.count(Metric.JOBS_LATE, sum(state["state"] == "late" for state in self._repository.states()))
        with ThreadPoolExecutor(THREADS, "jobs") as threads:
            return [
                result for each in [threads.submit(self._drain) for _ in range(THREADS)] for result in each.result()
            ]

    def run_now(self, name: str, *, due: bool = False) -> RunResult | None:
        """Runs one job here and now, or only if it is ``due``; None where it is not, or somebody else is at it.

        Raises StorageUnavailable.
        """
        self._register()
        return self._run_next({name: self._jobs[name]}, due=due)

    def _work(self) -> None:
        failures = 0
        while not self.is_stopping:
            try:
                self._register()
                wait = 0.0 if self._run_next(self._jobs) else self._until_due()
                failures = 0
            except Exception as error:
                failures += 1
                wait = min(LONGEST_BACK_OFF, 2.0**failures) * random.uniform(0.5, 1)  # nosec B311 # noqa: S311
                unreachable = isinstance(error, StorageUnavailable)
                logger.warning("no job can be run just now: %s", error, exc_info=None if unreachable else error)
            self._stop.wait(wait)

    def _drain(self) -> list[RunResult]:
        results = []
        while not self.is_stopping and (result := self._run_next(self._jobs)):
            results.append(result)
        return results

    def _register(self) -> None:
        """Now and then: what other versions have left behind becomes late only after a while."""
        with self._registering:
            if time.monotonic() >= self._register_at:
                self._repository.register(self._jobs.values())
                self._register_at = time.monotonic() + REGISTER_EVERY

    def _until_due(self) -> float:
        seconds = self._repository.seconds_until_due(self._jobs)
        return LONGEST_WAIT if seconds is None else min(LONGEST_WAIT, max(SHORTEST_WAIT, seconds))

    def _run_next(self, jobs: Mapping[str, Job], *, due: bool = True) -> RunResult | None:
        asked_at = time.monotonic()
        lease = self._repository.claim(jobs, _new_holder(), due=due)
        if lease is None:
            return None
        token = request_id.set(lease.holder)
        try:
            with empty_scope():
                return self._run(lease, asked_at)
        finally:
            request_id.reset(token)

    def _run(self, lease: Lease, claimed_at: float) -> RunResult:
        if lease.previous_holder_died:
            logger.warning("the job %s is taken over: its last runner ended before the run did", lease.job.name)
            metrics.count(Metric.JOB_FAILED)
        run = Run(lease.job.name, position=lease.position, stop=lambda: self.is_stopping or heartbeat.is_lost)
        error: BaseException | None = None
        started = time.monotonic()
        with Heartbeat(self._repository, lease, run, claimed_at) as heartbeat:
            try:
                lease.job.function(run)
                outcome = Outcome.INTERRUPTED if run.was_interrupted else Outcome.DONE
            except (Exception, SystemExit) as raised:  # noqa: BLE001 - whatever a job does wrong, the others go on
                outcome, error = Outcome.FAILED, raised
        milliseconds = round((time.monotonic() - started) * 1000)
        text = None if error is None else f"{type(error).__name__}: {error}"[:LONGEST_ERROR]
        result = RunResult(run.name, outcome, milliseconds, run.notes, text)
        if not self._finish(lease, heartbeat, result, run.position):
            result = replace(result, outcome=Outcome.LOST)
        _report(result, error)
        return result

    def _finish(self, lease: Lease, heartbeat: Heartbeat, result: RunResult, position: str | None) -> bool:
        """Tries as long as the lease lasts: a run that cannot be recorded is run again."""
        while True:
            try:
                return self._repository.finish(lease, result, position)
            except StorageUnavailable as error:
                if self.is_stopping or heartbeat.is_lost:
                    logger.warning("the end of the job %s cannot be recorded: %s", result.job, error)
                    return False
            time.sleep(RETRY_AFTER)


@contextmanager
def stopped_by_signals(runner: Runner) -> Iterator[None]:
    """SIGTERM and Ctrl-C stop the runner while the block lasts; for the main thread."""
    before = {each: signal.signal(each, lambda *_: runner.stop()) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _new_holder() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def _report(result: RunResult, error: BaseException | None) -> None:
    levels = {Outcome.FAILED: logging.ERROR, Outcome.LOST: logging.WARNING}
    figures = {"job": result.job, "outcome": result.outcome.value, "milliseconds": result.milliseconds}
    logger.log(
        levels.get(result.outcome, logging.INFO),
        "job %s %s in %d ms %s",
        *figures.values(),
        dict(result.notes),
        exc_info=error,
        extra={**figures, "notes": dict(result.notes)},
    )
    if result.outcome is Outcome.FAILED:
        metrics.count(Metric.JOB_FAILED)
