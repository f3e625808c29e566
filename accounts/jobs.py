"""The accounts' background job. Token families and counted sign-in attempts are removed by TTL indexes."""

from datetime import timedelta

from accounts.repository import BrowserSessionRepository
from ticketing.clock import now
from ticketing.jobs import Run, job

BATCH = 1000


@job("accounts.clear_sessions", every=timedelta(hours=1))
def clear_sessions(run: Run) -> None:
    """Removes browser sessions that have expired."""
    sessions = BrowserSessionRepository()
    removed = 0
    while not run.stopping and (amount := sessions.remove_expired(now(), BATCH)):
        removed += amount
        run.note(removed=removed)
