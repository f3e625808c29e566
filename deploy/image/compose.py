"""compose.yaml, brought up, used, stopped and brought up again by Docker Compose itself, on the engine of this machine.

Docker runs it as it is. Podman may be without a registry: there MongoDB's image is replaced (mongo.Dockerfile), the
mail catcher, which nothing else needs, is left out, and the health checks, whose timers would need systemd, are run
from here.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread

from deploy.image.build import build_options
from deploy.image.engine import BUILD, ROOT, engine, find_engine
from deploy.image.trial import EMAIL, PASSWORD, TENANT, await_true, expect, get, report, smoke
from ticketing.mongo.embedded import find_mongod
from ticketing.processes import free_port, start_child, stop_child

PROJECT = "ticketing-check"
COMPOSE = Path(sys.executable).with_name("docker-compose")
MONGO_IMAGE = "mongo:7.0"
NOT_ITS_OWN = ("libc.so", "libm.so", "libgcc", "libresolv", "ld-linux")  # of what mongod needs, what any image has
UP_SECONDS = 300


def check() -> None:
    port = free_port()
    services = [] if find_engine() == "docker" else ["server", "worker"]
    with ExitStack() as stack:
        environment = {**os.environ, "PORT": str(port), "MAIL_PORT": str(free_port())}
        if find_engine() == "podman":
            environment["DOCKER_HOST"] = stack.enter_context(_podman_service())
            _build_mongo()
            stack.enter_context(_health_checks())
        stack.callback(_compose, "down", "--volumes", "--timeout", "5", environment=environment)
        _compose("config", "--quiet", environment=environment)
        report("compose.yaml is valid")
        _up(services, port, environment)
        smoke(port)
        token = json.loads(_sign_in(port))["access"]
        _stop(environment)
        _up(services, port, environment)
        status, _ = get(port, "/api/v1/auth/me", {"Authorization": f"Bearer {token}"})
        expect(status == 200, "data and secret key outlive a restart: an older token is still good", f"it was {status}")


def _up(services: list[str], port: int, environment: dict[str, str]) -> None:
    start = time.monotonic()
    _compose("up", "--detach", "--no-build", *services, environment=environment)
    await_true(lambda: get(port, "/readyz")[0] == 200, "the composed platform is ready")
    report(f"docker compose up: ready after {time.monotonic() - start:.0f} s")


def _stop(environment: dict[str, str]) -> None:
    start = time.monotonic()
    _compose("stop", environment=environment)
    seconds = time.monotonic() - start
    for service in ("server", "worker", "mongo"):
        code = engine("inspect", "--format", "{{.State.ExitCode}}", f"{PROJECT}-{service}-1")
        expect(code == "0", f"docker compose stop: {service} ends with {code}")
    report(f"docker compose stop: {seconds:.1f} s")


def _sign_in(port: int) -> bytes:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    given = json.dumps({"tenant": TENANT, "email": EMAIL, "password": PASSWORD})
    connection.request("POST", "/api/v1/auth/login", given, {"Host": "localhost", "Content-Type": "application/json"})
    return connection.getresponse().read()


def _compose(*arguments: str, environment: dict[str, str]) -> None:
    command = [str(COMPOSE), "--project-name", PROJECT, *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, text=True, capture_output=True, check=False, timeout=UP_SECONDS
    )
    if done.returncode:
        for service in ("mongo", "init", "server", "worker"):
            print(engine("logs", "--tail", "20", f"{PROJECT}-{service}-1", check=False, errors=True))
        expect(False, f"docker compose {arguments[0]}", done.stdout + done.stderr)


@contextmanager
def _podman_service() -> Iterator[str]:
    """Docker's API as podman speaks it; the address comes out."""
    socket = BUILD / "podman.sock"
    socket.unlink(missing_ok=True)
    address = f"unix://{socket}"
    os.environ["DISABLE_HC_SYSTEMD"] = "true"
    with (BUILD / "podman.log").open("wb") as log:
        service = start_child(["podman", "system", "service", "--time", "0", address], output=log)
    try:
        await_true(socket.exists, "podman's service")
        yield address
    finally:
        stop_child(service, signal.SIGTERM, 10)


@contextmanager
def _health_checks() -> Iterator[None]:
    ended = Event()

    def run() -> None:
        while not ended.wait(2):
            for name in (f"{PROJECT}-mongo-1", f"{PROJECT}-server-1"):
                engine("healthcheck", "run", name, check=False)

    thread = Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _build_mongo() -> None:
    """From the tests' mongod and the libraries of this machine that it needs."""
    context, mongod = BUILD / "mongo", find_mongod()
    shutil.rmtree(context, ignore_errors=True)
    (context / "lib").mkdir(parents=True)
    shutil.copy(mongod, context / "mongod")
    shutil.copy(Path(__file__).with_name("mongosh.py"), context / "mongosh")
    (context / "mongosh").chmod(0o755)
    needed = subprocess.run(["ldd", mongod], capture_output=True, text=True, check=True).stdout
    for line in needed.splitlines():
        path = line.partition("=> ")[2].partition(" ")[0]
        if path and not any(each in path for each in NOT_ITS_OWN):
            shutil.copy(path, context / "lib")
    dockerfile = Path(__file__).with_name("mongo.Dockerfile")
    engine("build", *build_options(), "--file", str(dockerfile), "--tag", MONGO_IMAGE, str(context))
