"""`manage.py serve`, which `make run` calls: all that a newcomer needs, from MongoDB to the demo sign-ins."""

import errno
import hashlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand
from django.db import connections

from ticketing import development, env
from ticketing.mongo.embedded import EmbeddedMongo, EmbeddedMongoError
from ticketing.mongo.server import ServerUnusableError, check_server, without_credentials
from ticketing.processes import start_child, stop_child

START_SECONDS = 30
STOP_SECONDS = 5
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class CannotServe(Exception):
    """The server cannot start or go on; the text is one line that says what to do."""


class Stopped(BaseException):
    """Somebody asked us to stop: Ctrl-C, a closed terminal, or kill."""


class Command(BaseCommand):
    help = "Runs the platform on this machine: MongoDB, migrations, demo data and a production-style server."
    requires_system_checks = ()

    def handle(self, **options: Any) -> None:
        for each in STOP_SIGNALS:
            signal.signal(each, _raise_stopped)
        try:
            with ExitStack() as running:
                try:
                    self._serve(running)
                finally:
                    # A second Ctrl-C while the processes are being stopped would leave some behind.
                    for each in STOP_SIGNALS:
                        signal.signal(each, signal.SIG_IGN)
        except Stopped:
            self.stdout.write("\nStopped.")
        except (CannotServe, EmbeddedMongoError, ServerUnusableError, ImproperlyConfigured) as error:
            sys.exit(f"Cannot serve: {error}")

    def _serve(self, running: ExitStack) -> None:
        host, port = env.text("HOST", "127.0.0.1"), env.integer("PORT", 8000, 1)
        _check_free(host, port)
        mongo = self._start_database(running)
        self._prepare()
        server = _start_web_server(host, port)
        running.callback(stop_child, server, signal.SIGTERM, STOP_SECONDS)
        _wait_until_it_answers(server, host, port)
        worker = _start_worker()
        running.callback(stop_child, worker, signal.SIGTERM, STOP_SECONDS)
        self._introduce(port)
        while mongo is None or mongo.is_running:
            for name, process in (("web server", server), ("worker", worker)):
                if process.poll() is not None:
                    raise CannotServe(f"the {name} ended by itself; see the lines above")
            time.sleep(0.5)
        raise CannotServe(f"MongoDB ended by itself; see {mongo.log}")

    def _start_database(self, running: ExitStack) -> EmbeddedMongo | None:
        """The database of MONGODB_URI, else our own, which is returned; announced to our children and to Django."""
        mongo = None
        uri = os.environ.get("MONGODB_URI", "")
        if not uri:
            mongo = EmbeddedMongo(development.data_folder() / "mongo")
            running.callback(mongo.stop)
            uri = mongo.start()
            running.enter_context(development.announced_database(uri))
        check_server(uri)
        os.environ["MONGODB_URI"] = connections["default"].settings_dict["HOST"] = uri
        kept = f"embedded, its data in {mongo.dbpath}" if mongo else "the server of MONGODB_URI"
        self.stdout.write(f"MongoDB      {without_credentials(uri)}, {kept}")
        return mongo

    def _prepare(self) -> None:
        """Whatever an earlier start has done already takes next to no time."""
        self.stdout.write("Migrations   ...")
        call_command("migrate", verbosity=0, interactive=False)
        _collect_static_files()
        if "load_demo" in get_commands() and env.boolean("DEMO_DATA", True):
            self.stdout.write("Demo data    ...")
            call_command("load_demo")

    def _introduce(self, port: int) -> None:
        site = f"http://localhost:{port}"
        self.stdout.write(
            f"""
The platform is running. Ctrl-C stops it.

  Console    http://acme.localhost:{port}/console/   (any tenant: {site}/console/)
  API        {site}/api/v1/
  Docs       {site}/api/v1/docs   {site}/api/v1/redoc
"""
        )
        try:
            from tickets.demo.people import DEMO_SIGN_INS
        except ModuleNotFoundError:
            return
        self.stdout.write("  Demo sign-ins")
        for tenant, email, role, password in DEMO_SIGN_INS:
            self.stdout.write(f"    {tenant:8} {role:10} {email:32} {password}")


def _raise_stopped(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise Stopped


def _check_free(host: str, port: int) -> None:
    """Raises CannotServe when nobody can listen there."""
    try:
        socket.create_server((host, port)).close()
    except OverflowError:
        raise CannotServe(f"PORT must be at most 65535, not {port}") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CannotServe(
                f"port {port} on {host} is busy (is `make run` running already?); "
                f"stop what listens there, or choose another: PORT={port + 1} make run"
            ) from None
        raise CannotServe(f"cannot listen on {host} port {port} ({error.strerror}); correct HOST or PORT") from None


def _start_web_server(host: str, port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "gunicorn", "--config", "python:ticketing.gunicorn", "--bind", f"{host}:{port}"]
    command += ["--graceful-timeout", "3", "--log-level", "warning"]
    return start_child(command, env={**os.environ, "PYTHONPATH": str(settings.BASE_DIR)})


def _start_worker() -> subprocess.Popen[bytes]:
    return start_child([sys.executable, str(settings.BASE_DIR / "manage.py"), "worker"])


def _wait_until_it_answers(server: subprocess.Popen[bytes], host: str, port: int) -> None:
    """Raises CannotServe when the server ends, or does not answer in time."""
    address = "127.0.0.1" if host in {"", "0.0.0.0"} else host  # nosec B104 # noqa: S104 - compared, not bound
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise CannotServe("the web server did not start; see the lines above")
        connection = http.client.HTTPConnection(address, port, timeout=5)
        try:
            connection.request("GET", "/healthz", headers={"Host": "localhost"})
            status = connection.getresponse().status
        except OSError:
            time.sleep(0.05)
        else:
            if status == http.HTTPStatus.OK:
                return
            raise CannotServe(f"the web server answers /healthz with {status}; see the lines above")
        finally:
            connection.close()
    raise CannotServe(f"the web server did not answer within {START_SECONDS} s; see the lines above")


def _collect_static_files() -> None:
    """Collect and compress them when one has changed since the last time."""
    stamp = Path(settings.STATIC_ROOT) / ".collected"
    fingerprint = _static_fingerprint()
    if not stamp.exists() or stamp.read_text() != fingerprint:
        call_command("collectstatic", verbosity=0, interactive=False)
        stamp.write_text(fingerprint)


def _static_fingerprint() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
