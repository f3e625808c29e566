"""`make bench-http`: what each operation of the API costs at 1,000 tickets, at 20,000 and at TICKETS (200,000), and the
same of the reference.

Both are served by two workers on one journaled MongoDB and are asked in turn, round after round, so that the machine's
moods hit both. The bars are written beside the operations; exits with 1 when one is missed.
"""

import argparse
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from pymongo import MongoClient  # noqa: E402

from benchmarks.http import load, servers  # noqa: E402
from benchmarks.http.operations import Operation, Target, operations  # noqa: E402
from benchmarks.http.report import OURS, THEIRS, Measured, Results, figures_of, print_table  # noqa: E402
from benchmarks.reference.dataset import SIZES  # noqa: E402
from benchmarks.results import missed, write_results  # noqa: E402
from ticketing.mongo.embedded import EmbeddedMongo  # noqa: E402

NAMES = {size: name for name, size in SIZES.items()}
WARM_UP = 0.5
Targets = dict[str, dict[int, Target]]


def main() -> int:
    options = _options()
    sizes = sorted({size for size in SIZES.values() if size <= options.tickets})
    with tempfile.TemporaryDirectory(prefix="ticketing-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        mongo = stack.enter_context(EmbeddedMongo(folder / "data" / "mongo"))
        client: MongoClient[dict[str, object]] = stack.enter_context(MongoClient(mongo.uri))
        servers.enlarge_cache(client)
        known = {size: _seed(size, mongo.uri, folder) for size in sizes}
        targets = _serve(stack, known, mongo.uri, folder)
        results = Results(sizes)
        for operation in operations():
            if re.search(options.only, operation.name):
                try:
                    results.found[operation] = _measure(operation, targets, client, options)
                    print_table(results, operation)
                except load.UnexpectedAnswer as error:
                    results.failed[operation] = str(error)
                    print(f"\n{operation.name}: FAILED: {error}", flush=True)
        results.memory = targets[OURS][sizes[-1]].server.memory()
    figures = figures_of(results)
    if options.only == "":
        write_results("http", "The API beside the reference", "make bench-http", figures)
    print(f"\n{results.memory:.0f} MiB in a worker")
    for figure in missed(figures):
        print(f"MISSED {figure.section}: {figure.what}: {figure.value} (target {figure.target})")
    return 1 if missed(figures) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    largest = int(os.environ.get("TICKETS") or SIZES["200k"])
    parser.add_argument("--tickets", type=int, choices=sorted(NAMES), default=largest)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.5, help="of each measurement")
    parser.add_argument("--only", default="", help="operations whose name has this; writes no results")
    return parser.parse_args()


def _seed(size: int, uri: str, folder: Path) -> dict[str, object]:
    started = time.monotonic()
    ours = [sys.executable, str(Path(__file__).with_name("seed.py")), str(size)]
    told = servers.run(ours, servers.platform_environment(uri, _database(OURS, size), folder))
    between = time.monotonic()
    theirs = [sys.executable, "load.py", NAMES[size]]
    servers.run(theirs, servers.reference_environment(uri, _database(THEIRS, size), folder), servers.REFERENCE)
    took = f"{between - started:.0f} s, the reference's in {time.monotonic() - between:.0f} s"
    print(f"{size:,} tickets seeded in {took}", flush=True)
    known: dict[str, object] = json.loads(told.splitlines()[-1])
    return known


def _serve(stack: ExitStack, known: dict[int, dict[str, object]], uri: str, folder: Path) -> Targets:
    """Each size on servers of its own: the idle ones cost next to nothing, and every round has all sizes."""
    made: Targets = {}
    for contender, serve in ((OURS, servers.platform), (THEIRS, servers.reference)):
        started = {size: stack.enter_context(serve(uri, _database(contender, size), folder)) for size in known}
        made[contender] = {size: Target(server, size, known[size]) for size, server in started.items()}
    return made


def _measure(
    operation: Operation, targets: Targets, client: MongoClient[dict[str, object]], options: argparse.Namespace
) -> list[Measured]:
    contenders = {OURS: operation.ours} | ({THEIRS: operation.theirs} if operation.theirs else {})
    asked = {
        (name, size): (targets[name][size], requests(targets[name][size]))
        for size in targets[OURS]
        for name, requests in contenders.items()
    }
    for target, requests in asked.values():
        load.run(target.server.address, requests, operation.expected, 16, WARM_UP)
    found = []
    for _ in range(options.rounds):
        for concurrency in (1, 16):
            for (name, size), (target, requests) in asked.items():
                spent = _Spent(target, client)
                run = load.run(target.server.address, requests, operation.expected, concurrency, options.seconds)
                found.append(Measured(name, size, run, *spent.each(run.requests)))
    return found


class _Spent:
    """What the server and MongoDB use from here on."""

    def __init__(self, target: Target, client: MongoClient[dict[str, object]]) -> None:
        self._target, self._client = target, client
        self._before = list(self._now())

    def each(self, requests: int) -> list[float]:
        """Milliseconds of the server's CPU, of MongoDB's, and commands to MongoDB, of one request."""
        server, mongod, commands = (now - before for now, before in zip(self._now(), self._before, strict=True))
        return [server * 1000 / requests, mongod * 1000 / requests, commands / requests]

    def _now(self) -> Iterator[float]:
        yield self._target.server.cpu()
        status = self._client.admin.command("serverStatus")
        used = status["extra_info"]
        yield (used["user_time_us"] + used["system_time_us"]) / 1e6
        yield status["network"]["numRequests"]


def _database(contender: str, size: int) -> str:
    return f"{contender}_{size}"


if __name__ == "__main__":
    sys.exit(main())
