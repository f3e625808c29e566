"""`manage.py worker` as processes of their own: asked to stop, killed, frozen, and with the database away."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.jobs_app.jobs import LEASE
from tests.waiting import wait_until
from ticketing.mongo.client import get_database
from ticketing.mongo.embedded import EmbeddedMongo
from ticketing.processes import free_port, start_child, stop_child

ROOT = Path(__file__).resolve().parents[3]


class Worker:
    """A running worker, and what it wrote."""

    def __init__(self, log: Path, **environment: str) -> None:
        self.log = log
        command = [sys.executable, str(ROOT / "manage.py"), "worker"]
        with log.open("wb") as output:
            self.process = start_child(command, {**os.environ, **environment}, output)

    @property
    def pid(self) -> int:
        return self.process.pid

    def said(self, text: str) -> bool:
        return text in self.log.read_text()


@contextmanager
def started(*workers: Worker) -> Iterator[None]:
    try:
        yield
    finally:
        for worker in workers:
            stop_child(worker.process, signal.SIGKILL, 5)


def environment(**more: str) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "tests.jobs_app.settings",
        "MONGODB_DATABASE": str(connection.settings_dict["NAME"]),
        "LOG_LEVEL": "INFO",
        **more,
    }


def state(name: str, database: Any = None) -> dict[str, Any]:
    return (database or get_database())["jobs"].find_one({"_id": name}) or {}


def list_jobs() -> str:
    command = [sys.executable, str(ROOT / "manage.py"), "worker", "--list"]
    return subprocess.run(
        command, env={**os.environ, **environment()}, check=True, capture_output=True, text=True
    ).stdout


def is_run_by(worker: Worker) -> bool:
    return f":{worker.pid}:" in (state("test.steps").get("holder") or "")


@pytest.mark.django_db
def test_sigterm_ends_the_step_and_releases_the_lease(tmp_path: Path) -> None:
    worker = Worker(tmp_path / "log", **environment())
    with started(worker):
        wait_until(lambda: state("test.steps").get("notes") and state("test.quick").get("last_outcome"))
        listed = list_jobs()
        asked = time.monotonic()
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(20) == 0, worker.log.read_text()
        took = time.monotonic() - asked
    assert took < 3
    steps = state("test.steps")
    assert (steps["holder"], steps["last_outcome"], steps["failures"]) == (None, "interrupted", 0)
    assert int(steps["position"]) == steps["notes"]["step"] > 0

    assert "Goes step by step until it is stopped." in listed
    assert re.search(rf"running for \d+ s by \S+:{worker.pid}:\S+: pid {worker.pid}, step \d+$", listed, re.MULTILINE)
    assert re.search(rf"done \d+ s ago in \d+ ms: pid {worker.pid}$", listed, re.MULTILINE)


@pytest.mark.django_db
def test_another_takes_over_from_a_frozen_one_and_from_a_killed_one(tmp_path: Path) -> None:
    first = Worker(tmp_path / "first", **environment())
    with started(first):
        wait_until(lambda: is_run_by(first))
        second = Worker(tmp_path / "second", **environment())
        with started(second):
            wait_until(lambda: second.said("ready to run"))

            first.process.send_signal(signal.SIGSTOP)
            wait_until(lambda: is_run_by(second))
            first.process.send_signal(signal.SIGCONT)
            wait_until(lambda: first.said("test.steps lost"))
            assert is_run_by(second)  # the late one did not end the run of the other
            assert state("test.steps")["last_finished_at"] is None

            wait_until(lambda: state("test.steps")["notes"].get("pid") == second.pid)
            position = int(state("test.steps")["position"])
            second.process.kill()
            killed = time.monotonic()
            wait_until(lambda: is_run_by(first))
            assert time.monotonic() - killed < LEASE.total_seconds() + 5
            assert state("test.steps")["failures"] == 2
            wait_until(lambda: int(state("test.steps")["position"]) > position)


def test_a_worker_outlives_the_database_and_goes_on(tmp_path: Path) -> None:
    from pymongo import MongoClient

    port = free_port()
    mongo = EmbeddedMongo(tmp_path / "mongo", port)
    uri = mongo.start()
    patience_ends = tmp_path / "enough"
    worker = Worker(
        tmp_path / "log",
        DJANGO_SETTINGS_MODULE="tests.jobs_app.settings",
        MONGODB_URI=uri,
        MONGODB_DATABASE="away",
        MONGODB_SELECTION_TIMEOUT_MS="300",
        PATIENCE_ENDS=str(patience_ends),
        LOG_LEVEL="INFO",
    )
    with started(worker), MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=20_000) as client:
        jobs = client["away"]["jobs"]

        def outcome(name: str) -> Any:
            return (jobs.find_one({"_id": name}) or {}).get("last_outcome")

        try:
            wait_until(lambda: outcome("test.quick") == "done")
            mongo.stop()
            wait_until(lambda: worker.said("no job can be run just now"))
            patience_ends.touch()  # this run ends while its end cannot be stored
            mongo = EmbeddedMongo(tmp_path / "mongo", port)
            mongo.start()
            wait_until(lambda: outcome("test.patient") == "done")
            jobs.update_one({"_id": "test.quick"}, [{"$set": {"next_at": "$$NOW", "last_outcome": "made due"}}])
            wait_until(lambda: outcome("test.quick") == "done", 60)
            assert worker.process.poll() is None
            patient = jobs.find_one({"_id": "test.patient"})
            assert patient is not None
            assert (patient["failures"], patient["notes"]) == (0, {"pid": worker.pid})
        finally:
            client.close()
            mongo.stop()
        worker.process.send_signal(signal.SIGINT)
        assert worker.process.wait(20) == 0  # also without a database
