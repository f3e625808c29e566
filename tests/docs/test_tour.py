"""The curl tour of docs/integrators.md, typed into bash as a reader would, with its answers compared."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "integrators.md"
SITE = "http://localhost:8000"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
STATED = re.compile(r'(?:HTTP/1\.1 |"status": )(\d{3})\b')
# Each curl of the document tells its status beside what it prints.
PRELUDE = """set -eu -o pipefail
curl() { command curl -w '\\n%{stderr}answered %{http_code}\\n' "$@"; }
"""
REAL_LIMITS = {"RATE_LIMIT_USER_PER_MINUTE": 600, "RATE_LIMIT_ADDRESS_PER_MINUTE": 1200}


@dataclass
class Step:
    """One block of commands, the line it stands in, and the excerpts that follow it."""

    line: int
    commands: str
    excerpts: list[tuple[str, str]] = field(default_factory=list)


def steps_of(text: str) -> list[Step]:
    steps: list[Step] = []
    for fence in FENCE.finditer(text):
        kind, body = fence.groups()
        if kind == "sh":
            steps.append(Step(text.count("\n", 0, fence.start()) + 1, body))
        else:
            steps[-1].excerpts.append((kind, body))
    return steps


def faults_of(step: Step, output: str, statuses: list[int]) -> Iterator[str]:
    """What was answered otherwise than the document says."""
    stated = {int(status) for _, body in step.excerpts for status in STATED.findall(body)}
    for status in statuses:
        if status >= 400 and status not in stated:
            yield f"a request was answered {status}"
    for status in stated - set(statuses):
        yield f"no request was answered {status}"
    for kind, body in step.excerpts:
        if kind == "text":
            yield from missing_lines(body, output)
        else:
            yield from differences(json.loads(body), find_json(output))


def missing_lines(excerpt: str, output: str) -> Iterator[str]:
    """Each line of the excerpt must have a line of its own in the output; headers come in any order."""
    lines = output.splitlines()
    for wanted in excerpt.splitlines():
        found = next((line for line in lines if fits(wanted, line)), None)
        if found is None:
            yield f"there is no line {wanted!r}"
        else:
            lines.remove(found)


def find_json(output: str) -> Any:
    """The first JSON object of an output that may hold headers and other objects."""
    start = re.search(r"^\{", output, re.MULTILINE)
    assert start, f"no JSON in {output!r}"
    return json.JSONDecoder().raw_decode(output, start.start())[0]


def differences(wanted: Any, found: Any, path: str = "") -> Iterator[str]:
    """Where ``found`` lacks or contradicts ``wanted``; a list may go on, and "…" stands for anything."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for name, value in wanted.items():
            if name in found:
                yield from differences(value, found[name], f"{path}.{name}")
            else:
                yield f"{path}.{name} is missing"
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) <= len(found):
        for position, value in enumerate(wanted):
            yield from differences(value, found[position], f"{path}.{position}")
    elif isinstance(wanted, str) and "…" in wanted:
        if not fits(wanted, str(found)):
            yield f"{path} is {found!r}, not {wanted!r}"
    elif wanted != found:
        yield f"{path} is {found!r}, not {wanted!r}"


def fits(wanted: str, found: str) -> bool:
    return re.fullmatch(".+".join(map(re.escape, wanted.split("…"))), found) is not None


@pytest.mark.django_db(transaction=True)
def test_the_tour_answers_what_the_document_says(
    live_server: Any, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tickets.demo.services import load_demo

    for name, limit in REAL_LIMITS.items():
        setattr(settings, name, limit)
    settings.MEDIA_ROOT = tmp_path / "files"
    load_demo(date(2026, 2, 1))
    steps = steps_of(DOCUMENT.read_text(encoding="utf-8").replace(SITE, live_server.url))
    outputs, tour = tmp_path / "outputs", tmp_path / "tour"
    outputs.mkdir()
    tour.mkdir()
    script = PRELUDE + "".join(
        f"exec > {outputs / str(step.line)}.out 2> {outputs / str(step.line)}.err\n{step.commands}" for step in steps
    )
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin")
    ended = subprocess.run(["bash", "-c", script], cwd=tour, timeout=300)

    begun = [step for step in steps if (outputs / f"{step.line}.out").exists()]
    for step in begun:
        output, errors = ((outputs / f"{step.line}.{kind}").read_text() for kind in ("out", "err"))
        statuses = [int(status) for status in re.findall(r"^answered (\d+)$", errors, re.MULTILINE)]
        faults = "; ".join(faults_of(step, output, statuses))
        assert not faults, f"{DOCUMENT.name}, line {step.line}: {faults}\n{output}\n{errors}"
    assert ended.returncode == 0, f"{DOCUMENT.name}, line {begun[-1].line}: the commands failed\n{errors}"
    assert begun == steps
    assert len(steps) > 20
