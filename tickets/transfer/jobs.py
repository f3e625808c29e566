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
    tenants = Tenant.objects.order_by("slug")
    for tenant in tenants.filter(slug__gt=run.position) if run.position else tenants:
        if run.stopping:
            return
        run.position = tenant.slug  # an export that no run has the time for must not keep the others waiting
        with tenant_scope(tenant.pk):
            removed += remove_expired(tenant.pk)
            made += make_pending_export(tenant, lambda: run.stopping) is not None
        run.note(made=made, removed=removed)
