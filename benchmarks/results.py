"""What a proof has found, kept as `docs/proof/<name>.json`: the figures, and the machine and versions they hold for.

`benchmarks/proof.py` makes `docs/proof.md` of all of them and knows nothing else.
"""

import json
import os
import platform
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ticketing.mongo.embedded import MongodNotFound, find_mongod

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "proof"
_PACKAGES = ("Django", "djangorestframework", "django-mongodb-backend", "pymongo", "gunicorn")


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured or counted; ``value`` and ``target`` are texts ready to read.

    ``met`` is None where there is no target. ``how`` says in a line how the figure came about.
    """

    section: str
    what: str
    value: str
    target: str = ""
    met: bool | None = None
    how: str = ""


def write_results(name: str, title: str, command: str, figures: Iterable[Figure]) -> Path:
    """Stores what `command` has found as docs/proof/<name>.json, in the place of an earlier run's."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    results = {
        "name": name,
        "title": title,
        "command": command,
        "ran_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "versions": versions(),
        "machine": machine(),
        "figures": [asdict(figure) for figure in figures],
    }
    path = FOLDER / f"{name}.json"
    path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    return path


def at_most(section: str, what: str, value: float, target: float, unit: str = "", how: str = "") -> Figure:
    """A figure that may not be greater than its target."""
    return Figure(section, what, _written(value, unit), f"≤ {_written(target, unit)}", value <= target, how)


def at_least(section: str, what: str, value: float, target: float, unit: str = "", how: str = "") -> Figure:
    """A figure that may not be less than its target."""
    return Figure(section, what, _written(value, unit), f"≥ {_written(target, unit)}", value >= target, how)


def missed(figures: Iterable[Figure]) -> list[Figure]:
    """Those that have not reached their target."""
    return [figure for figure in figures if figure.met is False]


def machine() -> dict[str, str]:
    """What the figures hold for."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": _cpu(),
        "cpus": str(os.cpu_count()),
        "memory": f"{memory / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }


def versions() -> dict[str, str]:
    """Of the platform (its commit), Python, the packages that a request runs through, and MongoDB."""
    return {
        "commit": _commit(),
        "Python": platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
        "MongoDB": _mongod(),
    }


def _written(value: float, unit: str) -> str:
    digits = 0 if value == int(value) or value >= 1000 else 2 if value < 10 else 1
    return f"{value:,.{digits}f}{unit}"


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines: list[str] = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    """The commit's short name, and whether tracked files differ from it, but for what the proofs themselves write."""
    name = _output("git", "rev-parse", "--short", "HEAD") or "unknown"
    written = (":!docs/proof", ":!docs/proof.md")
    changed = _output("git", "status", "--porcelain", "--untracked-files=no", "--", ".", *written)
    return f"{name} with changes" if changed else name


def _mongod() -> str:
    try:
        lines = _output(str(find_mongod()), "--version").splitlines()
    except MongodNotFound:
        return "not installed"
    return lines[0].rpartition("v")[2] if lines else ""


def _output(*command: Any) -> str:
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""
