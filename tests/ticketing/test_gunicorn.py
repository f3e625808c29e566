"""The web server as production starts it: two processes, and what becomes of their counts when they end."""

import http.client
import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from accounts.sessions import open_session
from tenants.usage.services import today, usage_of
from tests.cast import Cast
from tests.waiting import wait_until
from ticketing.processes import free_port, start_child, stop_child

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "gunicorn", "--config", "python:ticketing.gunicorn"]
TOKEN = "the token of the metrics"

pytestmark = pytest.mark.django_db


class Server:
    """A running gunicorn on the test's database."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.metrics = folder / "metrics"
        self.log = folder / "log"
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "ticketing.settings",
            "SECRET_KEY": settings.SECRET_KEY,
            "MONGODB_DATABASE": connection.settings_dict["NAME"],
            "PORT": str(self.port),
            "METRICS_TOKEN": TOKEN,
            "PROMETHEUS_MULTIPROC_DIR": str(self.metrics),
            "USAGE_FLUSH_SECONDS": "3600",
            "DATA_DIR": str(folder),
            "STATIC_ROOT": str(folder),
            "PYTHONPATH": str(ROOT),
        }
        with self.log.open("wb") as log:
            self.process = start_child(COMMAND, env=environment, output=log)

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        """By a connection of its own, so that the processes take turns."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path, headers={"Host": "localhost", **headers})
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def counted(self) -> int:
        """How many lists of tickets all processes together have answered, as Prometheus sees it."""
        status, text = self.get("/metrics", Authorization=f"Bearer {TOKEN}")
        assert status == 200
        labels = 'method="GET",route="/api/v1/tickets",status="200"'
        found = re.search(rf"^ticketing_requests_total{{{labels}}} (\S+)$", text, re.MULTILINE)
        return int(float(found[1])) if found else 0

    def workers(self) -> set[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return {int(pid) for pid in children.split()}

    def answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.get("/healthz")[0] == 200
        except OSError:
            return False

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@pytest.fixture
def server(db: None, tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    try:
        wait_until(server.answers)
        yield server
    finally:
        stop_child(server.process, signal.SIGKILL, 10)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_counts_are_those_of_all_processes_and_are_stored_when_it_stops(cast: Cast, server: Server) -> None:
    bearer = f"Bearer {open_session(cast.amir).access}"
    assert {server.get("/api/v1/tickets", Authorization=bearer)[0] for _ in range(20)} == {200}
    assert server.counted() == 20

    victim, other = sorted(server.workers())
    os.kill(victim, signal.SIGINT)  # gunicorn's quick stop of a worker: it ends in order
    wait_until(lambda: len(server.workers()) == 2 and victim not in server.workers())
    assert other in server.workers()
    assert {server.get("/api/v1/tickets", Authorization=bearer)[0] for _ in range(10)} == {200}
    assert server.counted() == 30
    assert usage_of([cast.globex.pk], today(), today()) == []

    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(30) == 0
    [usage] = usage_of([cast.acme.pk], today(), today())
    assert usage["requests"] == 30
    assert not server.metrics.exists()

    lines = server.lines()
    assert {line["logger"] for line in lines} >= {"gunicorn.error", "ticketing.requests"}
    requests = [line for line in lines if line["logger"] == "ticketing.requests"]
    assert len(requests) == 30
    assert {line["actor"] for line in requests} == {str(cast.amir.pk)}
    assert bearer not in server.log.read_text()
