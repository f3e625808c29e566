"""The job that makes exports."""

from datetime import timedelta

from tenants.services import list_tenants_with
from ticketing import clock
from ticketing.jobs import Run, job
from ticketing.mongo.scope import tenant_scope
from tickets.transfer.exports import make_pending_export, remove_expired
from tickets.transfer.models import Export


@job("exports.run", every=timedelta(seconds=30))
def run_exports(run: Run) -> None:
    """Makes the exports that tenants have asked for, and removes those that were kept long enough."""
    made = removed = 0
    expired = {"expires_at__lte": clock.now()}
    for tenant in list_tenants_with("exports asked for", (Export, {"is_pending": True}), (Export, expired)):
        if tenant.slug <= (run.position or ""):
            continue
        if run.stopping:
            return
        run.position = tenant.slug  # an export that no run has the time for must not keep the others waiting
        with tenant_scope(tenant.pk):
            removed += remove_expired(tenant.pk)
            made += make_pending_export(tenant, lambda: run.stopping) is not None
        run.note(made=made, removed=removed)
