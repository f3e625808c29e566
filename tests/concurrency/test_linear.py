"""The check of recorded histories finds what it is there to find."""

import random

from hypothesis import given
from hypothesis import strategies as st

from deploy.trials.linear import Operation, against_the_clock, misread, versions_lost_or_shared


def write(began: float, ended: float, version: int) -> Operation:
    return Operation(began, ended, version, writes=True)


def read(began: float, ended: float, version: int, **values: object) -> Operation:
    return Operation(began, ended, version, writes=False, values=values)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 3), st.floats(0, 3)), max_size=40), st.randoms())
def test_what_happened_one_after_the_other_passes(steps: list[tuple[bool, float, float]], order: random.Random) -> None:
    """Each operation takes effect at a moment of its own, somewhere between its beginning and its end."""
    operations, version = [], 1
    for moment, (writes, before, after) in enumerate(steps):
        version += writes
        operations.append(Operation(moment - before, moment + after, version, writes))
    order.shuffle(operations)
    assert against_the_clock(operations) == []
    assert versions_lost_or_shared(operations, version) == []


def test_a_read_that_goes_back_is_found() -> None:
    late = read(3, 4, 1)
    assert against_the_clock([write(0, 2, 2), late]) == [late]
    assert against_the_clock([write(0, 2, 2), read(1, 4, 1)]) == []  # it began before the write had ended


def test_a_write_that_overtakes_is_found() -> None:
    late = write(3, 4, 2)
    assert against_the_clock([write(0, 1, 3), late]) == [late]


def test_a_lost_and_a_shared_version_are_found() -> None:
    assert versions_lost_or_shared([write(0, 1, 2), write(0, 1, 2), write(2, 3, 4)], 4) == [2, 3]
    assert versions_lost_or_shared([write(0, 1, 2)], 3) == [3]


def test_an_answer_that_never_was_is_found() -> None:
    states = [{"title": "a"}, {"title": "b"}]
    wrong, ahead = read(0, 1, 2, title="a"), read(0, 1, 3, title="b")
    assert misread([read(0, 1, 1, title="a"), wrong, ahead], states) == [wrong, ahead]
