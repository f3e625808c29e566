"""Leases of jobs: who may run which job until when, by the server's clock alone.

Runners' clocks may differ and be set while they run. So every time here is reckoned from ``$$NOW``, the server's time
at the operation; a runner is told how long something lasts, and never until when.
https://www.mongodb.com/docs/manual/reference/aggregation-variables/
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ticketing.errors import AlreadyExists
from ticketing.jobs.registry import Job
from ticketing.jobs.run import Outcome, RunResult
from ticketing.mongo.client import translated_errors
from ticketing.mongo.repository import Document, PlatformRepository

FIRST_RETRY, LONGEST_RETRY = timedelta(minutes=1), timedelta(hours=1)
LATE_AFTER = timedelta(minutes=5)
_MOST_DOUBLINGS = 10

_NEVER_RUN: Document = {
    **dict.fromkeys(["holder", "leased_until", "last_started_at", "last_finished_at", "last_outcome", "last_error"]),
    **dict.fromkeys(["last_milliseconds", "position"]),
    "failures": 0,
    "notes": {},
}
_HELD = {"$gt": ["$leased_until", "$$NOW"]}  # null is less than any time
_FREE = {"$not": [_HELD]}
_DUE = {"$lte": ["$next_at", "$$NOW"]}
_LATE = {"$lt": ["$next_at", {"$subtract": ["$$NOW", LATE_AFTER // timedelta(milliseconds=1)]}]}


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to run a job, until it is not renewed in time."""

    job: Job
    holder: str
    position: str | None
    previous_holder_died: bool


class JobRepository(PlatformRepository):
    collection_name = "jobs"
    noun = "The job"

    def register(self, jobs: Iterable[Job]) -> None:
        """Makes new jobs due at once, and known ones sooner where their interval has become shorter.

        Forgets late jobs that are not among them: their version runs no more, and they would be late for ever. Where it
        does run, it registers them again.
        """
        names = []
        for job in jobs:
            names.append(job.name)
            soonest = {"$min": [{"$ifNull": ["$next_at", "$$NOW"]}, _after(job.every)]}
            kept = {name: {"$ifNull": [f"${name}", {"$literal": value}]} for name, value in _NEVER_RUN.items()}
            try:
                self._update({"_id": job.name}, {**kept, "next_at": soonest}, upsert=True)
            except AlreadyExists:  # another runner starts at the same moment
                continue
        self.delete({"_id": {"$nin": names}, "$expr": {"$and": [_LATE, _FREE]}})

    def claim(self, jobs: Mapping[str, Job], holder: str, *, due: bool = True) -> Lease | None:
        """The right to run the job that is free and has been due for longest, or None. Not ``due``: due or not.

        Where the lease ran out under somebody who never ended it, his run counts as a failed one.
        """
        died = {"$ne": ["$holder", None]}
        of_each = [_if_job(job, _after(job.lease)) for job in jobs.values()]
        claimed = self._update(
            {"_id": {"$in": list(jobs)}, "$expr": {"$and": [_FREE, *([_DUE] if due else [])]}},
            {
                "failures": {"$add": ["$failures", {"$cond": [died, 1, 0]}]},
                "last_outcome": {"$cond": [died, Outcome.LOST.value, "$last_outcome"]},
                "last_error": {"$cond": [died, {"$concat": ["$holder", " ended before the run did"]}, "$last_error"]},
                "holder": {"$literal": holder},
                "leased_until": {"$switch": {"branches": of_each}},
                "last_started_at": "$$NOW",
                "notes": {"$literal": {}},
            },
            sort=[("next_at", 1)],
        )
        if claimed is None:
            return None
        has_died = claimed["last_outcome"] == Outcome.LOST
        return Lease(jobs[claimed["_id"]], holder, claimed["position"], has_died)

    def renew(self, lease: Lease, notes: Mapping[str, Any], position: str | None) -> bool:
        """Prolongs the lease and keeps how far the run is; False when somebody else has taken over."""
        progress = {"notes": {"$literal": dict(notes)}, "position": {"$literal": position}}
        return self._update(_held_by(lease), {"leased_until": _after(lease.job.lease), **progress}) is not None

    def finish(self, lease: Lease, result: RunResult, position: str | None) -> bool:
        """Ends the lease and says when the job is due again; False when somebody else has taken over.

        An interrupted run is due at once, behind all that is due already. A failed one is tried again after a minute,
        then after twice as long each time, up to an hour or the job's interval.
        """
        ended = {
            **_consequences(lease.job, result),
            "holder": None,
            "leased_until": None,
            "last_finished_at": "$$NOW",
            "last_outcome": result.outcome.value,
            "last_milliseconds": result.milliseconds,
            "notes": {"$literal": dict(result.notes)},
            "position": {"$literal": None if result.outcome is Outcome.DONE else position},
        }
        return self._update(_held_by(lease), ended) is not None

    def seconds_until_due(self, jobs: Iterable[str]) -> float | None:
        """How long it is until the next of these jobs may be claimed (negative: since when), None without any."""
        claimable_at = {"$max": ["$next_at", "$leased_until"]}
        wait = {"$min": {"$subtract": [claimable_at, "$$NOW"]}}
        found = self.aggregate({"_id": {"$in": list(jobs)}}, [{"$group": {"_id": None, "wait": wait}}])
        return float(found[0]["wait"]) / 1000 if found else None

    def states(self) -> list[Document]:
        """Every job as it is stored, by name, with its ``state``.

        That is running; late, when it has been due for five minutes and nobody runs it; failing, when the last run
        failed; or else waiting.
        """
        cases = {"running": _HELD, "late": _LATE, "failing": {"$gt": ["$failures", 0]}}
        branches = [{"case": case, "then": state} for state, case in cases.items()]
        state = {"$switch": {"branches": branches, "default": "waiting"}}
        return self.aggregate({}, [{"$set": {"state": state}}, {"$sort": {"_id": 1}}])

    def _update(
        self, where: Document, changes: Document, *, upsert: bool = False, sort: Sequence[tuple[str, int]] | None = None
    ) -> Document | None:
        """``update_where`` with expressions as changes; the first match in the order of ``sort``."""
        with translated_errors(self.noun):
            return self.collection.find_one_and_update(
                where, [{"$set": changes}], upsert=upsert, sort=sort, return_document=True
            )


def _consequences(job: Job, result: RunResult) -> Document:
    """When the job is due again, and what is kept of its failures."""
    if result.outcome is Outcome.DONE:
        return {"next_at": _after(job.every), "failures": 0, "last_error": None}
    if result.outcome is Outcome.INTERRUPTED:
        return {"next_at": "$$NOW"}
    doublings = {"$min": ["$failures", _MOST_DOUBLINGS]}
    retry = {"$multiply": [_milliseconds(FIRST_RETRY), {"$pow": [2, doublings]}]}
    wait = {"$min": [retry, _milliseconds(job.every), _milliseconds(LONGEST_RETRY)]}
    return {
        "next_at": {"$add": ["$$NOW", wait]},
        "failures": {"$add": ["$failures", 1]},
        "last_error": {"$literal": result.error},
    }


def _held_by(lease: Lease) -> Document:
    return {"_id": lease.job.name, "holder": lease.holder}


def _if_job(job: Job, then: Document) -> Document:
    return {"case": {"$eq": ["$_id", {"$literal": job.name}]}, "then": then}


def _after(duration: timedelta) -> Document:
    return {"$add": ["$$NOW", _milliseconds(duration)]}


def _milliseconds(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)
