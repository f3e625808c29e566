"""How many connections to MongoDB one process opens: python -m deploy.trials.connections

One gunicorn worker on a replica set of three. On Lambda an environment serves one request at a time, and the driver
polls the servers instead of listening to them.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pymongo import MongoClient

from deploy.trials.platform import Platform, Server
from deploy.trials.replica_set import ReplicaSet
from deploy.trials.trial import tell, temporary_folder

REQUESTS = 200
NAME = "measured"
VARIANTS = (
    ("one request at a time", 1, ""),
    ("one request at a time, polling", 1, "&serverMonitoringMode=poll"),
    ("eight requests at once", 8, ""),
)


def main() -> None:
    with ReplicaSet() as servers, temporary_folder() as folder, Platform(servers.uri, folder) as platform:
        clients = [MongoClient[dict[str, Any]]("127.0.0.1", port, directConnection=True) for port in servers.ports]
        for what, at_once, option in VARIANTS:
            uri = f"{servers.uri}&appName={NAME}{option}"
            server = platform.serve(MONGODB_URI=uri, WEB_CONCURRENCY="1")
            ask(platform, server, at_once)
            opened = [connections(client) for client in clients]
            server.end()
            tell(f"{what}: {sum(opened)} connections, {opened} to the three nodes")


def ask(platform: Platform, server: Server, at_once: int) -> None:
    with server.client(platform.people[0]) as client, ThreadPoolExecutor(at_once) as threads:
        titles = [{"title": f"ticket {number}"} for number in range(REQUESTS)]
        for answer in threads.map(lambda title: client.post("/tickets", json=title), titles):
            answer.raise_for_status()


def connections(client: MongoClient[dict[str, Any]]) -> int:
    """Those of the measured process, idle ones and the driver's own included."""
    stages = [{"$currentOp": {"allUsers": True, "idleConnections": True}}, {"$match": {"appName": NAME}}]
    return len(list(client.admin.aggregate(stages)))


if __name__ == "__main__":
    main()
