"""Runs the same thing in several threads at the same moment, on connections of their own."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def run_together(work: Sequence[Callable[[], T]]) -> list[T | Exception]:
    """What each piece of work returned or raised, in the order given."""
    from django.db import connections

    start = threading.Barrier(len(work))

    def run(piece: Callable[[], T]) -> T | Exception:
        start.wait(timeout=30)
        try:
            return piece()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(work)) as threads:
        return list(threads.map(run, work))
