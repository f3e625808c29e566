"""`make bench-import`: how many rows a second `manage.py import_tickets` stores on one journaled MongoDB.

The rows are the reference's data set: a title, 70 words of description, a requester whose account is made with them,
status, priority, category and times; and a second time the same tickets with their comments, three each.
"""

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from pymongo import MongoClient  # noqa: E402

from benchmarks.http import servers  # noqa: E402
from benchmarks.reference import dataset  # noqa: E402
from benchmarks.results import Figure, at_least, missed, write_results  # noqa: E402
from ticketing.mongo.embedded import EmbeddedMongo  # noqa: E402

ROWS_PER_SECOND = 1000
STATUSES = {"in_progress": "on_hold"}
PRIORITIES = dict(zip(dataset.PRIORITIES, ("low", "normal", "high", "urgent"), strict=True))
_MANAGE = [sys.executable, "manage.py"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000)
    rows = parser.parse_args().rows
    with (
        tempfile.TemporaryDirectory(prefix="ticketing-import-") as name,
        EmbeddedMongo(Path(name, "data", "mongo")) as mongo,
    ):
        with MongoClient[dict[str, Any]](mongo.uri) as client:
            servers.enlarge_cache(client)
        environment = servers.platform_environment(mongo.uri, "imports", Path(name))
        servers.run([*_MANAGE, "migrate"], environment)
        rates = [_import(Path(name), environment, rows, with_comments=each) for each in (False, True)]
    figures = _figures(rows, *rates)
    write_results("import", "Import", "make bench-import", figures)
    return 1 if missed(figures) else 0


def _import(folder: Path, environment: dict[str, str], rows: int, *, with_comments: bool) -> float:
    slug = "comments" if with_comments else "rows"
    servers.run([*_MANAGE, "create_tenant", "--slug", slug, "--name", slug], environment)
    file = folder / f"{slug}.jsonl"
    with file.open("w") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in _rows(rows, with_comments=with_comments))
    told = servers.run([*_MANAGE, "import_tickets", "--tenant", slug, str(file)], environment)
    print(f"{slug}: {told.strip()}", flush=True)
    if f"{rows} imported" not in told:
        sys.exit("not every row was imported")
    [rate] = re.findall(r"([\d,]+) rows a second", told)
    return float(rate.replace(",", ""))


def _rows(amount: int, *, with_comments: bool) -> Iterator[dict[str, Any]]:
    for number, ticket in enumerate(dataset.tickets(dataset.SIZES["20k"])):
        if number == amount:
            return
        row: dict[str, Any] = {
            "external_id": str(ticket.index),
            "title": ticket.title,
            "description": ticket.description,
            "requester": dataset.requester_email(ticket.tenant, ticket.requester),
            "status": STATUSES.get(ticket.status, ticket.status),
            "priority": PRIORITIES[ticket.priority],
            "category": ticket.category,
            "created_at": ticket.created.isoformat(),
            "updated_at": ticket.updated.isoformat(),
        }
        if with_comments:
            row["comments"] = [
                {"author": row["requester"], "body": each.body, "created_at": each.created.isoformat()}
                for each in ticket.comments
            ]
        yield row


def _figures(rows: int, alone: float, with_comments: float) -> list[Figure]:
    section, how = f"Import of {rows:,} tickets by `manage.py import_tickets`", "JSON lines, 70 words each"
    more = f"{with_comments:,.0f} rows/s"
    return [
        at_least(section, "tickets", alone, ROWS_PER_SECOND, " rows/s", how),
        Figure(section, "tickets with three comments each", more, how=f"{with_comments * 4:,.0f} texts a second"),
    ]


if __name__ == "__main__":
    sys.exit(main())
