"""What every trial does around its own work: knobs, a folder, an end that leaves nothing, and a table of figures."""

import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

from benchmarks.results import Figure, missed

FIGURES_FILE = "TRIAL_FIGURES"  # where a trial leaves its figures for the program that runs all of them


def main(run: Callable[[], Sequence[Figure]]) -> NoReturn:
    """Runs a trial, shows its figures, and exits with 1 when a target is missed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C: every block ends what it has started
    figures = run()
    show(figures)
    if file := os.environ.get(FIGURES_FILE):
        Path(file).write_text(json.dumps([asdict(figure) for figure in figures]))
    sys.exit(1 if missed(figures) else 0)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ticketing-trial-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def knob(name: str, default: int) -> int:
    """How much of something a trial does: an environment variable."""
    return int(os.environ.get(name) or default)


def tell(text: str) -> None:
    print(text, flush=True)


def show(figures: Sequence[Figure]) -> None:
    """A line for each figure: what, value, target, and whether that is met."""
    section = ""
    width = max((len(figure.what) for figure in figures), default=0)
    for figure in figures:
        if figure.section != section:
            section = figure.section
            print(f"\n{section}")
        verdict = {True: "ok", False: "MISSED", None: ""}[figure.met]
        print(f"  {figure.what:<{width}}  {figure.value:>12}  {figure.target:<16}  {verdict}".rstrip())
    print(flush=True)
