"""Cutting a stream into pieces that fit into memory and into a transaction."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def batches(items: Iterable[T], size: int, weight: Callable[[T], int] = lambda _item: 1) -> Iterator[list[T]]:
    """Lists of items that weigh ``size`` together at most, in order; one that alone weighs more has its own."""
    batch: list[T] = []
    weighs = 0
    for item in items:
        own = weight(item)
        if batch and weighs + own > size:
            yield batch
            batch, weighs = [], 0
        batch.append(item)
        weighs += own
    if batch:
        yield batch
