"""The trials of `make faults` in a small form: each runs to its end on servers of its own, and misses nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SMALL = {
    "kills": {"KILLS": "3", "WRITERS": "4"},
    "mixed": {"OPERATIONS": "20"},
}


@pytest.mark.parametrize("trial", SMALL)
def test_a_trial_misses_nothing(trial: str) -> None:
    names = ("PATH", "HOME", "LANG")
    environment = {name: os.environ[name] for name in names if name in os.environ} | SMALL[trial]
    done = subprocess.run(
        [sys.executable, "-m", f"deploy.trials.{trial}"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "MISSED" not in done.stdout
    assert "lost" in done.stdout
