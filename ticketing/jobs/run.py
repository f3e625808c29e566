"""What a job is given: when to stop, where the last run got to, and a place for its figures. And how a run ended."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Run:
    """One run of a job. ``Run("name")`` alone never asks to stop; for tests.

    ``position`` is where an earlier run was when it was interrupted or failed, None where the last one came to its end.
    The job sets it as it goes, so that the next run need not begin again; a finished run forgets it.
    """

    def __init__(self, name: str, *, position: str | None = None, stop: Callable[[], bool] = lambda: False) -> None:
        self.name = name
        self.position = position
        self.notes: Mapping[str, float | str] = {}
        self.was_interrupted = False
        self._stop = stop

    @property
    def stopping(self) -> bool:
        """Whether the job should return after the present step: a stop is asked, the time is up or the lease lost."""
        self.was_interrupted = self.was_interrupted or self._stop()
        return self.was_interrupted

    def note(self, **figures: float | str) -> None:
        """Keeps figures with the run; they are logged, and shown while it goes on. The last value of a name counts."""
        self.notes = {**self.notes, **figures}  # replaced, never changed: another thread stores it meanwhile


class Outcome(StrEnum):
    """How a run ended. LOST: the lease ran out before the run had ended, so that another may have taken over."""

    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class RunResult:
    """What became of a run. ``notes`` are the job's own figures; ``error`` is set where it failed."""

    job: str
    outcome: Outcome
    milliseconds: int
    notes: Mapping[str, float | str]
    error: str | None = None
