"""What privacy does by and by: the rest of erasures, and what the tenants' retention says."""

from collections import Counter
from datetime import timedelta

from accounts.actor import Actor, Via
from tenants.models import Tenant
from tenants.services import list_tenants_with
from ticketing.jobs import Run, job
from ticketing.mongo.scope import tenant_scope
from tickets.privacy.erasure import continue_erasure
from tickets.privacy.models import Erasure, ErasureState, FileRemoval
from tickets.privacy.redaction import remove_files
from tickets.privacy.repository import ErasureRepository
from tickets.privacy.retention import apply_retention

RUNNING = {"state": ErasureState.RUNNING}


@job("privacy.erase", every=timedelta(minutes=1))
def erase(run: Run) -> None:
    """Finishes what erasures have left to do, and removes files that nothing names any more."""
    finished = waiting = files = 0
    for tenant in list_tenants_with("erasures under way", (Erasure, RUNNING), (FileRemoval, {})):
        if run.stopping:
            return
        actor = Actor.system(tenant, Via.JOB)
        with tenant_scope(tenant.pk):
            files += remove_files(tenant.pk)
            for erasure in ErasureRepository(tenant.pk).running():
                state = continue_erasure(actor, erasure, lambda: run.stopping)["state"]
                finished += state == ErasureState.DONE
                waiting += state != ErasureState.DONE
                run.note(finished=finished, waiting=waiting)
    run.note(finished=finished, waiting=waiting, files=files)


@job("privacy.retention", every=timedelta(days=1))
def retention(run: Run) -> None:
    """Removes what is older than the tenants' retention says: texts and files of closed tickets, names of leavers."""
    removed: Counter[str] = Counter()
    for tenant in Tenant.objects.order_by("slug"):
        with tenant_scope(tenant.pk):
            removed.update(apply_retention(tenant, Actor.system(tenant, Via.JOB), lambda: run.stopping))
        run.note(**removed)
        if run.stopping:
            return
