"""`make proof-page`: docs/proof.md from what the proofs have left in docs/proof, in this order and then by name."""

import json
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.results import FOLDER  # noqa: E402

PAGE = ROOT / "docs" / "proof.md"
COMMANDS = {
    "http": "make bench-http",
    "console": "make bench-console",
    "import": "make bench-import",
    "cold-start": "make bench-cold-start",
    "isolation": "make isolation",
    "faults": "make faults",
    "fuzz": "make fuzz",
}
ORDER = tuple(COMMANDS)
INTRODUCTION = """\
# The proof

What the platform claims, as figures of runs that anybody can repeat: each section names its command, `make proof` runs
all of them and writes this page. A target that was missed stays here and says so. Figures hold for the machine and the
versions named with them; what is compared ran in turn on the same machine.
[benchmarks/README.md](../benchmarks/README.md) says what is measured, and what the reference leaves out.
"""
Result = dict[str, Any]


def main() -> int:
    results = [json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))]
    if not results:
        sys.exit(f"nothing in {FOLDER.relative_to(ROOT)}: run `make proof`, or one of the proofs")
    PAGE.write_text(page_of(results))
    print(
        f"{PAGE.relative_to(ROOT)}: {len(results)} proofs, {_verdict([f for each in results for f in each['figures']])}"
    )
    return 0


def page_of(results: list[Result]) -> str:
    """The page's Markdown."""
    ordered = sorted(results, key=lambda result: (*_place(result["name"]), result["name"]))
    parts = [INTRODUCTION, *_missing(results), *(line for result in ordered for line in _proof(result)), _runs(ordered)]
    return "\n".join(parts)


def _missing(results: list[Result]) -> Iterator[str]:
    names = {result["name"] for result in results}
    if missing := [f"`{command}`" for name, command in COMMANDS.items() if name not in names]:
        yield f"No figures on this page yet of {', '.join(missing)}.\n"


def _place(name: str) -> tuple[int, ...]:
    return (ORDER.index(name),) if name in ORDER else (len(ORDER),)


def _proof(result: Result) -> Iterator[str]:
    yield f"## {result['title']}\n"
    yield f"`{result['command']}`, {_day(result)}: {_verdict(result['figures'])}.\n"
    for section, figures in groupby(result["figures"], key=lambda figure: figure["section"]):
        yield f"### {_text(section)}\n"
        yield "| what | figure | target | | how |\n| --- | --- | --- | --- | --- |"
        yield from (_row(figure) for figure in figures)
        yield ""


def _row(figure: dict[str, Any]) -> str:
    met = {True: "met", False: "**MISSED**", None: ""}[figure["met"]]
    cells = [_text(figure[name]) for name in ("what", "value", "target")]
    return "| " + " | ".join([*cells, met, _text(figure["how"])]) + " |"


def _verdict(figures: list[dict[str, Any]]) -> str:
    judged = [figure["met"] for figure in figures if figure["met"] is not None]
    if not judged:
        return "no targets"
    return f"{judged.count(True)} of {len(judged)} targets met" + (
        f", **{judged.count(False)} MISSED**" if False in judged else ""
    )


def _runs(results: list[Result]) -> str:
    """When and on what: a row for each run, because they may be of different days."""
    lines = ["## Machine and versions\n", "| command | at (UTC) | machine | versions |", "| --- | --- | --- | --- |"]
    for result in results:
        machine = result["machine"]
        on = f"{machine['cpu']}, {machine['cpus']} CPUs, {machine['memory']}, {machine['system']}"
        versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
        lines.append(f"| `{result['command']}` | {result['ran_at']} | {_text(on)} | {_text(versions)} |")
    return "\n".join(lines) + "\n"


def _day(result: Result) -> str:
    return str(result["ran_at"]).partition("T")[0]


def _text(text: str) -> str:
    """One line, safe in a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
