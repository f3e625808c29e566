"""What the checks of the images have in common: asking, waiting, and telling what was seen."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection

from deploy.image.engine import ROOT
from tickets.demo.people import DEMO_SIGN_INS

(TENANT, EMAIL, PASSWORD), (OTHER_TENANT, OTHER_EMAIL, OTHER_PASSWORD) = (
    (tenant, email, password) for tenant, email, role, password in DEMO_SIGN_INS if role == "admin"
)


def smoke(port: int) -> None:
    command = [sys.executable, "manage.py", "smoke", f"http://127.0.0.1:{port}", "--tenant", TENANT, "--email", EMAIL]
    command += ["--other-tenant", OTHER_TENANT, "--other-email", OTHER_EMAIL, "--password-stdin"]
    passwords, own = f"{PASSWORD}\n{OTHER_PASSWORD}\n", {**os.environ, "SECRET_KEY": "unused"}
    done = subprocess.run(command, input=passwords, cwd=ROOT, env=own, text=True, capture_output=True, check=False)
    expect(done.returncode == 0, "manage.py smoke passes", done.stdout + done.stderr)


def get(port: int, path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    """Status and body; status 0 while nobody listens."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers={"Host": "localhost", **(headers or {})})
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    except OSError:
        return 0, ""
    finally:
        connection.close()


def await_true(condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            expect(False, what, f"not within {seconds} s")
        time.sleep(0.05)


def expect(condition: bool, what: str, seen: str = "") -> None:
    """Tell it, or end the program with what was seen instead."""
    if not condition:
        sys.exit(f"FAILED: {what}\n{seen}")
    report(what)


def report(what: str) -> None:
    print(f"ok: {what}", flush=True)
