"""Which jobs there are. Job modules are imported when jobs run, never by a request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from django.utils.module_loading import autodiscover_modules

from ticketing.jobs.run import Run

Function = Callable[[Run], None]

SHORTEST_INTERVAL = timedelta(seconds=10)
SHORTEST_LEASE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Job:
    """A function and its schedule: it is due ``every`` so long after its last run has ended."""

    name: str
    every: timedelta
    lease: timedelta
    function: Function

    @property
    def description(self) -> str:
        """What it does, in a line."""
        return (self.function.__doc__ or "").strip().partition("\n")[0]


_jobs: dict[str, Job] = {}


def job(name: str, *, every: timedelta, lease: timedelta = timedelta(minutes=5)) -> Callable[[Function], Function]:
    """Registers the function as a job and leaves it as it is.

    ``lease`` is how long nobody else takes over after the process that runs it has died; while that lives, the lease
    is renewed however long the run takes. Raises ValueError for a name that is taken, an interval below 10 s, and a
    function that does not say what it does.
    """

    def register(function: Function) -> Function:
        new = Job(name, every, lease, function)
        if name in _jobs:
            raise ValueError(f"there is a job {name!r} already")
        if every < SHORTEST_INTERVAL:
            raise ValueError(f"the job {name!r} runs too often: every {SHORTEST_INTERVAL.seconds} s at most")
        if lease < SHORTEST_LEASE:
            raise ValueError(f"the lease of the job {name!r} is too short: {SHORTEST_LEASE.seconds} s at least")
        if not new.description:
            raise ValueError(f"the job {name!r} needs a docstring that says what it does")
        _jobs[name] = new
        return function

    return register


def known_jobs() -> Mapping[str, Job]:
    """All jobs by name, in its order; imports the ``jobs`` module of each app."""
    autodiscover_modules("jobs")
    return MappingProxyType(dict(sorted(_jobs.items())))
