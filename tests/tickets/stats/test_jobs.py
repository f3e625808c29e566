"""The job that proves the statistics: every tenant, repaired and told where they differ, and resumed where it was."""

import logging
from typing import Any

import pytest

from tests.cast import Cast, actor_of
from ticketing.errors import StorageUnavailable
from ticketing.jobs import Run
from ticketing.mongo.client import SnapshotTooOld
from tickets.services import open_ticket
from tickets.stats import jobs
from tickets.stats.repository import CellRepository
from tickets.stats.services import differences, fold_all, recount, ticket_stats

pytestmark = pytest.mark.django_db


def tenants_in_order(cast: Cast) -> list[Any]:
    return sorted([cast.acme.pk, cast.globex.pk])


def test_differences_are_repaired_and_told(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    open_ticket(actor_of(cast.carla), title="Broken")
    fold_all(cast.acme.pk)
    CellRepository(cast.acme.pk).update_where({"dimension": "", "level": "all"}, {"total": {"open": 7}})
    run = Run("stats.verify")
    with caplog.at_level(logging.ERROR):
        jobs.verify(run)
    assert run.notes == {"tenants": 2, "repaired_cells": 1}
    assert "acme differed from a full count; 1 cells are repaired" in caplog.text
    assert "globex" not in caplog.text
    assert differences(cast.acme.pk) == {}
    assert ticket_stats(actor_of(cast.amir))["total"] == 1
    again = Run("stats.verify")
    jobs.verify(again)
    assert again.notes == {"tenants": 2, "repaired_cells": 0}


def test_an_interrupted_run_goes_on_with_the_next_tenant(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(jobs, "recount", lambda tenant_id: seen.append(tenant_id) or 0)
    answers = iter([False, True])
    first = Run("stats.verify", stop=lambda: next(answers))
    jobs.verify(first)
    assert seen == tenants_in_order(cast)[:1]
    jobs.verify(Run("stats.verify", position=first.position))
    assert seen == tenants_in_order(cast)


def test_a_failed_run_begins_again_with_the_tenant_that_failed(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    first_tenant, second_tenant = tenants_in_order(cast)

    def fail(tenant_id: Any) -> int:
        if tenant_id == second_tenant:
            raise StorageUnavailable
        return recount(tenant_id)

    monkeypatch.setattr(jobs, "recount", fail)
    run = Run("stats.verify")
    with pytest.raises(StorageUnavailable):
        jobs.verify(run)
    assert run.position == str(first_tenant)


def test_a_tenant_that_ends_the_process_does_not_come_first_again(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    run, positions = Run("stats.verify"), []
    monkeypatch.setattr(jobs, "recount", lambda tenant_id: positions.append(run.position) or 0)
    jobs.verify(run)
    assert positions == [str(tenant_id) for tenant_id in tenants_in_order(cast)]


def test_a_tenant_that_takes_too_long_does_not_keep_the_others_from_it(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def too_long(tenant_id: Any) -> int:
        if tenant_id == tenants_in_order(cast)[0]:
            raise SnapshotTooOld
        return recount(tenant_id)

    monkeypatch.setattr(jobs, "recount", too_long)
    run = Run("stats.verify")
    jobs.verify(run)
    assert run.notes == {"tenants": 1, "repaired_cells": 0, "unverified": 1}
    assert "were not verified" in caplog.text
