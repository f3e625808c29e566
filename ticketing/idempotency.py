"""Doing a thing at most once for its key, also when the process dies in between.

A claim is written before the work and outside its transaction, so that every other process sees it. The work and its
answer are then written in one transaction: either both are there or neither. A claim whose holder died lapses; the next
one takes it over by compare-and-set, and the old holder, should it still live, cannot commit.
"""

import secrets
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings

from ticketing.clock import now
from ticketing.errors import AlreadyExists, Conflict, StorageUnavailable, TicketingError
from ticketing.mongo import ObjectId
from ticketing.mongo.client import TRANSACTION_SECONDS
from ticketing.mongo.repository import Document, Repository

# Nobody tries for longer; whoever is slower loses his claim to the first who asks again, and does not commit.
CLAIM_SECONDS = TRANSACTION_SECONDS
RELEASE_EVERY = 0.5  # seconds


class KeyReused(TicketingError):
    code, status, title = "idempotency_key_reused", 422, "This Idempotency-Key was used for another request"


class KeyInFlight(Conflict):
    code, title = "idempotency_key_in_flight", "The first request with this Idempotency-Key is still being worked on"


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to do the work; lost when another one took it over."""

    id: ObjectId
    lock: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the first request was answered; ``content`` is for the one who stored it to read."""

    status: int
    content: dict[str, Any]


class IdempotencyRecords(Repository):
    """The claims and answers of one tenant."""

    collection_name = "idempotency_records"
    noun = "The idempotency record"

    def claim(self, key_hash: str, fingerprint: str) -> Claim | Answer:
        """The right to do the work, or the answer when it is done.

        ``fingerprint`` stands for the request's content. Raises KeyReused when the key came with another one, and
        KeyInFlight while the work is under way.
        """
        claim = Claim(ObjectId(), secrets.token_hex(16))
        held = self._held(claim, fingerprint)
        try:
            self.insert({"_id": claim.id, "key_hash": key_hash, **held})
            return claim
        except AlreadyExists:
            found = self.find_one({"key_hash": key_hash})
        if found is None:  # released just now: the client may try again
            raise _in_flight()
        is_alive = found["expires_at"] > now()
        if is_alive and found["fingerprint"] != fingerprint:
            raise KeyReused
        if is_alive and found["status"] is not None:
            return Answer(found["status"], found["answer"])
        if is_alive and found["locked_until"] > now():
            raise _in_flight()
        return self._take_over(found, fingerprint)

    def finish(self, claim: Claim, answer: Answer) -> None:
        """Keeps the answer; call it within the work's transaction. Raises KeyInFlight when the claim was lost."""
        changes = {"status": answer.status, "answer": answer.content}
        if self.update_where({"_id": claim.id, "lock": claim.lock, "status": None}, changes) is None:
            raise _in_flight()

    def release(self, claim: Claim) -> None:
        """Forgets a claim whose work failed, so that a corrected request may use the key."""
        self.delete({"_id": claim.id, "lock": claim.lock, "status": None})

    def release_later(self, claim: Claim) -> None:
        """The same for work that an unreachable database has cut off: tried in the background until the claim lapses.

        So the client can repeat its request as soon as there is a database again.
        """
        threading.Thread(target=self._release_until_lapsed, args=(claim,), name="release", daemon=True).start()

    def _release_until_lapsed(self, claim: Claim) -> None:
        deadline = time.monotonic() + CLAIM_SECONDS
        while time.monotonic() < deadline:
            time.sleep(RELEASE_EVERY)
            with suppress(StorageUnavailable):
                self.release(claim)
                break

    def _take_over(self, found: Document, fingerprint: str) -> Claim:
        claim = Claim(found["_id"], secrets.token_hex(16))
        held = self._held(claim, fingerprint)
        if self.update_where({"_id": found["_id"], "lock": found["lock"]}, held) is None:
            raise _in_flight()
        return claim

    @staticmethod
    def _held(claim: Claim, fingerprint: str) -> Document:
        return {
            "fingerprint": fingerprint,
            "lock": claim.lock,
            "locked_until": now() + timedelta(seconds=CLAIM_SECONDS),
            "status": None,
            "answer": {},
            "expires_at": now() + timedelta(hours=settings.IDEMPOTENCY_HOURS),
        }


def _in_flight() -> KeyInFlight:
    return KeyInFlight(headers={"Retry-After": "1"})
