from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import RequestFactory

from tenants.models import AuditEntry, Tenant
from tenants.quotas import reserve_storage
from tenants.repository import TenantRepository
from tenants.requests import find_named_tenant, host_of, is_for_another_tenant, names_tenant
from tenants.rules import QuotaExceeded
from tenants.services import (
    change_settings,
    change_tenant,
    create_tenant,
    find_tenant_by_host,
    get_tenant,
    reactivate_tenant,
    suspend_tenant,
)
from tests.cast import make_tenant
from tests.together import run_together
from ticketing.errors import AlreadyExists, InvalidInput, NotFound, StaleVersion
from ticketing.mongo import ObjectId

pytestmark = pytest.mark.django_db


def test_a_stored_tenant_has_every_field_of_the_model(db: None) -> None:
    tenant = make_tenant("acme", hosts=["help.acme.test"], max_staff=5)
    stored = TenantRepository().get(tenant.pk)
    assert set(stored) == {field.column for field in Tenant._meta.concrete_fields}
    assert (stored["status"], stored["registration"], stored["version"]) == ("active", "closed", 1)
    assert Tenant.objects.get(slug="acme").hosts == ["help.acme.test"]


@pytest.mark.parametrize("missing", ["slug", "name"])
def test_a_tenant_needs_slug_and_name(db: None, missing: str) -> None:
    values = {"slug": "acme", "name": "Acme"}
    del values[missing]
    with pytest.raises(InvalidInput) as error:
        create_tenant(values, by="tests")
    assert error.value.errors[0].field == missing


def test_slugs_and_host_names_are_unique_among_tenants(db: None) -> None:
    make_tenant("acme", hosts=["help.acme.test", "acme.test"])
    globex = make_tenant("globex")
    make_tenant("initech")
    for field, value in (("slug", "acme"), ("hosts", ["globex.test", "ACME.test"])):
        with pytest.raises(AlreadyExists) as error:
            change_tenant(globex, {field: value}, expected_version=1, by="tests")
        assert error.value.errors[0].field == field
    changed = change_tenant(globex, {"hosts": ["globex.test"], "slug": "globex"}, expected_version=1, by="tests")
    assert change_tenant(changed, {"hosts": ["globex.test", "b.test"]}, expected_version=2, by="tests").version == 3


def test_of_two_that_take_a_host_name_at_once_one_gets_it(db: None) -> None:
    tenants = [make_tenant(f"t{number}") for number in range(4)]
    results = run_together(
        [lambda t=t: change_tenant(t, {"hosts": ["help.test"]}, expected_version=1, by="tests") for t in tenants]
    )
    assert sorted(type(result).__name__ for result in results) == ["AlreadyExists"] * 3 + ["Tenant"]


def test_a_stale_change_is_refused(db: None) -> None:
    tenant = make_tenant("acme")
    change_settings(tenant, {"time_zone": "Europe/Berlin"}, expected_version=1, by="tests")
    with pytest.raises(StaleVersion):
        change_settings(tenant, {"time_zone": "UTC"}, expected_version=1, by="tests")
    assert get_tenant(tenant.pk).time_zone == "Europe/Berlin"


def test_registration_by_domain_is_checked_against_what_is_stored(db: None) -> None:
    tenant = make_tenant("acme")
    with pytest.raises(InvalidInput):
        change_settings(tenant, {"registration": "domains"}, expected_version=1, by="tests")
    values = {"registration": "domains", "registration_domains": ["acme.test"]}
    tenant = change_settings(tenant, values, expected_version=1, by="tests")
    with pytest.raises(InvalidInput):
        change_settings(tenant, {"registration_domains": []}, expected_version=2, by="tests")


def test_quotas_and_names_are_not_settings(db: None) -> None:
    tenant = make_tenant("acme")
    for values in ({"max_staff": 0}, {"hosts": []}, {"slug": "new"}, {"status": "active"}):
        with pytest.raises(InvalidInput):
            change_settings(tenant, values, expected_version=1, by="tests")


def test_suspending_and_reactivating_is_recorded_once(db: None) -> None:
    tenant = make_tenant("acme")
    for _ in range(2):
        assert suspend_tenant(tenant, by="olga@platform.test").is_active is False
    for _ in range(2):
        assert reactivate_tenant(tenant, by="olga@platform.test").is_active is True
    entries = AuditEntry.objects.filter(tenant_id=tenant.pk, by="olga@platform.test").order_by("at", "id")
    assert [entry.action for entry in entries] == ["tenant.suspended", "tenant.reactivated"]
    assert get_tenant(tenant.pk).version == 3
    with pytest.raises(NotFound):
        suspend_tenant(Tenant(pk=ObjectId()), by="tests")


# --- Finding ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("host", "slug"),
    [
        ("help.acme.test", "acme"),
        ("HELP.acme.test.", "acme"),
        ("acme.localhost", "acme"),
        ("acme.support.example", "acme"),
        ("globex.localhost", "initech"),  # a host name of its own wins
        ("localhost", None),
        ("support.example", None),
        ("nowhere.localhost", None),
        ("x.acme.localhost", None),
        ("acme.evil.test", None),
        ("127.0.0.1", None),
        ("", None),
    ],
)
def test_host_names_lead_to_tenants(db: None, settings: Any, host: str, slug: str | None) -> None:
    settings.PLATFORM_DOMAINS = ["localhost", "support.example"]
    make_tenant("acme", hosts=["help.acme.test"])
    make_tenant("globex")
    make_tenant("initech", hosts=["globex.localhost"])
    found = find_tenant_by_host(host)
    assert (found and found.slug) == slug


def test_the_look_up_by_host_name_uses_its_index(db: None) -> None:
    plan = TenantRepository().collection.find({"hosts": "a.test", "hosts.0": {"$exists": True}}).explain()
    assert "tenants_hosts" in str(plan["queryPlanner"]["winningPlan"])


@pytest.mark.parametrize(
    ("headers", "field", "slug", "named"),
    [
        ({}, "", None, False),
        ({}, "acme", "acme", True),
        ({}, "nowhere", None, True),
        ({"X-Tenant": "acme"}, "", "acme", True),
        ({"X-Tenant": ""}, "", None, False),
        ({"Host": "acme.localhost:8000"}, "", "acme", True),
        ({"Host": "acme.localhost"}, "acme", "acme", True),
        ({"Host": "acme.localhost"}, "globex", None, True),
        ({"Host": "nowhere.localhost"}, "acme", "acme", True),
        ({"X-Tenant": "acme"}, "globex", None, True),
        ({"X-Tenant": '{"$ne": ""}'}, "", None, True),
    ],
)
def test_a_request_names_its_tenant(
    db: None, headers: dict[str, Any], field: str, slug: str | None, named: bool
) -> None:
    make_tenant("acme")
    make_tenant("globex")
    request = RequestFactory().get("/", headers=headers)
    found = find_named_tenant(request, field)
    assert (found and found.slug) == slug
    assert names_tenant(request, field) is named


@pytest.mark.parametrize(
    ("headers", "wrong"),
    [
        ({}, False),
        ({"Host": "acme.localhost"}, False),
        ({"Host": "help.acme.test"}, False),
        ({"Host": "nowhere.localhost"}, False),
        ({"Host": "globex.localhost"}, True),
        ({"Host": "help.globex.test"}, True),
        ({"X-Tenant": "acme"}, False),
        ({"X-Tenant": ""}, False),
        ({"X-Tenant": "globex"}, True),
        ({"X-Tenant": "nowhere"}, True),
        ({"X-Tenant": "acme", "Host": "globex.localhost"}, True),
    ],
)
def test_a_request_may_be_at_another_tenants_door(
    db: None, settings: Any, headers: dict[str, str], wrong: bool
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    tenant = make_tenant("acme", hosts=["help.acme.test"])
    make_tenant("globex", hosts=["help.globex.test"])
    request = RequestFactory().get("/", headers=headers)
    owner = find_tenant_by_host(host_of(request))
    assert is_for_another_tenant(request, tenant, owner and owner.pk) is wrong


# --- Storage ----------------------------------------------------------------------------------------------------------
def test_storage_is_reserved_within_the_quota(db: None) -> None:
    tenant = make_tenant("acme", max_storage_mb=1)
    reserve_storage(tenant.pk, 600_000)
    with pytest.raises(QuotaExceeded):
        reserve_storage(tenant.pk, 600_000)
    assert get_tenant(tenant.pk).storage_bytes == 600_000
    reserve_storage(tenant.pk, 1024 * 1024 - 600_000)
    assert get_tenant(tenant.pk).version == 1, "nobody's edit of the tenant may fail because of an upload"


def test_parallel_reservations_are_counted_exactly(db: None) -> None:
    tenant = make_tenant("acme", max_storage_mb=1)
    results = run_together([lambda: reserve_storage(tenant.pk, 300_000)] * 6)
    assert [result for result in results if result is not None and not isinstance(result, QuotaExceeded)] == []
    assert get_tenant(tenant.pk).storage_bytes == 900_000


def test_a_tenant_chooses_among_the_languages_that_are_translated(db: None) -> None:
    tenant = make_tenant("acme")
    for code, _name in django_settings.LANGUAGES:
        tenant = change_settings(tenant, {"locale": code}, expected_version=tenant.version, by="ada")
        assert tenant.locale == code
    with pytest.raises(InvalidInput, match="locale: is not a language of this platform"):
        change_settings(tenant, {"locale": "fr"}, expected_version=tenant.version, by="ada")
