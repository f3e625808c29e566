"""A job that goes on until it is stopped, and one that ends at once."""

import os
import time
from datetime import timedelta
from pathlib import Path

from ticketing.jobs import Run, job, runner

runner.LONGEST_WAIT = runner.LONGEST_BACK_OFF = 1.0  # tests have no time
DAY = timedelta(days=1)
LEASE = timedelta(seconds=2)


@job("test.steps", every=DAY, lease=LEASE)
def steps(run: Run) -> None:
    """Goes step by step until it is stopped."""
    step = int(run.position or 0)
    while not run.stopping:
        time.sleep(0.05)
        step += 1
        run.position = str(step)
        run.note(pid=os.getpid(), step=step)


@job("test.patient", every=DAY)
def patient(run: Run) -> None:
    """Ends when a file appears, whatever the database does meanwhile."""
    while not Path(os.environ.get("PATIENCE_ENDS", "/nowhere")).exists() and not run.stopping:
        time.sleep(0.05)
    run.note(pid=os.getpid())


@job("test.quick", every=DAY)
def quick(run: Run) -> None:
    """Ends at once."""
    run.note(pid=os.getpid())
