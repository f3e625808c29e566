"""What is tidied up behind those who send files."""

from datetime import timedelta

from ticketing.jobs import Run, job
from tickets.attachments.expiring import expire_uploads
from tickets.attachments.sweeping import sweep_all

UNDER_WAY = timedelta(days=1)  # so long a file may be without its row


@job("uploads.expire", every=timedelta(minutes=5))
def expire(run: Run) -> None:
    """Removes expired uploads and their bytes."""
    removed = 0
    while not run.stopping and (found := expire_uploads()):
        removed += found
        run.note(removed=removed)


@job("attachments.sweep", every=timedelta(hours=1))
def sweep(run: Run) -> None:
    """Removes stored files that belong to no attachment, no upload and no export."""
    removed = 0
    for swept in sweep_all(older_than=UNDER_WAY, after=run.position or ""):
        removed += len(swept.orphans)
        run.note(removed=removed)
        run.position = swept.last
        if run.stopping:
            return
