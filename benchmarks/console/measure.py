"""One size: seeds a database of its own, prints the names of the pages as JSON, and then for each name that it reads
what a request through the WSGI application took. CPU is that of this process and of MongoDB together, so both must be
idle otherwise."""

import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from django.core.management import call_command
from django.test import Client

from tests.console.queries import counted_queries
from ticketing.wsgi import application

# isort: split

from benchmarks.console.seed import SUBJECT, seed
from tests.cast import PASSWORD
from ticketing.mongo.client import get_database
from tickets.repository import TicketRepository

HOST = "bench.localhost"
QUEUE = "/console/tickets/ticket/"
WARM_UPS, REQUESTS = 3, 10


def main(amount: int) -> None:
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("migrate", verbosity=0)
    started = time.monotonic()
    agent = seed(amount)
    seeded = time.monotonic() - started
    talk = TicketRepository(agent.tenant_id).find({"comment_count": {"$gt": 10}}, fields=["_id"], limit=1)[0]["_id"]
    team = TicketRepository(agent.tenant_id).find_one({"team_id": {"$ne": None}}, fields=["team_id"])
    pages = {
        "queue, all open": f"{QUEUE}?view=open",
        "queue, mine": f"{QUEUE}?view=mine",
        "queue, all of a team": f"{QUEUE}?view=all&team={(team or {})['team_id']}",
        "queue, 100 pages on": "",
        "counts of the views": f"{QUEUE}views/counts/",
        "search, one word": f"{QUEUE}?q={SUBJECT[0]}",
        "search, two words": f"{QUEUE}?q={'+'.join(SUBJECT)}",
        "ticket page": f"{QUEUE}{talk}/change/",
        "dashboard, 30 days": "/console/",
        "dashboard, 90 days of a team": f"/console/?period=90&team={(team or {})['team_id']}",
    }
    get = _browser(agent.email)
    pages["queue, 100 pages on"] = _deep_page(get)
    print(json.dumps({"seconds": seeded, "pages": list(pages)}), flush=True)
    for name in sys.stdin:
        print(json.dumps(_measure(get, pages[name.strip()])), flush=True)


def _measure(get: Callable[[str], str], path: str) -> dict[str, Any]:
    for _ in range(WARM_UPS):
        get(path)
    with counted_queries() as sent:
        size = len(get(path))
    mongod, own, wall = _mongod_cpu(), time.process_time(), time.perf_counter()
    for _ in range(REQUESTS):
        get(path)
    wall, own = time.perf_counter() - wall, time.process_time() - own
    mongod = _mongod_cpu() - mongod
    each = 1000 / REQUESTS
    return {
        "cpu": (own + mongod) * each,
        "mongod": mongod * each,
        "wall": wall * each,
        "queries": len(sent),
        "bytes": size,
    }


def _browser(email: str) -> Callable[[str], str]:
    """Signs in, and returns what gets a page as that person."""
    client = Client(headers={"host": HOST})
    answer = client.post("/console/login/?next=/console/", {"username": email, "password": PASSWORD})
    assert answer.status_code == 302, answer.content
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())

    def get(address: str) -> str:
        path, _, query = address.partition("?")
        environ: dict[str, Any] = {"PATH_INFO": path, "QUERY_STRING": query, "HTTP_HOST": HOST, "HTTP_COOKIE": cookies}
        setup_testing_defaults(environ)
        statuses: list[str] = []
        body: Iterable[bytes] = application(environ, lambda status, *_: statuses.append(status))
        text = b"".join(body).decode()
        getattr(body, "close", lambda: None)()
        assert statuses[0].startswith("200"), f"{address}: {statuses[0]}"
        return text

    return get


def _deep_page(get: Callable[[str], str]) -> str:
    """The hundredth page of the queue, or the last one where there are fewer."""
    path = f"{QUEUE}?view=all"
    for _ in range(100):
        _, found, rest = get(path).partition('rel="next" href="')
        if not found:
            break
        path = QUEUE + rest.partition('"')[0].replace("&amp;", "&")
    return path


def _mongod_cpu() -> float:
    """The seconds of CPU that MongoDB has used so far."""
    used = get_database().command("serverStatus")["extra_info"]
    return float(used["user_time_us"] + used["system_time_us"]) / 1e6


if __name__ == "__main__":
    main(int(sys.argv[1]))
