"""What sends answers whose author has closed the browser before they left."""

from datetime import timedelta

from tenants.services import list_tenants_with
from ticketing.jobs import Run, job
from ticketing.mongo.scope import tenant_scope
from tickets.drafts.models import Draft
from tickets.drafts.services import last_due, send_due


@job("drafts.send", every=timedelta(seconds=10))
def send(run: Run) -> None:
    """Sends answers whose time to be taken back is over."""
    sent = 0
    for tenant in list_tenants_with("answers to send", (Draft, {"send_at__lte": last_due()})):
        with tenant_scope(tenant.pk):
            while not run.stopping and (amount := send_due(tenant.pk)):
                sent += amount
                run.note(sent=sent)
