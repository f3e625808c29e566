"""What commands cost: counted for whoever asks, and a log line for each slow one.

pymongo tells a listener of every command in the thread that runs it.
https://pymongo.readthedocs.io/en/stable/api/pymongo/monitoring.html
"""

import logging
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from pymongo import monitoring

DEEPEST, WIDEST = 6, 20  # of a shape that is logged
logger = logging.getLogger("ticketing.mongo.slow")


@dataclass(slots=True)
class DatabaseCost:
    """The commands that were run since it was put into ``database_cost``, and how long they took, the way included."""

    calls: int = 0
    microseconds: int = 0


database_cost: ContextVar[DatabaseCost | None] = ContextVar("database_cost", default=None)


class CommandListener(monitoring.CommandListener):
    """Adds to the context's cost, and logs what took ``SLOW_QUERY_MILLISECONDS`` and more."""

    def __init__(self) -> None:
        self._slow_microseconds = settings.SLOW_QUERY_MILLISECONDS * 1000
        self._thread = threading.local()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self._thread.command = event.command

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        self._finish(event, event.reply)

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        self._finish(event, {})

    def _finish(
        self, event: monitoring.CommandSucceededEvent | monitoring.CommandFailedEvent, reply: Mapping[str, Any]
    ) -> None:
        cost = database_cost.get()
        if cost is not None:
            cost.calls += 1
            cost.microseconds += event.duration_micros
        if event.duration_micros >= self._slow_microseconds:
            _log(event.command_name, self._thread.command, reply, event.duration_micros)
        self._thread.command = None  # it may hold megabytes


def shape_of(value: Any, depth: int = 0) -> Any:
    """The keys of a filter or pipeline with "?" for every value: what was asked, and not for what."""
    if depth < DEEPEST and isinstance(value, Mapping):
        return {str(key): shape_of(inner, depth + 1) for key, inner in list(value.items())[:WIDEST]}
    if depth < DEEPEST and isinstance(value, list) and value and isinstance(value[0], Mapping):
        return [shape_of(inner, depth + 1) for inner in value[:WIDEST]]
    return "?"


def _log(name: str, command: Mapping[str, Any], reply: Mapping[str, Any], microseconds: int) -> None:
    collection = command.get("collection") if name == "getMore" else command.get(name)
    figures = {
        "command": name,
        "collection": collection if isinstance(collection, str) else None,
        "shape": shape_of(_question(command)),
        "milliseconds": microseconds / 1000,
        "documents": _documents(reply),
    }
    logger.warning("slow %s on %s: %d ms", name, figures["collection"], figures["milliseconds"], extra=figures)


def _question(command: Mapping[str, Any]) -> Any:
    """What a command looks for, by the name that each kind of command has for it."""
    for name in ("filter", "query", "pipeline"):
        if name in command:
            return command[name]
    for name in ("updates", "deletes"):
        if command.get(name):
            return command[name][0]["q"]
    return {}


def _documents(reply: Mapping[str, Any]) -> int | None:
    """How many documents came back or were written, where the reply says so."""
    cursor = reply.get("cursor")
    if cursor:
        return len(cursor.get("firstBatch", cursor.get("nextBatch", ())))
    return reply.get("n")
