"""What tests have counted for the page of proof: `tell()` it in a test, from whichever worker it runs in.

With PROOF=<name> in the environment, a run writes what was told to docs/proof/<name>.json (see `make isolation`).
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

Report = pytest.TestReport
PROPERTY = "figure"
_told: list[tuple[Any, ...]] = []


def tell(section: str, what: str, value: str, target: str = "", met: bool | None = None, how: str = "") -> None:
    """Registers a figure (see benchmarks.results.Figure) with the test that is running."""
    _told.append((section, what, str(value), target, met, how))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Puts what was told on the test's report, which is what comes home from another process."""
    _told.clear()
    try:
        return (yield)
    finally:
        item.user_properties += [(PROPERTY, each) for each in _told]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Adds up what the walks of tests/isolation note as ``walked``, and keeps it all where PROOF asks for it."""
    stats = terminalreporter.stats
    passed, failed = stats.get("passed", []), [*stats.get("failed", []), *stats.get("error", [])]
    walked: Counter[str] = Counter()
    for number, of_what in _properties("walked", [*passed, *failed]):
        walked[of_what] += number
    for of_what, number in walked.items():
        terminalreporter.write_line(f"isolation: {number:,} {of_what}")
    if name := os.environ.get("PROOF"):
        terminalreporter.write_line(f"the figures are in {_write(name, passed, failed, walked)}")


def _write(name: str, passed: list[Report], failed: list[Report], walked: Counter[str]) -> Path:
    from benchmarks.results import Figure, write_results

    tests = [
        Figure("Tests", "passed", f"{len(passed):,}"),
        Figure("Tests", "failed", f"{len(failed):,}", "0", not failed, ", ".join(each.nodeid for each in failed[:3])),
    ]
    walks = [Figure("The walks", of_what, f"{number:,}") for of_what, number in sorted(walked.items())]
    told = sorted((Figure(*value) for value in _properties(PROPERTY, [*passed, *failed])), key=_place)
    return write_results(name, name.capitalize(), f"make {name}", [*tests, *walks, *told])


def _properties(name: str, reports: Iterable[Report]) -> Iterator[Any]:
    # What could not be collected has no properties.
    return (value for report in reports for key, value in getattr(report, "user_properties", ()) if key == name)


def _place(figure: Any) -> tuple[str, str]:
    """Workers finish in any order."""
    return figure.section, figure.what
