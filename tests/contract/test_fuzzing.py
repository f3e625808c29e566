"""`make fuzz` in a small form: some hundred cases of schemathesis against the running server, the same each time."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_no_case_fails() -> None:
    names = ("PATH", "HOME", "LANG")
    environment = {name: os.environ[name] for name in names if name in os.environ}
    command = [sys.executable, "-m", "tests.contract.fuzzing", "--small"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "MISSED" not in done.stdout
    assert "cases in all" in done.stdout
