"""Makes a table for the terminal, and figures for the page of proof, of what was measured."""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from benchmarks.http.load import Load
from benchmarks.http.operations import GROWTH, Operation
from benchmarks.results import Figure, at_most

OURS, THEIRS = "ours", "reference"
MEMORY = 120  # MiB of a worker
BARS_FROM = 200_000  # tickets: with few of them the reference counts and ranks as fast as anybody
_IN_TURN = "medians of rounds in turn with the reference"


@dataclass(frozen=True)
class Measured:
    """One run of an operation; the CPU is milliseconds of a request."""

    contender: str
    size: int
    load: Load
    server_cpu: float
    mongod_cpu: float
    commands: float


@dataclass
class Results:
    sizes: list[int]
    found: dict[Operation, list[Measured]] = field(default_factory=dict)
    failed: dict[Operation, str] = field(default_factory=dict)  # by a wrong answer, or by none
    memory: float = 0

    def runs(self, operation: Operation, contender: str, size: int, concurrency: int) -> list[Measured]:
        return [
            each
            for each in self.found[operation]
            if (each.contender, each.size, each.load.concurrency) == (contender, size, concurrency)
        ]


Value = Callable[[Measured], float]


def _p50(run: Measured) -> float:
    return run.load.p50


def _p95(run: Measured) -> float:
    return run.load.p95


def _per_second(run: Measured) -> float:
    return run.load.per_second


def print_table(results: Results, operation: Operation) -> None:
    """What was found of one operation: a line for each size and contender, and the ratios on ours."""
    print(f"\n{operation.name:<36}{'at 1: p50':>10}{'p95':>8}{'/s':>8}{'at 16: p50':>12}{'p95':>8}{'/s':>8}", end="")
    print(f"{'CPU ms':>9}{'MongoDB':>9}{'commands':>9}{'p50 ×':>8}{'/s ×':>7}")
    for size in results.sizes:
        for contender in (OURS, THEIRS):
            alone, many = (results.runs(operation, contender, size, concurrency) for concurrency in (1, 16))
            if not alone:
                continue
            print(f"  {contender:<10}{size:>12,} tickets    ", end="")
            print(f"{_median(_p50, alone):10.2f}{_median(_p95, alone):8.2f}{_median(_per_second, alone):8.0f}", end="")
            print(f"{_median(_p50, many):12.2f}{_median(_p95, many):8.2f}{_median(_per_second, many):8.0f}", end="")
            print(f"{_median(lambda run: run.server_cpu, many):9.2f}", end="")
            print(f"{_median(lambda run: run.mongod_cpu, many):9.2f}", end="")
            print(f"{_median(lambda run: run.commands, many):9.1f}", end="")
            if contender == OURS and operation.theirs:
                faster, more = _ratios(results, operation, size)
                print(f"{faster:8.2f}{more:7.2f}", end="")
            print(flush=True)


def figures_of(results: Results) -> list[Figure]:
    """Everything with its target, where it has one."""
    failed = "Operations that failed"
    figures = [Figure(failed, each.name, "failed", "works", False, why) for each, why in results.failed.items()]
    for operation in results.found:
        figures += _beside_the_reference(results, operation)
    if len(results.sizes) > 1:
        figures += [_growth(results, operation) for operation in results.found]
    figures += [_cost(results, operation) for operation in results.found]
    how = "resident memory of the largest process of the server after all of this"
    return [*figures, at_most("Memory", "of a worker", round(results.memory), MEMORY, " MiB", how)]


def _beside_the_reference(results: Results, operation: Operation) -> Iterator[Figure]:
    size = results.sizes[-1]
    section = f"The API at {size:,} tickets, as a multiple of the reference"
    values: tuple[tuple[str, Value, int, str], ...] = (
        ("p50 at 1", _p50, 1, " ms"),
        ("requests/s at 16", _per_second, 16, "/s"),
    )
    ratios = _ratios(results, operation, size) if operation.theirs else ()
    for position, (what, value, concurrency, unit) in enumerate(values):
        runs = results.runs(operation, OURS, size, concurrency)
        text = f"{_median(value, runs):,.{1 if unit == ' ms' else 0}f}{unit}"
        if not ratios:
            yield Figure(section, f"{operation.name}, {what}", text, how="ours alone")
            continue
        theirs = _median(value, results.runs(operation, THEIRS, size, concurrency))
        ratio = ratios[position]
        times = operation.times if size >= BARS_FROM else None
        target = f"≥ {times:g} ×" if times else ""
        met = ratio >= times if times else None
        how = f"{_IN_TURN}, {theirs:,.{1 if unit == ' ms' else 0}f}{unit}"
        yield Figure(section, f"{operation.name}, {what}", f"{text}, {ratio:.2f} ×", target, met, how)


def _growth(results: Results, operation: Operation) -> Figure:
    smallest, largest = results.sizes[0], results.sizes[-1]
    pairs = zip(*(results.runs(operation, OURS, size, 1) for size in (largest, smallest)), strict=True)
    grown = statistics.median(_p50(large) / _p50(small) for large, small in pairs)
    section = f"Growth of the API's p50 from {smallest:,} to {largest:,} tickets"
    return Figure(section, operation.name, f"{grown:.2f} ×", f"≤ {GROWTH} ×", grown <= GROWTH, "one request at a time")


def _cost(results: Results, operation: Operation) -> Figure:
    size = results.sizes[-1]
    runs = results.runs(operation, OURS, size, 16)
    server, mongod, commands = (
        _median(value, runs)
        for value in (lambda run: run.server_cpu, lambda run: run.mongod_cpu, lambda run: run.commands)
    )
    value = f"{server:.2f} ms, and {mongod:.2f} ms of MongoDB for {commands:.1f} commands"
    return Figure(f"CPU of a request at {size:,} tickets", operation.name, value, how="16 requests at a time")


def _ratios(results: Results, operation: Operation, size: int) -> tuple[float, float]:
    """How many times faster one request is, and how many times more are answered: medians of each round's own."""

    def rounds(value: Value, concurrency: int) -> list[float]:
        ours, theirs = (results.runs(operation, contender, size, concurrency) for contender in (OURS, THEIRS))
        return [value(mine) / value(other) for mine, other in zip(ours, theirs, strict=True)]

    return 1 / statistics.median(rounds(_p50, 1)), statistics.median(rounds(_per_second, 16))


def _median(value: Value, runs: list[Measured]) -> float:
    return statistics.median(value(run) for run in runs)
