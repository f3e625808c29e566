"""The search's job: it makes the words of tickets anew where they are of another form than what is written now."""

import time
from datetime import timedelta

from tenants.models import Tenant
from ticketing.jobs import Run, job
from ticketing.mongo import ObjectId, parse_object_id
from tickets.search.services import renew_terms

LONGEST_REST = 1.0  # seconds


@job("search.terms", every=timedelta(days=1))
def renew(run: Run) -> None:
    """Makes search words anew that an earlier version, or another language of the tenant, has left; newest first."""
    tenant_id, below = _position(run.position)
    tenants = Tenant.objects.order_by("pk").only("pk", "locale")
    renewed = 0
    for tenant in tenants.filter(pk__gte=tenant_id) if tenant_id else tenants:
        while below is None or below > 1:
            if run.stopping:
                return
            started = time.monotonic()
            amount, below = renew_terms(tenant, below)
            renewed += amount
            run.position = f"{tenant.pk}:{below}"
            run.note(tickets=renewed)
            if amount:
                time.sleep(min(LONGEST_REST, time.monotonic() - started))  # half of the time is left to others
        below = None


def _position(text: str | None) -> tuple[ObjectId | None, int | None]:
    """The tenant that a run was at, and the number below which its tickets are still to be looked at."""
    tenant_id, _, below = (text or "").partition(":")
    return parse_object_id(tenant_id), int(below) if below else None
