"""One runner: what becomes of jobs that end, fail, are interrupted, or lose their lease."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.waiting import wait_until
from ticketing.jobs import Run
from ticketing.jobs.registry import Job
from ticketing.jobs.repository import JobRepository
from ticketing.jobs.run import Outcome
from ticketing.jobs.runner import Runner
from ticketing.mongo.client import get_database
from ticketing.mongo.scope import find_scope, platform_scope

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def job_of(function: Callable[[Run], None], name: str = "", **options: Any) -> dict[str, Job]:
    name = name or function.__name__
    return {name: Job(name, options.get("every", HOUR), options.get("lease", HOUR), function)}


def stored(name: str) -> dict[str, Any]:
    found = get_database()["jobs"].find_one({"_id": name})
    assert found is not None
    return found


def server_time() -> datetime:
    now: datetime = get_database().client.admin.command("hello")["localTime"]
    return now.replace(tzinfo=UTC)


def make_due(name: str) -> None:
    get_database()["jobs"].update_one({"_id": name}, [{"$set": {"next_at": "$$NOW"}}])


def minutes_until_next(name: str) -> float:
    return (stored(name)["next_at"] - stored(name)["last_finished_at"]) / timedelta(minutes=1)


class TestEnds:
    def test_done(self) -> None:
        def tidy(run: Run) -> None:
            run.note(removed=3)

        [result] = Runner(job_of(tidy), seconds=60).run_due()
        assert (result.outcome, result.notes, result.error) == (Outcome.DONE, {"removed": 3}, None)
        state = stored("tidy")
        assert state["next_at"] - state["last_finished_at"] == HOUR
        assert (state["holder"], state["leased_until"], state["failures"]) == (None, None, 0)
        assert (state["last_outcome"], state["notes"]) == ("done", {"removed": 3})
        assert Runner(job_of(tidy), seconds=60).run_due() == []

    def test_failed_and_the_others_run(self, caplog: pytest.LogCaptureFixture) -> None:
        def broken(run: Run) -> None:
            raise RuntimeError("no tea")

        def leaving(run: Run) -> None:
            raise SystemExit(2)

        def tidy(run: Run) -> None:
            run.note(removed=1)

        with caplog.at_level(logging.INFO, "ticketing.jobs"):
            results = Runner(job_of(broken) | job_of(leaving) | job_of(tidy), seconds=60).run_due()
        outcomes = {result.job: (result.outcome, result.error) for result in results}
        assert outcomes == {
            "broken": (Outcome.FAILED, "RuntimeError: no tea"),
            "leaving": (Outcome.FAILED, "SystemExit: 2"),
            "tidy": (Outcome.DONE, None),
        }
        lines: dict[str, Any] = {record.__dict__["job"]: record for record in caplog.records}
        assert lines["broken"].levelname == "ERROR"
        assert lines["broken"].exc_info[1].args == ("no tea",)
        assert (lines["tidy"].levelname, lines["tidy"].outcome, lines["tidy"].notes) == ("INFO", "done", {"removed": 1})
        assert isinstance(lines["tidy"].milliseconds, int)

    def test_failures_are_tried_again_later_and_later(self) -> None:
        def broken(run: Run) -> None:
            raise RuntimeError("no tea")

        waits = []
        for _ in range(8):
            Runner(job_of(broken), seconds=60).run_due()
            waits.append(minutes_until_next("broken"))
            make_due("broken")
        assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
        assert stored("broken")["failures"] == 8
        Runner(job_of(lambda run: None, "broken"), seconds=60).run_due()
        assert (stored("broken")["failures"], stored("broken")["last_error"]) == (0, None)

    def test_no_retry_is_rarer_than_the_schedule(self) -> None:
        def broken(run: Run) -> None:
            raise RuntimeError("no tea")

        Runner(job_of(broken, every=timedelta(seconds=20)), seconds=60).run_due()
        assert minutes_until_next("broken") == pytest.approx(1 / 3)

    def test_interrupted_goes_on_where_it_was_after_all_that_is_due(self) -> None:
        seen: list[tuple[str, str | None]] = []
        one = Runner({}, seconds=60)

        def long(run: Run) -> None:
            seen.append(("long", run.position))
            run.position = "m"
            one.stop()
            assert run.stopping

        def short(run: Run) -> None:
            seen.append(("short", None))

        one = Runner(job_of(long), seconds=60)
        result = one.run_now("long")
        assert result is not None
        assert result.outcome is Outcome.INTERRUPTED
        assert (stored("long")["holder"], stored("long")["position"]) == (None, "m")
        assert stored("long")["next_at"] <= server_time()

        JobRepository().register(job_of(short).values())
        get_database()["jobs"].update_one({"_id": "short"}, [{"$set": {"next_at": {"$add": ["$$NOW", -60_000]}}}])
        one = Runner(job_of(long) | job_of(short), seconds=60)
        one._drain()
        assert seen == [("long", None), ("short", None), ("long", "m")]

    def test_a_finished_run_forgets_its_position(self) -> None:
        def tidy(run: Run) -> None:
            run.position = "m"

        Runner(job_of(tidy), seconds=60).run_due()
        assert stored("tidy")["position"] is None

    def test_a_time_limit_interrupts(self) -> None:
        def long(run: Run) -> None:
            wait_until(lambda: run.stopping)

        started = time.monotonic()
        [result] = Runner(job_of(long), seconds=0.3).run_due()
        assert result.outcome is Outcome.INTERRUPTED
        assert 0.3 <= time.monotonic() - started < 3

    def test_no_scope_is_left_behind(self) -> None:
        scopes = []

        def careless(run: Run) -> None:
            scopes.append(find_scope())
            platform_scope("careless").__enter__()

        runner = Runner(job_of(careless), seconds=60)
        runner.run_now("careless")
        runner.run_now("careless")
        assert scopes == [None, None]
        assert find_scope() is None


class TestSchedule:
    def test_a_shorter_interval_counts_at_once_and_a_longer_one_after_the_next_run(self) -> None:
        jobs = job_of(lambda run: None, "tidy", every=timedelta(days=1))
        Runner(jobs, seconds=60).run_due()
        JobRepository().register(job_of(lambda run: None, "tidy", every=HOUR).values())
        assert stored("tidy")["next_at"] - server_time() <= HOUR
        before = stored("tidy")["next_at"]
        JobRepository().register(jobs.values())
        assert stored("tidy")["next_at"] == before

    def test_jobs_of_another_version_are_kept_until_they_are_late(self) -> None:
        """After a roll-back nobody runs what only the newer version has; nobody should be called for that."""
        JobRepository().register([*job_of(lambda run: None, "new").values(), *job_of(lambda run: None, "old").values()])
        old = job_of(lambda run: None, "old")
        assert [result.job for result in Runner(old, seconds=60).run_due()] == ["old"]
        assert stored("new")["holder"] is None
        get_database()["jobs"].update_one({"_id": "new"}, [{"$set": {"next_at": {"$add": ["$$NOW", -301_000]}}}])
        JobRepository().register(old.values())
        assert [state["_id"] for state in JobRepository().states()] == ["old"]

    def test_at_once_when_asked_though_not_due(self) -> None:
        runner = Runner(job_of(lambda run: None, "tidy"), seconds=60)
        assert runner.run_now("tidy", due=True)
        assert runner.run_now("tidy", due=True) is None
        assert runner.run_now("tidy")

    def test_states(self) -> None:
        repository = JobRepository()
        jobs = {name: job for each in ("a", "b", "c", "d") for name, job in job_of(lambda run: None, each).items()}
        repository.register(jobs.values())
        repository.claim({"a": jobs["a"]}, "somebody")
        get_database()["jobs"].update_many({}, [{"$set": {"next_at": {"$add": ["$$NOW", -301_000]}}}])
        make_due("c")
        get_database()["jobs"].update_one({"_id": "d"}, [{"$set": {"next_at": "$$NOW", "failures": 1}}])
        assert {state["_id"]: state["state"] for state in repository.states()} == {
            "a": "running",
            "b": "late",
            "c": "waiting",
            "d": "failing",
        }


class TestLease:
    def test_it_is_renewed_while_a_step_lasts_and_shows_progress(self) -> None:
        lease = timedelta(seconds=1)

        def long(run: Run) -> None:
            first = stored("long")["leased_until"]
            run.note(seen=7)
            run.position = "m"
            wait_until(lambda: stored("long")["leased_until"] > first + lease)
            assert (stored("long")["notes"], stored("long")["position"]) == ({"seen": 7}, "m")
            assert not run.stopping

        [result] = Runner(job_of(long, lease=lease), seconds=60).run_due()
        assert result.outcome is Outcome.DONE, result.error

    def test_a_late_holder_is_told_and_cannot_finish(self, caplog: pytest.LogCaptureFixture) -> None:
        """Somebody else has taken over (as after a frozen process): the first holder's end changes nothing."""

        def long(run: Run) -> None:
            get_database()["jobs"].update_one({"_id": "long"}, {"$set": {"holder": "another", "notes": {"n": 1}}})
            wait_until(lambda: run.stopping)
            run.note(mine=True)

        [result] = Runner(job_of(long, lease=timedelta(seconds=1)), seconds=60).run_due()
        assert result.outcome is Outcome.LOST
        assert (stored("long")["holder"], stored("long")["notes"]) == ("another", {"n": 1})
        assert stored("long")["last_finished_at"] is None

    def test_a_dead_holder_is_followed_after_the_lease_and_counts_as_a_failure(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        jobs = job_of(lambda run: run.note(position=str(run.position)), "tidy", lease=timedelta(seconds=1))
        repository = JobRepository()
        repository.register(jobs.values())
        lease = repository.claim(jobs, "the dead one")
        assert lease is not None
        assert repository.renew(lease, {"seen": 1}, "m")
        assert repository.claim(jobs, "too early") is None
        wait_until(lambda: (repository.seconds_until_due(jobs) or 0) < 0)
        taken = repository.claim(jobs, "the next one")
        assert taken is not None
        assert (taken.position, taken.previous_holder_died) == ("m", True)
        assert (stored("tidy")["failures"], stored("tidy")["last_outcome"]) == (1, "lost")
        assert stored("tidy")["last_error"] == "the dead one ended before the run did"
        assert not repository.renew(lease, {}, None)


def test_the_runners_clock_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """A day fast, a day slow, and set back in the middle of a run."""
    jobs = job_of(lambda run: None, "tidy")
    real = time.time
    for offset in (86_400, -86_400):
        monkeypatch.setattr(time, "time", lambda offset=offset: real() + offset)
        monkeypatch.setattr("ticketing.clock.now", lambda offset=offset: server_time() + timedelta(seconds=offset))
        assert Runner(jobs, seconds=60).run_now("tidy") is not None
        assert Runner(jobs, seconds=60).run_due() == []
        assert abs(stored("tidy")["next_at"] - server_time() - HOUR) < timedelta(minutes=1)

    def stepped(run: Run) -> None:
        monkeypatch.setattr(time, "time", lambda: real() - 3600)
        assert Runner(job_of(stepped), seconds=60).run_now("stepped") is None
        assert not run.stopping

    [result] = Runner(job_of(stepped), seconds=60).run_due()
    assert result.outcome is Outcome.DONE, result.error


class TestUntilStopped:
    @pytest.fixture
    def running(self) -> Iterator[Callable[[dict[str, Job]], Runner]]:
        threads, runners = [], []

        def start(jobs: dict[str, Job]) -> Runner:
            runners.append(Runner(jobs))
            threads.append(threading.Thread(target=runners[-1].run))
            threads[-1].start()
            return runners[-1]

        yield start
        for runner in runners:
            runner.stop()
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive()

    def test_a_slow_job_does_not_keep_others_waiting(self, running: Callable[[dict[str, Job]], Runner]) -> None:
        ended = threading.Event()
        runs = []

        def slow(run: Run) -> None:
            ended.wait(30)

        def quick(run: Run) -> None:
            runs.append(run)
            if len(runs) < 3:
                threading.Timer(0.01, make_due, ["quick"]).start()

        running(job_of(slow) | job_of(quick, every=timedelta(milliseconds=10)))
        try:
            wait_until(lambda: len(runs) >= 3)
            assert stored("slow")["holder"] is not None
        finally:
            ended.set()

    def test_a_stop_is_heard_between_two_steps(self, running: Callable[[dict[str, Job]], Runner]) -> None:
        started = threading.Event()

        def long(run: Run) -> None:
            while not run.stopping:
                started.set()
                time.sleep(0.01)

        runner = running(job_of(long))
        assert started.wait(20)
        runner.stop()
        wait_until(lambda: stored("long")["holder"] is None)
        assert stored("long")["last_outcome"] == "interrupted"
