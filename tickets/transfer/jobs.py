"""The job that makes exports."""

from datetime import timedelta

from tenants.models import Tenant
from ticketing.jobs import Run, job
from ticketing.mongo.scope import tenant_scope
from tickets.transfer.exports import make_pending_export, remove_expired


@job("exports.run", every=timedelta(seconds=30))
def run_exports(run: Run) -> None:
    """Makes the exports that tenants have asked for, and removes those that were kept long enough."""
    made = removed = 0
    for tenant in Tenant.objects.order_by("slug"):
        if run.stopping:
            return
        with tenant_scope(tenant.pk):
            removed += remove_expired(tenant.pk)
            made += make_pending_export(tenant, lambda: run.stopping) is not None
        run.note(made=made, removed=removed)
