"""Adding up counts from cells, from waiting changes and from tickets, and the answer they make. Pure."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from tickets.stats.durations import percentile
from tickets.stats.rules import DIMENSIONS, TIME_KINDS, Categories, Facts, decode
from tickets.workflow.rules import UNRESOLVED

# The whole UTC days since a ticket was created, from the first to the last of each bucket; None is any age.
AGE_BUCKETS: Mapping[str, tuple[int, int | None]] = {
    "today": (0, 0),
    "1-2": (1, 2),
    "3-6": (3, 6),
    "7-29": (7, 29),
    "30-89": (30, 89),
    "90+": (90, None),
}
OLDEST_DAYS = 90


@dataclass(slots=True)
class Tally:
    """Counts of the tickets that are asked for, by status, by value of each dimension, and by day.

    ``statuses`` limits what is taken from cells (none: every status); the value None stands for all other categories.
    ``times`` counts by bucket how long tickets took.
    """

    statuses: Sequence[str]
    status: Counter[str] = field(default_factory=Counter)
    by: dict[str, Counter[str | None]] = field(default_factory=lambda: {name: Counter() for name in DIMENSIONS})
    created: Counter[tuple[str, str]] = field(default_factory=Counter)
    resolved: Counter[str] = field(default_factory=Counter)
    times: dict[str, Counter[int]] = field(default_factory=lambda: {kind: Counter() for kind in TIME_KINDS})

    def add_facts(self, facts: Facts, amount: int, categories: Categories) -> None:
        """Counts a ticket, or takes one away. Whether it is asked for is the caller's to know."""
        self.status[facts.status] += amount
        for name in DIMENSIONS:
            value = getattr(facts, name)
            self.by[name][categories.name_of(value) if name == "category" else value] += amount

    def add_cell(self, cell: Mapping[str, Any]) -> None:
        """Counts what a cell holds."""
        self.status.update(self._wanted(cell.get("total", {})))
        for name, values in cell.get("by", {}).items():
            for key, counts in values.items():
                self.by[name][decode(key)] += sum(self._wanted(counts).values())

    def add_month(
        self, month: Mapping[str, Any], created: Callable[[str], bool], resolved: Callable[[str], bool]
    ) -> None:
        """Counts those days of a month's cell that the predicates want."""
        for day, counts in _days(month, "created"):
            if created(day):
                self.created.update({(day, status): amount for status, amount in self._wanted(counts).items()})
        for day, counts in _days(month, "resolved"):
            if resolved(day):
                self.resolved[day] += sum(self._wanted(counts).values())

    def add_times(self, month: Mapping[str, Any], done: Callable[[str], bool]) -> None:
        """Counts how long it took on those days of a month that the predicate wants."""
        for kind in TIME_KINDS:
            for day, statuses in _days(month, kind):
                if done(day):
                    for status, buckets in statuses.items():
                        if not self.statuses or status in self.statuses:
                            self.times[kind].update({int(bucket): amount for bucket, amount in buckets.items()})

    def _wanted(self, counts: Mapping[str, int]) -> dict[str, int]:
        return {status: amount for status, amount in counts.items() if not self.statuses or status in self.statuses}


def age_counts(tally: Tally, today: date) -> dict[str, int]:
    """How many unresolved tickets have which age. Counts the younger ones by day; the oldest are all the others."""
    ages = dict.fromkeys(AGE_BUCKETS, 0)
    oldest_day = (today - timedelta(days=OLDEST_DAYS - 1)).isoformat()
    for (day, status), amount in tally.created.items():
        if status in UNRESOLVED and day >= oldest_day:
            ages[_bucket(max(0, (today - date.fromisoformat(day)).days))] += amount
    unresolved = sum(tally.status[status] for status in UNRESOLVED)
    return ages | {"90+": unresolved - sum(ages.values())}


def time_summary(tally: Tally, kind: str) -> dict[str, int | None]:
    """How many were counted, and the seconds within which one half and nine tenths of them were done."""
    counts = {bucket: amount for bucket, amount in tally.times[kind].items() if amount > 0}
    return {
        "count": sum(counts.values()),
        "median_seconds": percentile(counts, 0.5),
        "p90_seconds": percentile(counts, 0.9),
    }


def created_counts(tally: Tally) -> Counter[str]:
    """How many tickets were created on which day, whatever their status."""
    counts: Counter[str] = Counter()
    for (day, _), amount in tally.created.items():
        counts[day] += amount
    return counts


def _days(month: Mapping[str, Any], part: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, counts in month.get(part, {}).items():
        yield f"{month['period']}-{number}", counts


def _bucket(age: int) -> str:
    return next(name for name, (first, last) in AGE_BUCKETS.items() if first <= age and (last is None or age <= last))
