"""MongoDB servers of a trial's own, which can be killed, stopped, made to stand still, and given too little room."""

import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import httpx
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from ticketing.mongo.embedded import find_mongod
from ticketing.processes import free_port, start_child, stop_child

NAME = "trial"


class ReplicaSet:
    """``with ReplicaSet() as servers:`` has a primary; everything is gone afterwards.

    ``folder`` is where the data goes (none: a temporary one), ``parameters`` are the servers' own
    (``transactionLifetimeLimitSeconds``, …).
    """

    def __init__(
        self, members: int = 3, election_timeout: int = 10_000, *, folder: Path | None = None, **parameters: object
    ) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="ticketing-trial-", dir=folder))
        self.ports = [free_port() for _ in range(members)]
        self._election_timeout = election_timeout
        self._parameters = {"diagnosticDataCollectionEnabled": "false", **parameters}
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def uri(self) -> str:
        return f"mongodb://{','.join(f'127.0.0.1:{port}' for port in self.ports)}/?replicaSet={NAME}"

    def __enter__(self) -> Self:
        try:
            self._initiate()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            stop_child(process, signal.SIGKILL, 10)
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self, port: int) -> None:
        """A server, on the data that it has left."""
        data = self._folder / str(port)
        data.mkdir(exist_ok=True)
        command = [str(find_mongod()), "--dbpath", str(data), "--port", str(port), "--bind_ip", "127.0.0.1"]
        command += ["--replSet", NAME, "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "64"]
        for name, value in self._parameters.items():
            command += ["--setParameter", f"{name}={value}"]
        # Writing beyond the limit that `limit_files` sets shall fail, as on a full disk, and not end the process.
        command = ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "mongod", *command]
        with (self._folder / f"{port}.log").open("ab") as log:
            self._processes[port] = start_child(command, output=log)

    def kill(self, port: int) -> None:
        """SIGKILL: as if its machine had lost power."""
        self._processes[port].kill()
        self._processes[port].wait()

    def stop(self, port: int) -> None:
        """SIGTERM, as an operator's restart does."""
        stop_child(self._processes[port], signal.SIGTERM, 60)

    def stand_still(self, port: int) -> None:
        """SIGSTOP: connections stay, and nothing answers."""
        self._processes[port].send_signal(signal.SIGSTOP)

    def go_on(self, port: int) -> None:
        self._processes[port].send_signal(signal.SIGCONT)

    def is_alive(self, port: int) -> bool:
        return self._processes[port].poll() is None

    def limit_files(self, port: int, size: int) -> None:
        """From now on no file of the server can grow beyond so many bytes."""
        resource.prlimit(self._processes[port].pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def last_words(self, port: int) -> str:
        """The errors in the server's log, the last of each kind."""
        lines = (self._folder / f"{port}.log").read_text(errors="replace").splitlines()
        return "\n".join(line for line in lines if '"s":"E"' in line or '"s":"F"' in line)[-2000:]

    def primary(self) -> int:
        """The port of the server that takes writes; waits for one."""
        return int(wait_for(self._find_primary))

    def wait_until_whole(self) -> None:
        """All have caught up."""
        wait_for(self._is_whole)

    def _initiate(self) -> None:
        for port in self.ports:
            self.start(port)
        members = [{"_id": number, "host": f"127.0.0.1:{port}"} for number, port in enumerate(self.ports)]
        settings = {"electionTimeoutMillis": self._election_timeout}
        for port in self.ports:
            with self._direct(port) as client:
                wait_for(lambda client=client: client.admin.command("hello"))  # type: ignore[misc]
        with self._direct(self.ports[0]) as client:
            client.admin.command("replSetInitiate", {"_id": NAME, "members": members, "settings": settings})
        self.primary()

    def _find_primary(self) -> int:
        for port in self.ports:
            try:
                with self._direct(port) as client:
                    if client.admin.command("hello").get("isWritablePrimary"):
                        return port
            except PyMongoError:
                continue
        return 0

    def _is_whole(self) -> bool:
        with self._direct(self._find_primary()) as client:
            states = sorted(member["state"] for member in client.admin.command("replSetGetStatus")["members"])
            return states == [1, *[2] * (len(self.ports) - 1)]

    @staticmethod
    def _direct(port: int) -> MongoClient[dict[str, Any]]:
        return MongoClient("127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=500, socketTimeoutMS=2000)


def wait_for(what: Callable[[], Any], seconds: float = 60) -> Any:
    """What it returns once that is true; a server that cannot be reached counts as not yet."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if found := what():
                return found
        except (PyMongoError, httpx.TransportError):
            pass
        if time.monotonic() > deadline:
            raise TimeoutError("the servers did not come to where they should be")
        time.sleep(0.05)
