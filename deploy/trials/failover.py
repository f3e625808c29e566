"""`make failover-trial`: the platform under load while MongoDB's primary is killed, again and again.

Three MongoDB servers, gunicorn, and writers that open tickets over HTTP, as an integration does: each POST with an
Idempotency-Key, repeated with the same key until it is acknowledged. Afterwards every acknowledged ticket must be there
exactly once, with its history, and the statistics must equal a full count. Fails when they do not.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
from pymongo import MongoClient

from deploy.trials.replica_set import ReplicaSet, wait_for
from ticketing.processes import free_port, start_child, stop_child

TENANT, EMAIL, PASSWORD = "trial", "agent@trial.example", "correct horse battery staple"
PAUSE = 0.1  # seconds before a client repeats what was refused


@dataclass
class Load:
    """What the writers saw; times are of the monotonic clock."""

    acknowledged: list[tuple[float, str]] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)

    def write(self, address: str, headers: dict[str, str], writer: int) -> None:
        """Opens tickets until it is over; the last one is followed to its end."""
        number = 0
        with httpx.Client(base_url=address, headers=headers, timeout=60) as client:
            while not self.over.is_set():
                number += 1
                began = time.monotonic()
                self._open(client, f"writer {writer} number {number}")
                self.slowest = max(self.slowest, time.monotonic() - began)

    def _open(self, client: httpx.Client, title: str) -> None:
        while True:
            try:
                answer = client.post("/api/v1/tickets", json={"title": title}, headers={"Idempotency-Key": title})
            except httpx.TransportError as error:
                self.failures[type(error).__name__] += 1
            else:
                if answer.status_code == 201:
                    self.acknowledged.append((time.monotonic(), title))
                    return
                code = answer.json().get("code", "") if "json" in answer.headers.get("Content-Type", "") else ""
                self.failures[f"{answer.status_code} {code}".strip()] += 1
            time.sleep(PAUSE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=5, help="of load before each kill and after the last (5)")
    parser.add_argument("--election-timeout", type=int, default=10_000, metavar="MS", help="MongoDB's own is 10000")
    options = parser.parse_args()
    with ReplicaSet(options.election_timeout) as servers, tempfile.TemporaryDirectory() as data:
        environment = prepare(servers.uri, data)
        port = free_port()
        command = [sys.executable, "-m", "gunicorn", "--config", "python:ticketing.gunicorn"]
        with (Path(data) / "web.log").open("wb") as log:
            web = start_child(command, env={**environment, "PORT": str(port)}, output=log)
        try:
            failed = run(servers, f"http://127.0.0.1:{port}", options, environment)
        finally:
            stop_child(web, signal.SIGTERM, 30)
    sys.exit(1 if failed else 0)


def prepare(uri: str, data: str) -> dict[str, str]:
    """A migrated database with one tenant and one agent; returns the environment that names it."""
    limits = {f"RATE_LIMIT_{who}_PER_MINUTE": "1000000" for who in ("USER", "ADDRESS", "TENANT")}
    environment = {
        **os.environ,
        **limits,
        "MONGODB_URI": uri,
        "DATA_DIR": data,
        "SECRET_KEY": "the key of a trial, which protects nothing",
        "DJANGO_SETTINGS_MODULE": "ticketing.settings",
        "LOG_LEVEL": "ERROR",
    }
    manage(environment, "migrate", "--verbosity", "0")
    manage(environment, "collectstatic", "--noinput", "--verbosity", "0")
    manage(environment, "create_tenant", "--slug", TENANT, "--name", "Trial")
    account = ("--tenant", TENANT, "--email", EMAIL, "--name", "Agent", "--role", "agent")
    manage(environment, "create_user", *account, "--password-stdin", text=PASSWORD)
    return environment


def run(servers: ReplicaSet, address: str, options: argparse.Namespace, environment: dict[str, str]) -> bool:
    wait_for(lambda: httpx.get(f"{address}/readyz").is_success)
    account = {"tenant": TENANT, "email": EMAIL, "password": PASSWORD}
    signed_in = httpx.post(f"{address}/api/v1/auth/login", json=account, timeout=30)
    headers = {"Authorization": f"Bearer {signed_in.raise_for_status().json()['access']}"}
    load = Load()
    threads = [
        threading.Thread(target=load.write, args=(address, headers, number)) for number in range(options.writers)
    ]
    for thread in threads:
        thread.start()
    windows = [kill_once(servers, load, options.seconds) for _ in range(options.kills)]
    time.sleep(options.seconds)
    load.over.set()
    for thread in threads:
        thread.join()
    report(load, windows)
    return not check(servers.uri, load, environment)


def kill_once(servers: ReplicaSet, load: Load, seconds: float) -> float:
    """Returns for how long nothing was acknowledged round a kill of the primary."""
    time.sleep(seconds)
    wait_for(lambda: load.acknowledged)
    killed = servers.primary()
    at = time.monotonic()
    servers.kill(killed)
    servers.primary()
    elected = time.monotonic() - at
    wait_for(lambda: load.acknowledged[-1][0] > at + elected)
    window = longest_gap([when for when, _ in load.acknowledged], at - 1)
    print(f"killed the primary: another one after {elected:.1f} s, nothing acknowledged for {window:.1f} s", flush=True)
    servers.start(killed)
    servers.wait_until_whole()
    return window


def longest_gap(times: list[float], since: float) -> float:
    recent = sorted(time for time in times if time >= since)
    return max((after - before for before, after in pairwise(recent)), default=0.0)


def report(load: Load, windows: list[float]) -> None:
    refused = ", ".join(f"{number} × {what}" for what, number in load.failures.most_common()) or "none"
    print(f"{len(load.acknowledged)} tickets acknowledged; refused and repeated: {refused}")
    print(
        f"nothing acknowledged: longest {max(windows):.1f} s, median {statistics.median(windows):.1f} s; "
        f"the slowest ticket took {load.slowest:.1f} s with its repetitions"
    )


def check(uri: str, load: Load, environment: dict[str, str]) -> bool:
    """Every acknowledged ticket once and whole; nothing else; statistics equal to a count."""
    with MongoClient[dict[str, Any]](uri) as client:
        database = client["ticketing"]
        stored = Counter(ticket["title"] for ticket in database["tickets"].find({}, {"title": 1}))
        events = database["events"].count_documents({"type": "ticket.created"})
        numbers = len(database["tickets"].distinct("number"))
    acknowledged = Counter(title for _, title in load.acknowledged)
    lost, extra = acknowledged - stored, stored - acknowledged
    print(f"{stored.total()} stored with {events} histories: {lost.total()} lost, {extra.total()} too many")
    exact = manage(environment, "verify_stats", check=False)
    return not lost and not extra and events == numbers == stored.total() and exact == 0


def manage(environment: dict[str, str], *command: str, text: str = "", check: bool = True) -> int:
    return subprocess.run(
        [sys.executable, "manage.py", *command], env=environment, input=text, text=True, check=check
    ).returncode


if __name__ == "__main__":
    main()
