"""The jobs of usage."""

from datetime import timedelta

from tenants.usage.services import measure_storage
from ticketing.jobs import Run, job


@job("usage.measure_storage", every=timedelta(hours=1))
def measure_stored_bytes(run: Run) -> None:
    """Notes what each tenant's attachments take, for the day's usage."""
    run.note(tenants=measure_storage())
