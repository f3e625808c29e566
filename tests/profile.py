"""What the server did: the commands that a block ran, with their plans as they were executed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ticketing.mongo.client import get_database

Entry = dict[str, Any]


@contextmanager
def profiled() -> Iterator[list[Entry]]:
    """Yields a list that holds, after the block, every operation on the database in order (MongoDB's profiler)."""
    database = get_database()
    entries: list[Entry] = []
    database["system.profile"].drop()
    database.command("profile", 2)
    try:
        yield entries
    finally:
        database.command("profile", 0)
        entries += [
            entry for entry in database["system.profile"].find().sort("$natural") if "system.profile" not in entry["ns"]
        ]
        database["system.profile"].drop()


def reads(entries: list[Entry], collection: str) -> list[Entry]:
    """The queries and aggregations of one collection."""
    return [
        entry
        for entry in entries
        if entry["ns"].endswith(f".{collection}") and {"find", "aggregate", "count"} & entry.get("command", {}).keys()
    ]


def table_scans(entries: list[Entry]) -> list[str]:
    """The collections that were read from end to end."""
    return [entry["ns"] for entry in entries if "COLLSCAN" in entry.get("planSummary", "")]
