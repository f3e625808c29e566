"""What a piece of code sends to MongoDB, whichever way (ORM or repository) it takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import monitoring

_IGNORED = {"hello", "ping", "endSessions", "getMore", "commitTransaction"}


class _Listener(monitoring.CommandListener):
    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name not in _IGNORED:
            self.seen.append(dict(event.command))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


# Clients take the listeners that are registered when they are made, so this is at import.
_listener = _Listener()
monitoring.register(_listener)


@contextmanager
def sent_commands() -> Iterator[list[dict[str, Any]]]:
    """The commands sent within the block, as the server gets them."""
    before = len(_listener.seen)
    found: list[dict[str, Any]] = []
    yield found
    found += _listener.seen[before:]


@contextmanager
def counted_queries() -> Iterator[list[str]]:
    """The same in short, as "find tickets"."""
    found: list[str] = []
    with sent_commands() as commands:
        yield found
    found += [" ".join(map(str, next(iter(command.items())))) for command in commands]
