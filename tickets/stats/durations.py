"""Durations counted in buckets, and the percentiles that the buckets give. Pure.

Each bucket ends an eighth of an octave (2^(1/8), 9 %) above its beginning, and stands for its geometric middle. So a
percentile differs from the one of the single durations by less than 5 %, and counts of buckets can be added up.
"""

from bisect import bisect_right
from collections.abc import Mapping
from datetime import timedelta
from math import ceil, sqrt

PER_OCTAVE, OCTAVES = 8, 30
MOST_ERROR = 0.05
# The first bucket is what takes less than a second, the last what takes longer than 34 years. In milliseconds.
BOUNDS = tuple(round(1000 * 2 ** (number / PER_OCTAVE)) for number in range(PER_OCTAVE * OCTAVES + 1))


def bucket_of(elapsed: timedelta) -> int:
    """The bucket that holds a duration; a negative one counts as none at all."""
    return bisect_right(BOUNDS, elapsed // timedelta(milliseconds=1))


def percentile(counts: Mapping[int, int], share: float) -> int | None:
    """The seconds within which this share of the durations lies (nearest rank), or None where nothing is counted."""
    rank = ceil(share * sum(counts.values()))
    if rank <= 0:
        return None
    seen = 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        if seen >= rank:
            return middle(bucket)
    return None


def middle(bucket: int) -> int:
    """What the bucket's durations are taken for, in seconds."""
    if bucket == 0:
        return 0
    return round(sqrt(BOUNDS[bucket - 1] * BOUNDS[min(bucket, len(BOUNDS) - 1)]) / 1000)
