"""Percentiles from buckets, beside those of the durations themselves."""

from collections import Counter
from datetime import timedelta
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from tickets.stats.durations import BOUNDS, MOST_ERROR, bucket_of, middle, percentile

seconds = st.integers(15, 10**9)


@given(st.lists(seconds, min_size=1, max_size=50), st.sampled_from([0.5, 0.9]))
def test_a_percentile_is_as_near_as_is_promised(durations: list[int], share: float) -> None:
    counts = Counter(bucket_of(timedelta(seconds=each)) for each in durations)
    exact = sorted(durations)[ceil(share * len(durations)) - 1]
    found = percentile(counts, share)
    assert found is not None
    assert abs(found - exact) <= MOST_ERROR * exact + 0.5  # whole seconds


@given(seconds, seconds)
def test_buckets_keep_the_order(one: int, other: int) -> None:
    low, high = (bucket_of(timedelta(seconds=each)) for each in sorted((one, other)))
    assert low <= high
    assert middle(low) <= middle(high)


def test_the_ends() -> None:
    assert percentile({}, 0.5) is None
    assert bucket_of(timedelta(seconds=-5)) == bucket_of(timedelta(milliseconds=999)) == 0
    assert bucket_of(timedelta(seconds=1)) == 1
    assert bucket_of(timedelta(days=400 * 365)) == len(BOUNDS)
    assert middle(0) == 0
    assert percentile({0: 9, 80: 1}, 0.9) == 0
    assert percentile({0: 9, 80: 1}, 0.95) == middle(80)
