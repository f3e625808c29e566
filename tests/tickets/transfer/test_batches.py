import pytest

from tickets.transfer.batches import batches


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ([], []),
        ([1, 1, 1, 1], [[1, 1, 1], [1]]),
        ([2, 2, 1], [[2], [2, 1]]),
        ([9, 1, 2, 9], [[9], [1, 2], [9]]),
    ],
)
def test_what_is_heavy_fills_a_batch_sooner(weights: list[int], expected: list[list[int]]) -> None:
    assert list(batches(weights, 3, int)) == expected
