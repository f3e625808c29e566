"""How many connections to MongoDB one process opens: python -m deploy.trials.connections

One gunicorn worker on a replica set of three. On Lambda an environment serves one request at a time, and the driver
polls the servers instead of listening to them.
"""

import signal
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
from pymongo import MongoClient

from deploy.trials.failover import EMAIL, PASSWORD, TENANT, prepare
from deploy.trials.replica_set import ReplicaSet, wait_for
from ticketing.processes import free_port, start_child, stop_child

REQUESTS = 200
NAME = "measured"
VARIANTS = (
    ("one request at a time", 1, ""),
    ("one request at a time, polling", 1, "&serverMonitoringMode=poll"),
    ("eight requests at once", 8, ""),
)


def main() -> None:
    with ReplicaSet() as servers, tempfile.TemporaryDirectory() as data:
        environment = prepare(servers.uri, data)
        clients = [MongoClient[dict[str, Any]]("127.0.0.1", port, directConnection=True) for port in servers.ports]
        for what, at_once, option in VARIANTS:
            port = free_port()
            uri = f"{servers.uri}&appName={NAME}{option}"
            variables = {**environment, "MONGODB_URI": uri, "PORT": str(port), "WEB_CONCURRENCY": "1"}
            with (Path(data) / "web.log").open("wb") as log:
                command = [sys.executable, "-m", "gunicorn", "--config", "python:ticketing.gunicorn"]
                web = start_child(command, env=variables, output=log)
            try:
                ask(f"http://127.0.0.1:{port}", at_once)
                opened = [connections(client) for client in clients]
            finally:
                stop_child(web, signal.SIGTERM, 30)
            print(f"{what}: {sum(opened)} connections, {opened} to the three nodes", flush=True)


def ask(address: str, at_once: int) -> None:
    wait_for(lambda: httpx.get(f"{address}/readyz").is_success)
    account = {"tenant": TENANT, "email": EMAIL, "password": PASSWORD}
    token = httpx.post(f"{address}/api/v1/auth/login", json=account, timeout=30).raise_for_status().json()["access"]
    with (
        httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client,
        ThreadPoolExecutor(at_once) as threads,
    ):
        titles = [{"title": f"ticket {number}"} for number in range(REQUESTS)]
        for answer in threads.map(lambda title: client.post("/api/v1/tickets", json=title), titles):
            answer.raise_for_status()


def connections(client: MongoClient[dict[str, Any]]) -> int:
    """Those of the measured process, idle ones and the driver's own included."""
    stages = [{"$currentOp": {"allUsers": True, "idleConnections": True}}, {"$match": {"appName": NAME}}]
    return len(list(client.admin.aggregate(stages)))


if __name__ == "__main__":
    main()
