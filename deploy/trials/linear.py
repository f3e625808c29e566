"""Whether a recorded history of one ticket could have happened one operation after the other. Pure.

The ticket's version is the order that the platform claims; a linearizable object's operations fit such an order with
their real times (Herlihy and Wing, 1990: https://doi.org/10.1145/78969.78972). Since each operation tells its version,
the order need not be searched for: it has to agree with the clock and with what was read.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Operation:
    """What a client did between two moments: the version that it wrote, or read with these values."""

    began: float
    ended: float
    version: int
    writes: bool
    values: Mapping[str, Any] = field(default_factory=dict)


def versions_lost_or_shared(operations: Iterable[Operation], last: int) -> list[int]:
    """Versions after the first that are not exactly one write's: each change makes one, and none takes another's."""
    made = Counter(each.version for each in operations if each.writes)
    return [version for version in range(2, max([last, *made]) + 1) if made[version] != 1]


def against_the_clock(operations: Iterable[Operation]) -> list[Operation]:
    """Those that began after another one had ended, and yet came before it: reads that went back, writes that
    overtook."""
    found, latest = [], 1
    ended: list[tuple[float, int]] = []
    for each in sorted(operations, key=lambda operation: operation.began):
        while ended and ended[0][0] < each.began:
            latest = max(latest, heapq.heappop(ended)[1])
        if each.version < latest + each.writes:
            found.append(each)
        heapq.heappush(ended, (each.ended, each.version))
    return found


def misread(operations: Iterable[Operation], states: Sequence[Mapping[str, Any]]) -> list[Operation]:
    """Those whose values are not those of their version; ``states`` begins with version 1."""
    return [
        each
        for each in operations
        if each.version > len(states)
        or any(states[each.version - 1][name] != value for name, value in each.values.items())
    ]
