"""How many commands a piece of code sends to MongoDB, whichever way (ORM or repository) they take."""

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo import monitoring

_IGNORED = {"hello", "ping", "endSessions", "getMore", "commitTransaction"}


class _Listener(monitoring.CommandListener):
    def __init__(self) -> None:
        self.seen: list[str] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name not in _IGNORED:
            self.seen.append(f"{event.command_name} {event.command.get(event.command_name)}")

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


# Clients take the listeners that are registered when they are made, so this is at import.
_listener = _Listener()
monitoring.register(_listener)


@contextmanager
def counted_queries() -> Iterator[list[str]]:
    """The commands sent within the block, as "find tickets"."""
    before = len(_listener.seen)
    found: list[str] = []
    yield found
    found += _listener.seen[before:]
