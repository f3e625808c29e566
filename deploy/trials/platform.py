"""The platform as production runs it, for a trial: a migrated database, two tenants with people, gunicorn, a worker.

The trial's own process becomes one of the platform's too: what it checks it asks by the platform's own means.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import httpx
from pymongo import MongoClient
from pymongo.database import Database

from deploy.trials.replica_set import wait_for
from ticketing.processes import free_port, start_child, stop_child

if TYPE_CHECKING:
    from accounts.actor import Actor

ROOT = Path(__file__).resolve().parents[2]
TENANTS = ("acme", "globex")
ROLES = ("admin", "agent", "user")
PASSWORD = "correct horse battery staple"
UNLIMITED = "1000000"


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in."""

    tenant: str
    tenant_id: Any
    user_id: Any
    role: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class Platform:
    """``with Platform(uri, folder) as platform:`` whatever it has started ends with the block.

    ``console``: its pages are wanted too. ``variables`` go into the environment of all its processes.
    """

    def __init__(self, uri: str, folder: Path, *, console: bool = False, **variables: str) -> None:
        self.uri, self.folder = uri, folder
        self._console = console
        self.files = folder / "files"
        self.environment = {
            **os.environ,
            **{f"RATE_LIMIT_{who}_PER_MINUTE": UNLIMITED for who in ("USER", "ADDRESS", "TENANT", "SIGN_IN")},
            "MONGODB_URI": uri,
            "MONGODB_DATABASE": "ticketing",
            "DATA_DIR": str(folder),
            "MEDIA_ROOT": str(self.files),
            "SECRET_KEY": "the key of a trial, which protects nothing",
            "ACCESS_TOKEN_MINUTES": "600",
            "DJANGO_SETTINGS_MODULE": "ticketing.settings",
            "LOG_LEVEL": "ERROR",
            "PYTHONPATH": str(ROOT),
            **variables,
        }
        self.people: list[Person] = []
        self._running: list[Callable[[], None]] = []

    def __enter__(self) -> Self:
        import django
        from django.core.management import call_command

        os.environ.update(self.environment)
        django.setup()
        call_command("migrate", verbosity=0)
        if self._console:
            call_command("collectstatic", interactive=False, verbosity=0)
        for tenant in TENANTS:
            self._populate(tenant)
        return self

    def __exit__(self, *_: object) -> None:
        for end in reversed(self._running):
            end()

    @property
    def database(self) -> Database[dict[str, Any]]:
        """What is stored, by a client of the trial's own."""
        client = MongoClient[dict[str, Any]](self.uri, tz_aware=True)
        self._running.append(client.close)
        return client["ticketing"]

    def staff(self, tenant: str) -> list[Person]:
        return [person for person in self.people if person.tenant == tenant and person.role != "user"]

    def actor(self, person: Person) -> "Actor":
        """The same person, for calling services."""
        from accounts.actor import Via
        from accounts.sessions import find_account

        account = find_account(person.tenant_id, person.user_id)
        assert account is not None
        return account.actor(Via.CONSOLE)

    def serve(self, **variables: str) -> "Server":
        """gunicorn with two processes, ready."""
        server = Server(self._environment(variables), self.folder / "web.log")
        self._running.append(server.end)
        server.start()
        return server

    def work(self) -> "Program":
        """The worker that runs the jobs, started."""
        worker = Program([sys.executable, "manage.py", "worker"], self._environment({}), self.folder / "worker.log")
        self._running.append(worker.end)
        worker.start()
        return worker

    def _environment(self, variables: dict[str, str]) -> dict[str, str]:
        return {**self.environment, **variables}

    def _populate(self, slug: str) -> None:
        from accounts.actor import Actor, Via
        from accounts.services import create_user
        from accounts.sessions import open_session
        from tenants.services import create_tenant

        tenant = create_tenant({"slug": slug, "name": slug.title()}, by="trial")
        for role in ROLES:
            system = Actor.system(tenant, Via.COMMAND)
            user = create_user(system, email=f"{role}@{slug}.example", name=role, role=role, password=PASSWORD)
            token = open_session(user).access
            self.people.append(Person(slug, tenant.pk, user.pk, role, token))


class Program:
    """A process that can be killed and started again."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], log: Path) -> None:
        self._command, self._environment, self.log = command, environment, log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = start_child(["env", "--chdir", str(ROOT), *self._command], self._environment, output=log)

    def kill(self) -> None:
        """SIGKILL to the process and all that it has started."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def end(self) -> None:
        """In order, and if it does not, by force."""
        if self.process is not None:
            stop_child(self.process, signal.SIGTERM, 30)
        self.kill()


class Server(Program):
    """gunicorn."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        port = free_port()
        super().__init__(
            [sys.executable, "-m", "gunicorn", "--config", "python:ticketing.gunicorn"],
            {**environment, "PORT": str(port)},
            log,
        )
        self.address = f"http://127.0.0.1:{port}"

    def start(self) -> None:
        super().start()
        wait_for(lambda: httpx.get(f"{self.address}/healthz").is_success)

    def workers(self) -> list[int]:
        """The processes that answer requests."""
        assert self.process is not None
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in found]

    def kill_worker(self, pid: int) -> None:
        """SIGKILL to one of them; gunicorn starts another one."""
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: pid not in self.workers())

    def client(self, person: Person) -> httpx.Client:
        return httpx.Client(base_url=f"{self.address}/api/v1", headers=person.headers, timeout=90)
