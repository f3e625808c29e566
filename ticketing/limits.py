"""Rate limits that hold over all processes and cost most requests no trip to the database.

A fixed window of one minute is counted in MongoDB. A process takes a twentieth of the limit at a time and spends it
from its own memory; what it took and did not spend is lost with the window. So a limit is never exceeded, and may be
reached up to one share per process early.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock

from ticketing.mongo.repository import PlatformRepository

WINDOW_SECONDS = 60
SHARES = 20
MOST_WINDOWS = 10_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """The answer to one request: whether it may pass, and what is left until the window ends in ``reset`` seconds."""

    granted: bool
    limit: int
    remaining: int
    reset: int


@dataclass(slots=True)
class _Window:
    """This process's share of one window."""

    number: int
    left: int = 0
    remaining: int = 0
    exhausted: bool = False
    lock: Lock = field(default_factory=Lock)


class RateWindows(PlatformRepository):
    collection_name = "rate_windows"
    noun = "The rate window"

    def take(self, key: str, number: int, amount: int) -> int:
        """Adds to what was handed out of a window and returns the new sum."""
        expires_at = datetime.fromtimestamp((number + 2) * WINDOW_SECONDS, UTC)
        window = self.update_where(
            {"_id": f"{key}:{number}"}, {"expires_at": expires_at}, operators={"$inc": {"used": amount}}, upsert=True
        )
        assert window is not None
        used: int = window["used"]
        return used


class RateLimiter:
    """One per process, shared by its threads. Raises StorageUnavailable when a share cannot be taken."""

    def __init__(self, windows: RateWindows | None = None, clock: Callable[[], float] = time.time) -> None:
        self._stored = windows or RateWindows()
        self._clock = clock
        self._windows: dict[str, _Window] = {}
        self._lock = Lock()

    def spend(self, who: str, limit: int) -> Allowance:
        """Spends one request of ``who`` in the present window of ``limit`` requests."""
        number, elapsed = divmod(self._clock(), WINDOW_SECONDS)
        window = self._window(who, int(number))
        with window.lock:
            if not window.left and not window.exhausted:
                self._take_share(who, window, limit)
            granted = window.left > 0
            window.left -= granted
            remaining = window.remaining + window.left
        return Allowance(granted, limit, remaining, int(WINDOW_SECONDS - elapsed) or 1)

    def _window(self, who: str, number: int) -> _Window:
        with self._lock:
            window = self._windows.get(who)
            if window is None or window.number != number:
                self._windows.pop(who, None)
                if len(self._windows) >= MOST_WINDOWS:  # forgetting a share loses permits and never grants any
                    del self._windows[next(iter(self._windows))]  # the oldest
                window = self._windows[who] = _Window(number)
            return window

    def _take_share(self, who: str, window: _Window, limit: int) -> None:
        key, share = hashlib.sha256(who.encode()).hexdigest()[:32], max(1, limit // SHARES)
        used = self._stored.take(key, window.number, share)
        window.left = max(0, min(share, limit - (used - share)))
        window.remaining = max(0, limit - used)
        window.exhausted = not window.left
