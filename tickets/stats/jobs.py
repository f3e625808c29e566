"""The statistics' job: it proves that they equal a full count, tenant by tenant, and repairs them."""

import logging
import time
from datetime import timedelta

from tenants.models import Tenant
from ticketing.jobs import Run, job
from ticketing.mongo import parse_object_id
from ticketing.mongo.client import SnapshotTooOld
from tickets.stats.services import fold_all, recount

LONGEST_REST = 1.0  # seconds
logger = logging.getLogger("ticketing.stats")


@job("stats.verify", every=timedelta(days=1))
def verify(run: Run) -> None:
    """Compares every tenant's statistics with a full count, and repairs what differs."""
    last = parse_object_id(run.position)
    tenants = Tenant.objects.order_by("pk").only("pk", "slug")
    verified = repaired = unverified = 0
    for tenant in tenants.filter(pk__gt=last) if last else tenants:
        if run.stopping:
            return
        started, before = time.monotonic(), run.position
        run.position = str(tenant.pk)  # whom this process does not survive must not come first in every run
        try:
            found = _verify(tenant)
            verified, repaired = verified + 1, repaired + found
        except SnapshotTooOld as error:
            logger.error("the statistics of %s were not verified: %s", tenant.slug, error)  # noqa: TRY400 - says it all
            unverified += 1
        except Exception:
            run.position = before
            raise
        run.note(tenants=verified, repaired_cells=repaired, **({"unverified": unverified} if unverified else {}))
        time.sleep(min(LONGEST_REST, time.monotonic() - started))  # half of the time is left to others


def _verify(tenant: Tenant) -> int:
    """How many cells were repaired."""
    fold_all(tenant.pk)
    found = recount(tenant.pk)
    if found:
        logger.error("the statistics of %s differed from a full count; %d cells are repaired", tenant.slug, found)
    return found
