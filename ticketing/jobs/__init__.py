"""Background jobs: named functions with a schedule, leased in MongoDB so that no two runners run one at once.

A job is idempotent and may be interrupted anywhere: the next run does what is left. Only a process that stood still for
longer than the lease may end the step it is at beside the next runner. A job is registered in the ``jobs``
module of an app, or in a module that this one imports::

    @job("attachments.sweep", every=timedelta(hours=1))
    def sweep(run: Run) -> None:
        \"""Removes stored files without an attachment.\"""
"""

from ticketing.jobs.registry import job
from ticketing.jobs.run import Run

__all__ = ["Run", "job"]
