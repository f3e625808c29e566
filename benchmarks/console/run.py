"""`make bench-console`: what the console's pages cost the server at 1,000 tickets, at 20,000 and at TICKETS (200,000).

Each size has a database of its own on one throwaway MongoDB. The targets: 150 ms of CPU (this process and MongoDB
together), at most 1.5 times that of 1,000 tickets, and 8 queries a page.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.results import Figure, at_most, missed, write_results  # noqa: E402
from ticketing.mongo.embedded import EmbeddedMongo  # noqa: E402

SMALL = (1_000, 20_000)
CPU, GROWTH, QUERIES = 150, 1.5, 8
Pages = dict[str, dict[str, Any]]


def main() -> int:
    largest = int(os.environ.get("TICKETS") or 200_000)
    sizes = [*(size for size in SMALL if size < largest), largest]
    with (
        tempfile.TemporaryDirectory(prefix="ticketing-bench-") as folder,
        EmbeddedMongo(Path(folder, "data", "mongo"), throwaway=True) as mongo,
    ):
        found = {size: _measure(size, mongo.uri, folder) for size in sizes}
    return _report(found)


def _measure(size: int, uri: str, folder: str) -> Pages:
    started = time.monotonic()
    environment = {
        **os.environ,
        "SECRET_KEY": "x" * 50,
        "MONGODB_URI": uri,
        "MONGODB_DATABASE": f"bench_{size}",
        "DATA_DIR": folder,
        "LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, str(Path(__file__).with_name("measure.py")), str(size)]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"measuring at {size:,} tickets failed")
    result = json.loads(done.stdout.splitlines()[-1])
    print(
        f"{size:,} tickets: seeded in {result['seconds']:.0f} s, all in {time.monotonic() - started:.0f} s", flush=True
    )
    pages: Pages = result["pages"]
    return pages


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
