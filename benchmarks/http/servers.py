"""The platform and the reference as servers, each on one database, and the CPU and memory that they use."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

from pymongo import MongoClient

from ticketing.processes import free_port, start_child, stop_child

ROOT = Path(__file__).resolve().parent.parent.parent
REFERENCE, REFERENCE_PACKAGES = ROOT / "benchmarks" / "reference", ROOT / "build" / "reference"
WORKERS = 2
START_SECONDS, STOP_SECONDS = 60, 10
_TICKS = os.sysconf("SC_CLK_TCK")
# They count as ever, and never refuse.
_LIMITS = {f"RATE_LIMIT_{of}_PER_MINUTE": "1000000000" for of in ("USER", "ADDRESS", "TENANT", "SIGN_IN")}


class Server:
    """Processes of their own that listen on a port; in a `with` block until they are ready, and stopped after it."""

    def __init__(self, command: list[str], environment: dict[str, str], probe: str, port: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self.address = ("127.0.0.1", port)
        self._command, self._environment, self._probe = command, environment, probe

    def __enter__(self) -> Self:
        with (Path(self._environment["DATA_DIR"]) / f"{self.address[1]}.log").open("wb") as log:
            self._process = start_child(self._command, self._environment, log)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{' '.join(self._command)} does not answer:\n{Path(log.name).read_text()[-2000:]}")
            time.sleep(0.1)
        return self

    def __exit__(self, *_error: object) -> None:
        stop_child(self._process, signal.SIGTERM, STOP_SECONDS)

    def get(self, path: str, headers: dict[str, str]) -> Any:
        """One answer's JSON; another status than 200 ends the run."""
        connection = http.client.HTTPConnection(*self.address, timeout=START_SECONDS)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            sys.exit(f"GET {path}: {answer.status} {body[:500].decode(errors='replace')}")
        return json.loads(body)

    def cpu(self) -> float:
        """The seconds of CPU that its processes have used so far."""
        return sum(_cpu(pid) for pid in self._pids())

    def memory(self) -> float:
        """The MiB of the largest of its processes, resident and shared pages included."""
        return max(_memory(pid) for pid in self._pids())

    def _pids(self) -> list[int]:
        return [self._process.pid, *_children(self._process.pid)]

    def _answers(self) -> bool:
        try:
            connection = http.client.HTTPConnection(*self.address, timeout=1)
            connection.request("GET", self._probe)
            return connection.getresponse().status < 500
        except OSError:
            return False


def enlarge_cache(client: MongoClient[dict[str, Any]]) -> None:
    """Production's MongoDB has half of its machine's memory; the embedded one is made small."""
    client.admin.command("setParameter", 1, wiredTigerEngineRuntimeConfig="cache_size=4G")


def platform(uri: str, database: str, folder: Path) -> Server:
    """The platform on gunicorn, set up as in production."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--config", "python:ticketing.gunicorn"]
    environment = platform_environment(uri, database, folder) | {"PORT": str(port), "WEB_CONCURRENCY": str(WORKERS)}
    return Server(command, environment, "/healthz", port)


def platform_environment(uri: str, database: str, folder: Path) -> dict[str, str]:
    """The settings of its server, its commands and its seed."""
    return {
        **os.environ,
        **_LIMITS,
        "PYTHONPATH": str(ROOT),
        "SECRET_KEY": "x" * 50,
        "ACCESS_TOKEN_MINUTES": "1000",
        "MONGODB_URI": uri,
        "MONGODB_DATABASE": database,
        "DATA_DIR": str(folder),
    }


def reference(uri: str, database: str, folder: Path) -> Server:
    """The reference on uvicorn, without totals and with its transaction."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "app:app", "--app-dir", str(REFERENCE), "--port", str(port)]
    command += ["--workers", str(WORKERS), "--loop", "uvloop", "--http", "httptools", "--no-access-log"]
    return Server(command, reference_environment(uri, database, folder), "/openapi.json", port)


def reference_environment(uri: str, database: str, folder: Path) -> dict[str, str]:
    """The settings of its server and its loader."""
    options = {"SEED_MONGO_URI": uri, "SEED_DB": database, "SEED_COUNT": "0", "SEED_AUDIT": "1"}
    return {**os.environ, **options, "PYTHONPATH": str(REFERENCE_PACKAGES), "DATA_DIR": str(folder)}


def run(command: list[str], environment: dict[str, str], folder: Path = ROOT) -> str:
    """What a command prints; ends the run where it fails. What it logs of slow queries is not of interest."""
    quiet = environment | {"LOG_LEVEL": "ERROR"}
    done = subprocess.run(command, cwd=folder, env=quiet, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed")
    return done.stdout


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found]


def _cpu(pid: int) -> float:
    # See proc(5): the name in brackets may hold blanks; utime and stime are the 12th and 13th after it.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _memory(pid: int) -> float:
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024
