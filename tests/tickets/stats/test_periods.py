"""Periods cut into whole months, whole days and edges."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from tickets.stats.periods import cut, day_after, each_day, months_of, whole_days

FIRST = datetime(2023, 11, 20, tzinfo=UTC)
minutes = st.integers(0, 200 * 24 * 60) | st.integers(0, 200).map(lambda day: day * 24 * 60)
moments = minutes.map(lambda minute: FIRST + timedelta(minutes=minute))


def at(year: int, month: int, day: int, hour: int = 0) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


def ranges_of(start: datetime | None, end: datetime | None, *, by_day: bool) -> list[tuple[datetime, datetime]]:
    """All pieces as moments, in order, with far away ends for open ones."""
    pieces = cut(start, end, by_day=by_day)
    days = [*pieces.days, *([pieces.months] if pieces.months else [])]
    moments = [tuple(None if day is None else at(day.year, day.month, day.day) for day in pair) for pair in days]
    closed = [(low or at(1, 1, 1), high or at(9999, 1, 1)) for low, high in [*moments, *pieces.edges]]
    return sorted(closed)


@given(moments | st.none(), moments | st.none(), st.booleans())
@example(at(2024, 2, 1), at(2024, 3, 1), True)
@example(at(2024, 2, 1, 5), at(2024, 2, 1, 6), True)
@example(None, None, False)
def test_the_pieces_are_the_period_without_gap_or_overlap(
    start: datetime | None, end: datetime | None, by_day: bool
) -> None:
    if start is not None and end is not None and start >= end:
        return
    pieces = ranges_of(start, end, by_day=by_day)
    assert all(low < high for low, high in pieces)
    assert pieces[0][0] == (start or at(1, 1, 1))
    assert pieces[-1][1] == (end or at(9999, 1, 1))
    assert all(before[1] == after[0] for before, after in pairwise(pieces))


@given(moments, moments)
def test_edges_by_day_are_shorter_than_a_day(start: datetime, end: datetime) -> None:
    if start >= end:
        return
    edges = cut(start, end, by_day=True).edges
    assert len(edges) <= 2
    assert all(high - low < timedelta(days=1) or len(edges) == 1 for low, high in edges)  # type: ignore[operator]
    assert all(high - low < timedelta(days=2) for low, high in edges)  # type: ignore[operator]


def test_a_period_in_the_middle_of_months() -> None:
    pieces = cut(at(2024, 1, 30, 12), at(2024, 4, 2, 6), by_day=True)
    assert pieces.months == (date(2024, 2, 1), date(2024, 4, 1))
    assert pieces.days == ((date(2024, 1, 31), date(2024, 2, 1)), (date(2024, 4, 1), date(2024, 4, 2)))
    assert pieces.edges == ((at(2024, 1, 30, 12), at(2024, 1, 31)), (at(2024, 4, 2), at(2024, 4, 2, 6)))


def test_without_days_what_is_not_a_whole_month_is_an_edge() -> None:
    pieces = cut(at(2024, 1, 30, 12), at(2024, 4, 2, 6), by_day=False)
    assert pieces.days == ()
    assert pieces.edges == ((at(2024, 1, 30, 12), at(2024, 2, 1)), (at(2024, 4, 1), at(2024, 4, 2, 6)))


def test_all_time_is_all_months() -> None:
    assert cut(None, None, by_day=True) == cut(None, None, by_day=False)
    assert cut(None, None, by_day=True).months == (None, None)


def test_days() -> None:
    assert whole_days(at(2024, 1, 1, 1), at(2024, 1, 2, 23)) is None
    assert whole_days(at(2024, 1, 1, 1), at(2024, 1, 3)) == (date(2024, 1, 2), date(2024, 1, 3))
    assert day_after(at(2024, 1, 1)) == date(2024, 1, 1)
    assert day_after(at(2024, 1, 1, 1)) == date(2024, 1, 2)
    assert each_day(date(2024, 2, 28), date(2024, 3, 1)) == [date(2024, 2, 28), date(2024, 2, 29)]
    assert months_of(date(2023, 12, 31), date(2024, 2, 1)) == ["2023-12", "2024-01"]
