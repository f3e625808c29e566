"""The previous version and this one serve from one database, under load, on the way up and on the way back."""

import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from ticketing.mongo.embedded import EmbeddedMongo
from ticketing.processes import free_port, start_child, stop_child
from tickets.demo.people import DEMO_SIGN_INS

ROOT = Path(__file__).resolve().parents[2]
PREVIOUS = (ROOT / "deploy" / "previous-version").read_text().strip()
LOADED_SECONDS = 5.0  # of load in each state of the upgrade
CLIENTS = 3
TENANT, EMAIL, PASSWORD = next((t, email, password) for t, email, role, password in DEMO_SIGN_INS if role == "agent")


@dataclass
class Version:
    """A checkout of the platform, and how to run it on the trial's database."""

    name: str
    folder: Path
    environment: dict[str, str]

    def manage(self, *arguments: str) -> None:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{self.name}: manage.py {' '.join(arguments)}\n{done.stdout}{done.stderr}"

    def serve(self, running: ExitStack) -> "Server":
        """A server that is ready; whatever happens, it ends with the block."""
        port = free_port()
        command = ["env", "--chdir", str(self.folder), sys.executable, "-m", "gunicorn", "ticketing.wsgi:application"]
        command += ["--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--threads", "8", "--no-control-socket"]
        process = start_child(command, self.environment)
        running.callback(stop_child, process, signal.SIGKILL, 10)
        _await_ready(process, port)
        return Server(self.name, port, process)


@dataclass
class Server:
    name: str
    port: int
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """As an orchestrator does: no new requests, then SIGTERM; it must end well."""
        self.process.terminate()
        assert self.process.wait(30) == 0, f"{self.name}: the server did not end well"


@dataclass
class Load:
    """Clients that write through one server and read through any, and remember what they were promised."""

    ports: list[int]
    failures: list[str] = field(default_factory=list)
    comments: dict[str, list[str]] = field(default_factory=dict)  # what each ticket must show
    requests: int = 0
    _busy: dict[httpx.Client, threading.Lock] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(CLIENTS)]
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ending.set()
        for each in self._threads:
            each.join()

    def last(self) -> None:
        """Go on in this state for a while, and not without work done."""
        before = self.requests
        self._ending.wait(LOADED_SECONDS)
        assert self.requests > before
        assert not self.failures, self.failures[:3]

    def drain(self) -> None:
        """Until no request is under way that began before this call."""
        for each in list(self._busy.values()):
            with each:
                pass

    def _work(self, number: int) -> None:
        with httpx.Client(timeout=30) as client:
            self._busy[client] = threading.Lock()
            try:
                token = self._call(client, "POST", "/auth/login", tenant=TENANT, email=EMAIL, password=PASSWORD)[
                    "access"
                ]
                client.headers["Authorization"] = f"Bearer {token}"
                for turn in itertools.takewhile(lambda _: not self._ending.is_set(), itertools.count()):
                    self._write_and_read(client, f"Upgrade {number}-{turn}")
            except Exception as error:  # noqa: BLE001 - told to the test, whose thread is another
                self.failures.append(repr(error))

    def _write_and_read(self, client: httpx.Client, title: str) -> None:
        ticket = self._call(client, "POST", "/tickets", title=title, description="Written during an upgrade.")
        path = f"/tickets/{ticket['id']}"
        expected = self.comments[ticket["id"]] = []
        for text in ("first", "second"):
            self._call(client, "POST", f"{path}/comments", body=text)
            expected.append(text)
        self._call(client, "PATCH", path, priority="high")
        read = self._call(client, "GET", f"{path}?include=comments")
        assert (read["title"], read["priority"]) == (title, "high")
        assert [each["body"] for each in read["comments"]["data"]] == expected
        assert self._call(client, "GET", "/tickets?limit=5")["data"]

    def _call(self, client: httpx.Client, method: str, path: str, **given: str) -> Any:
        with self._busy[client]:
            port = random.choice(self.ports)
            response = client.request(method, f"http://127.0.0.1:{port}/api/v1{path}", json=given or None)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text[:200]}"
        self.requests += 1
        return response.json()


def test_an_upgrade_and_a_roll_back_lose_nothing(versions: tuple[Version, Version]) -> None:
    old, new = versions
    old.manage("migrate", "--verbosity=0")
    old.manage("load_demo")
    with ExitStack() as running:
        first = old.serve(running)
        with Load([first.port]) as load:
            load.last()
            new.manage("migrate", "--verbosity=0")
            load.last()
            second = new.serve(running)
            load.ports = [first.port, second.port]
            load.last()
            load.ports = [second.port]
            load.drain()
            first.stop()
            load.last()
            # And back: the previous version again, on the migrated database.
            third = old.serve(running)
            load.ports = [second.port, third.port]
            load.last()
            load.ports = [third.port]
            load.drain()
            second.stop()
            load.last()
        old.manage("verify_stats")
        new.manage("verify_stats", "--repair")  # how long tickets took is nothing that the previous version keeps
        for version in versions:
            version.manage("verify_stats")
        new.manage("check_indexes")
        _check_nothing_lost(load, third.port)
    print(f"{load.requests} requests, {len(load.comments)} tickets, none failed, none lost")


@pytest.fixture
def versions(tmp_path: Path) -> Iterator[tuple[Version, Version]]:
    """The previous one from the history, and this one."""
    archive = subprocess.run(["git", "archive", PREVIOUS], cwd=ROOT, capture_output=True)
    if archive.returncode:
        pytest.fail(f"the history does not hold {PREVIOUS} ({archive.stderr.decode().strip()}): fetch all of it")
    folder = tmp_path / "previous"
    folder.mkdir()
    subprocess.run(["tar", "--extract", "--directory", folder], input=archive.stdout, check=True)
    limits = {f"RATE_LIMIT_{each}_PER_MINUTE": "1000000" for each in ("USER", "ADDRESS", "TENANT", "SIGN_IN")}
    with EmbeddedMongo.for_tests() as mongo:
        environment = {
            **{name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
            **limits,
            "MONGODB_URI": mongo.uri,
            "SECRET_KEY": "the same for both versions, as in any deployment",
            "DATA_DIR": str(tmp_path / "data"),
        }
        (tmp_path / "data" / "static").mkdir(parents=True)
        yield Version("previous", folder, environment), Version("this", ROOT, environment)


def _await_ready(server: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server ended by itself"
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail("the server did not become ready")


def _check_nothing_lost(load: Load, port: int) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=30) as client:
        answer = client.post("/auth/login", json={"tenant": TENANT, "email": EMAIL, "password": PASSWORD})
        client.headers["Authorization"] = f"Bearer {answer.json()['access']}"
        for ticket, expected in load.comments.items():
            read = client.get(f"/tickets/{ticket}?include=comments").json()
            assert [each["body"] for each in read["comments"]["data"]] == expected
