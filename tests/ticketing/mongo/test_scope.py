"""Forgetting the tenant is impossible: the fail-closed contract of ticketing/mongo/README.md."""

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Team
from ticketing.errors import DirectWriteError, TenantScopeMissing
from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Repository
from ticketing.mongo.scope import (
    current_tenant_id,
    empty_scope,
    enter_tenant,
    find_scope,
    platform_scope,
    tenant_scope,
)
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


class Teams(Repository):
    collection_name = "teams"


READS: dict[str, Callable[[Any], Any]] = {
    "all": lambda m: m.all(),
    "filter": lambda m: m.filter(pk=ObjectId()),
    "exclude": lambda m: m.exclude(pk=ObjectId()),
    "get": lambda m: m.get(pk=ObjectId()),
    "exists": lambda m: m.exists(),
    "count": lambda m: m.count(),
    "first": lambda m: m.first(),
    "values": lambda m: m.values("pk"),
    "iterator": lambda m: m.iterator(),
    "in_bulk": lambda m: m.in_bulk(),
    "aggregate": lambda m: m.aggregate(),
    "none": lambda m: m.none(),
    "raw_aggregate": lambda m: m.raw_aggregate([]),
    "raw": lambda m: m.raw("x"),
    "using": lambda m: m.using("default"),
    "documents": lambda m: m.documents(),
    "match": lambda m: m.match(),
    "latest": lambda m: m.latest("pk"),
    "db_manager": lambda m: m.db_manager("default").all(),
}


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("model", [Ticket, Team])
def test_no_read_without_a_scope(name: str, model: Any) -> None:
    for manager in (model.objects, model._default_manager, model._base_manager):
        with pytest.raises(TenantScopeMissing, match="tenant_scope"):
            READS[name](manager)


def test_a_pipeline_is_refused_even_within_a_scope() -> None:
    with tenant_scope(ObjectId()), pytest.raises(TenantScopeMissing):
        Team.objects.raw_aggregate([])


WRITES: dict[str, Callable[[Any], Any]] = {
    "create": lambda m: m.create(name="x"),
    "bulk_create": lambda m: m.bulk_create([Team(name="x")]),
    "bulk_update": lambda m: m.bulk_update([], ["name"]),
    "get_or_create": lambda m: m.get_or_create(name="x"),
    "update_or_create": lambda m: m.update_or_create(name="x"),
    "update": lambda m: m.all().update(name="x"),
    "delete": lambda m: m.all().delete(),
    "save": lambda m: m.model(name="x").save(),
    "instance delete": lambda m: m.model(pk=ObjectId(), name="x").delete(),
}


@pytest.mark.parametrize("name", WRITES)
def test_no_write_but_through_services(name: str) -> None:
    tenant = ObjectId()
    with tenant_scope(tenant), pytest.raises(DirectWriteError):
        WRITES[name](Team.objects)
    assert Teams(tenant).count({}) == 0


def test_a_scope_shows_its_tenant_only_and_the_platform_all(caplog: pytest.LogCaptureFixture) -> None:
    acme, globex = ObjectId(), ObjectId()
    mine = Teams(acme).insert({"name": "First level", "is_active": True})
    theirs = Teams(globex).insert({"name": "First level", "is_active": True})
    with tenant_scope(acme):
        assert [team.pk for team in Team.objects.all()] == [mine["_id"]]
        assert not Team.objects.filter(pk=theirs["_id"]).exists()
        assert [document["_id"] for document in Team.objects.documents("name")] == [mine["_id"]]
        with tenant_scope(globex):
            assert current_tenant_id() == globex
        assert current_tenant_id() == acme
    with caplog.at_level(logging.INFO), platform_scope("counting teams for a test"):
        assert Team.objects.count() == 2
        with pytest.raises(TenantScopeMissing):
            current_tenant_id()
    assert "platform scope entered: counting teams for a test" in caplog.messages
    assert find_scope() is None


def test_the_platform_scope_needs_a_reason() -> None:
    with pytest.raises(ValueError, match="reason"), platform_scope(" "):
        pass


def test_what_a_request_enters_is_gone_afterwards_and_unknown_to_other_threads() -> None:
    with empty_scope():
        enter_tenant(ObjectId())
        seen: list[object] = []
        thread = threading.Thread(target=lambda: seen.append(find_scope()))
        thread.start()
        thread.join()
        assert seen == [None]
        assert find_scope() is not None
    assert find_scope() is None


def test_an_instance_made_of_a_document_reads_like_a_loaded_one() -> None:
    tenant = ObjectId()
    stored = Teams(tenant).insert({"name": "First level", "is_active": True, "version": 3, "created_at": None})
    team = Team.from_document(stored)
    with tenant_scope(tenant):
        assert team == Team.objects.get()
    assert (team.name, team.version, team.tenant_id) == ("First level", 3, tenant)
