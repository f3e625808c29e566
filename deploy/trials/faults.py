"""`make faults`: the platform on real servers with everything failing that can, one trial after the other.

TRIALS names some of them (``TRIALS="kills files" make faults``); the knobs of each are told in its module. Fails when a
target is missed; the figures go to docs/proof/faults.json.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.results import Figure, missed, write_results
from deploy.trials.platform import ROOT
from deploy.trials.trial import FIGURES_FILE, show, tell, temporary_folder

TRIALS = ("kills", "mixed", "outage", "failover", "files", "full_disk")


def main() -> None:
    wanted = os.environ.get("TRIALS", "").split() or list(TRIALS)
    if unknown := set(wanted) - set(TRIALS):
        sys.exit(f"there is no trial {', '.join(sorted(unknown))}; there are {', '.join(TRIALS)}")
    with temporary_folder() as folder:
        figures = [figure for name in wanted for figure in _run(name, folder / f"{name}.json")]
    tell("\n\nAll trials")
    show(figures)
    if wanted == list(TRIALS):
        write_results("faults", "Concurrency and faults", "make faults", figures)
    sys.exit(1 if missed(figures) else 0)


def _run(name: str, file: Path) -> list[Figure]:
    """A trial in a process of its own, with a database of its own."""
    tell(f"\n--- {name}")
    command = [sys.executable, "-m", f"deploy.trials.{name}"]
    trial = subprocess.Popen(command, cwd=ROOT, env={**os.environ, FIGURES_FILE: str(file)})
    try:
        trial.wait()
    except KeyboardInterrupt:
        trial.wait()  # it got the signal too, and ends what it has started
        raise
    if not file.exists():
        return [Figure(name, "the trial", "broke off", "runs to its end", met=False)]
    return [Figure(**figure) for figure in json.loads(file.read_text())]


if __name__ == "__main__":
    main()
