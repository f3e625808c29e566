"""What a piece of code sends to MongoDB, whichever way (ORM or repository) it takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import monitoring

_IGNORED = {"hello", "ping", "endSessions", "getMore", "commitTransaction"}


class _Listener(monitoring.CommandListener):
    """Keeps commands only for blocks that are open: all of a run's would fill the memory."""

    def __init__(self) -> None:
        self.open: list[list[dict[str, Any]]] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name not in _IGNORED:
            for seen in self.open:
                seen.append(dict(event.command))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


# Clients take the listeners that are registered when they are made, so this is at import.
_listener = _Listener()
monitoring.register(_listener)


@contextmanager
def sent_commands() -> Iterator[list[dict[str, Any]]]:
    """The commands sent within the block, as the server gets them."""
    found: list[dict[str, Any]] = []
    _listener.open.append(found)
    try:
        yield found
    finally:
        _listener.open = [each for each in _listener.open if each is not found]


@contextmanager
def counted_queries() -> Iterator[list[str]]:
    """The same in short, as "find tickets"."""
    found: list[str] = []
    with sent_commands() as commands:
        yield found
    found += [" ".join(map(str, next(iter(command.items())))) for command in commands]
