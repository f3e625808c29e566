"""Jobs over all tenants cost what there is to do, not what there are tenants."""

from collections.abc import Callable

import pytest

from accounts.actor import Actor, Via
from tests.cast import Cast, make_tenant, make_user
from tests.console.queries import counted_queries
from ticketing.jobs import Run
from tickets.privacy.erasure import request_erasure
from tickets.privacy.jobs import erase
from tickets.transfer.exports import request_export
from tickets.transfer.jobs import run_exports

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("job", [erase, run_exports])
def test_tenants_without_work_cost_nothing(cast: Cast, job: Callable[[Run], None]) -> None:
    with counted_queries() as few:
        job(Run("idle"))
    for number in range(5):
        make_tenant(f"idle{number}")
    with counted_queries() as many:
        job(Run("idle"))
    assert list(few) == list(many)
    assert len(few) <= 2


def test_the_work_of_each_tenant_is_found(cast: Cast) -> None:
    for tenant in (cast.acme, cast.globex):
        request_erasure(Actor.system(tenant, Via.JOB), make_user(tenant, "leaver@example.test", "Lea Leaver").pk)
        request_export(Actor.system(tenant, Via.JOB))
    erasures, exports = Run("privacy.erase"), Run("exports.run")
    run_exports(exports)
    erase(erasures)  # which removes the exports
    assert sum(int(erasures.notes[name]) for name in ("finished", "waiting")) == 2
    assert exports.notes["made"] == 2
