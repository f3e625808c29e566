"""`make bench-console`: what the console's pages cost the server at 1,000 tickets, at 20,000 and at TICKETS (200,000).

Each size has a database and a process of its own on one throwaway MongoDB, and they are measured in turn, round by
round, so that a machine that slows down for a while does not look like growth. The targets: 150 ms of CPU (the process
and MongoDB together), at most 1.5 times that of 1,000 tickets, and 8 queries a page.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.results import Figure, at_most, missed, write_results  # noqa: E402
from ticketing.mongo.embedded import EmbeddedMongo  # noqa: E402

SMALL = (1_000, 20_000)
CPU, GROWTH, QUERIES = 150, 1.5, 8
ROUNDS = 7
Pages = dict[str, dict[str, Any]]


def main() -> int:
    largest = int(os.environ.get("TICKETS") or 200_000)
    sizes = [*(size for size in SMALL if size < largest), largest]
    with (
        tempfile.TemporaryDirectory(prefix="ticketing-bench-") as folder,
        EmbeddedMongo(Path(folder, "data", "mongo"), throwaway=True) as mongo,
        ExitStack() as processes,
    ):
        found = _in_turn({size: processes.enter_context(_Size(size, mongo.uri, folder)) for size in sizes})
    return _report(found)


class _Size:
    """A process that has seeded its database and asks for the page that it is told; ended with its `with` block."""

    def __init__(self, size: int, uri: str, folder: str) -> None:
        environment = {
            **os.environ,
            "SECRET_KEY": "x" * 50,
            "MONGODB_URI": uri,
            "MONGODB_DATABASE": f"bench_{size}",
            "DATA_DIR": folder,
            "LOG_LEVEL": "ERROR",
        }
        command = [sys.executable, str(Path(__file__).with_name("measure.py")), str(size)]
        self._size, pipe = size, subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, text=True)
        seeded = self._read()
        self.pages: list[str] = seeded["pages"]
        print(f"{size:,} tickets: seeded in {seeded['seconds']:.0f} s", flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.communicate()

    def measure(self, page: str) -> dict[str, Any]:
        """One round of requests for the page; ends the run where one fails."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{page}\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):  # commands of Django's talk before the seeding is done
                answer: dict[str, Any] = json.loads(line)
                return answer
        sys.exit(f"measuring at {self._size:,} tickets failed")


def _in_turn(sizes: dict[int, _Size]) -> dict[int, Pages]:
    """The medians of rounds in which each size is asked for each page."""
    rounds: dict[int, dict[str, list[dict[str, Any]]]] = {size: defaultdict(list) for size in sizes}
    for number in range(ROUNDS):
        for page in next(iter(sizes.values())).pages:
            for size, process in sizes.items():
                rounds[size][page].append(process.measure(page))
        print(f"round {number + 1} of {ROUNDS}", flush=True)
    return {size: {page: _medians(each) for page, each in pages.items()} for size, pages in rounds.items()}


def _medians(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: median(each[name] for each in rounds) for name in rounds[0]}


def _report(found: dict[int, Pages]) -> int:
    smallest, largest = min(found), max(found)
    sizes = sorted(found)
    print("\nServer CPU of one request in ms (of it MongoDB's)\n")
    print(
        f"{'page':<30}" + "".join(f"{size:>18,}" for size in sizes) + f"{'growth':>8}{'queries':>9}{'wall':>8}{'kB':>6}"
    )
    figures: list[Figure] = []
    for name, page in found[largest].items():
        growth = page["cpu"] / found[smallest][name]["cpu"]
        queries = max(found[size][name]["queries"] for size in sizes)
        cells = (f"{found[size][name]['cpu']:.1f} ({found[size][name]['mongod']:.1f})" for size in sizes)
        row = "".join(f"{cell:>18}" for cell in cells)
        print(f"{name:<30}{row}{growth:>8.2f}{queries:>9}{page['wall']:>8.1f}{page['bytes'] / 1000:>6.0f}")
        how = f"{page['mongod']:.1f} ms of it MongoDB's; {page['bytes'] / 1000:.0f} kB"
        figures += [
            at_most(f"CPU of a console page at {largest:,} tickets", name, page["cpu"], CPU, " ms", how),
            at_most(f"Growth of that CPU from {smallest:,} to {largest:,} tickets", name, growth, GROWTH, " ×"),
            at_most("Commands to MongoDB for a console page", name, queries, QUERIES, "", "at any of the sizes"),
        ]
    figures.sort(key=lambda figure: figure.section)
    write_results("console", "The console's pages", "make bench-console", figures)
    for figure in missed(figures):
        print(f"MISSED {figure.section}: {figure.what}: {figure.value} (target {figure.target})")
    return 1 if missed(figures) else 0


if __name__ == "__main__":
    sys.exit(main())
