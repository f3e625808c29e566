"""Keeps a lease while its run goes on, however long a step of it takes."""

import logging
import threading
import time
from typing import Self

from ticketing.jobs.repository import JobRepository, Lease
from ticketing.jobs.run import Run

LONGEST_INTERVAL = 10.0  # seconds; progress that is shown is no older
RETRY_AFTER = 1.0
logger = logging.getLogger("ticketing.jobs")


class Heartbeat:
    """Renews the lease, and stores notes and position, from a thread of its own until the block ends."""

    def __init__(self, repository: JobRepository, lease: Lease, run: Run, claimed_at: float) -> None:
        """``claimed_at`` is the monotonic time just before the lease was asked for."""
        self._repository = repository
        self._lease = lease
        self._run = run
        self._seconds = lease.job.lease.total_seconds()
        self._held_until = claimed_at + self._seconds
        self._taken = False
        self._ended = threading.Event()

    @property
    def is_lost(self) -> bool:
        """Whether somebody else may have the lease; told before the server says so, never after."""
        return self._taken or time.monotonic() >= self._held_until

    def __enter__(self) -> Self:
        threading.Thread(target=self._beat, name=f"lease-{self._lease.job.name}", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()

    def _beat(self) -> None:
        interval = min(LONGEST_INTERVAL, self._seconds / 3)
        wait = interval
        while not self._ended.wait(wait) and not self._taken:
            wait = interval if self._renew() else min(RETRY_AFTER, interval)

    def _renew(self) -> bool:
        asked_at = time.monotonic()
        try:
            self._taken = not self._repository.renew(self._lease, self._run.notes, self._run.position)
        except Exception as error:  # noqa: BLE001 - whatever it is, the lease may still be renewed the next time
            logger.warning("the lease of the job %s could not be renewed: %s", self._lease.job.name, error)
            return False
        self._held_until = asked_at + self._seconds
        return True
