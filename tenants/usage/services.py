"""What each tenant uses a day: counted in the process, added up in the database every few seconds and at its end.

A process that is killed loses what it has counted since, at most ``USAGE_FLUSH_SECONDS``.
"""

import atexit
import logging
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.core.signals import request_finished

from tenants.repository import TenantRepository
from tenants.usage.repository import UsageRepository
from ticketing import clock
from ticketing.logs import current_request
from ticketing.mongo import ObjectId
from ticketing.mongo.client import after_commit, transactional
from ticketing.mongo.repository import Document

COUNTERS = ("requests", "cpu_milliseconds", "database_milliseconds", "mails")
Amounts = dict[tuple[ObjectId, str], dict[str, float]]
logger = logging.getLogger("ticketing.usage")


class _Ledger:
    """What this process has counted and not stored yet, by tenant and day; shared by its threads."""

    def __init__(self) -> None:
        self._amounts: Amounts = {}
        self._lock = threading.Lock()
        self._storing = threading.Lock()
        self._next_at = 0.0

    def add(self, key: tuple[ObjectId, str], amounts: Mapping[str, float]) -> None:
        with self._lock:
            if not self._amounts:
                self._next_at = time.monotonic() + settings.USAGE_FLUSH_SECONDS
            kept = self._amounts.setdefault(key, {})
            for name, amount in amounts.items():
                kept[name] = kept.get(name, 0) + amount

    @property
    def is_due(self) -> bool:
        return bool(self._amounts) and time.monotonic() >= self._next_at

    def store(self) -> None:
        """Adds up what is counted. What cannot be stored is kept for the next time."""
        with self._storing:
            with self._lock:
                amounts, self._amounts = self._amounts, {}
            if not amounts:
                return
            try:
                _store(amounts)
            except Exception as error:  # noqa: BLE001 - counting must not fail a request, whatever the reason
                logger.warning("what tenants use cannot be stored now: %s", type(error).__name__)
                for key, counted in amounts.items():
                    self.add(key, counted)


_ledger = _Ledger()


def record_usage(tenant_id: ObjectId, **amounts: float) -> None:
    """Counts for the tenant and the present day in UTC. Raises ValueError for a name that is not one of COUNTERS.

    What is due is stored at once, or once the transaction under way has committed; in a request, once it is answered.
    """
    if unknown := amounts.keys() - set(COUNTERS):
        raise ValueError(f"there is no counter {', '.join(sorted(unknown))}")
    if settings.USAGE_FLUSH_SECONDS:
        _ledger.add((tenant_id, today()), amounts)
        if _ledger.is_due and current_request.get() is None:
            after_commit(_ledger.store)


def flush_usage() -> None:
    """Stores what this process has counted so far."""
    _ledger.store()


def measure_storage() -> int:
    """Sets what each tenant's attachments take now as the day's ``stored_bytes``; returns how many there are."""
    tenants = TenantRepository().find({}, fields=["storage_bytes"])
    UsageRepository().set_stored_bytes(today(), {each["_id"]: each["storage_bytes"] for each in tenants})
    return len(tenants)


def usage_of(tenant_ids: Iterable[ObjectId], since: str, until: str) -> list[Document]:
    """What the tenants used on each day from ``since`` to ``until`` (ISO dates, both included), by tenant and day."""
    return UsageRepository().of(tenant_ids, since, until)


def today() -> str:
    """The present day in UTC, as an ISO date."""
    return clock.now().date().isoformat()


@transactional
def _store(amounts: Amounts) -> None:
    """All of it or nothing, so that what has failed can be stored again without being counted twice."""
    UsageRepository().add(amounts)


def _flush_when_due(**_signal: Any) -> None:
    if _ledger.is_due:
        _ledger.store()


# The answer is sent when the signal comes: with a server of threads nobody waits.
request_finished.connect(_flush_when_due, dispatch_uid="tenants.usage")
atexit.register(flush_usage)
