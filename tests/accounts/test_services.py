"""People: created, registered, changed, deactivated; and the last admin stays."""

from collections.abc import Mapping
from typing import Any

import pytest

from accounts.actor import Actor, Via
from accounts.models import User
from accounts.repository import UserRepository
from accounts.roles import Role
from accounts.rules import LastAdmin
from accounts.services import (
    change_profile,
    change_user,
    create_operator,
    create_user,
    deactivate_user,
    new_user_document,
    register_customer,
)
from accounts.sign_in import sign_in
from accounts.teams import change_team, create_team
from tenants.models import AuditEntry
from tenants.rules import QuotaExceeded
from tenants.services import change_tenant, suspend_tenant
from tests.cast import PASSWORD, Cast, actor_of, make_user
from tests.recorded import recorded_commands
from tests.together import run_together
from ticketing.errors import AlreadyExists, InvalidInput, NotAllowed, NotFound, StaleVersion
from ticketing.mongo import ObjectId

pytestmark = pytest.mark.django_db


def stored(user: User) -> dict[str, Any]:
    return UserRepository(user.tenant_id).get(user.pk)


def refused_field(error: pytest.ExceptionInfo[Any]) -> str:
    return str(error.value.errors[0].field)


# --- Creating ---------------------------------------------------------------------------------------------------------
def test_an_admin_creates_an_account_that_can_sign_in(cast: Cast) -> None:
    team = create_team(actor_of(cast.ada), name="Hardware")
    user = create_user(
        actor_of(cast.ada),
        email=" New@Example.test ",
        name=" Nia ",
        role="agent",
        team_ids=[team.pk, team.pk],
        password=PASSWORD,
    )
    assert (user.email, user.name, user.role, user.team_ids) == ("New@Example.test", "Nia", "agent", [team.pk])
    assert sign_in(cast.acme, "new@example.TEST", PASSWORD, "192.0.2.1").pk == user.pk


def test_without_a_password_nobody_can_sign_in(cast: Cast) -> None:
    user = create_user(actor_of(cast.ada), email="new@example.test", name="Nia")
    assert not user.has_usable_password()


@pytest.mark.parametrize("who", ["amir", "carla"])
def test_only_admins_create_and_change_accounts(cast: Cast, who: str) -> None:
    actor = actor_of(getattr(cast, who))
    with pytest.raises(NotAllowed):
        create_user(actor, email="new@example.test", name="Nia")
    with pytest.raises(NotAllowed):
        change_user(actor, cast.carl.pk, {"name": "Nia"})
    with pytest.raises(NotAllowed):
        deactivate_user(actor, cast.carl.pk)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("email", {"email": "nobody"}),
        ("email", {"email": ""}),
        ("email", {"email": "a" * 250 + "@example.test"}),
        ("name", {"name": "  "}),
        ("name", {"name": "x" * 121}),
        ("name", {"name": "Ni\u0000a"}),
        ("role", {"role": "operator"}),
        ("role", {"role": ""}),
        ("team_ids", {"role": "agent", "team_ids": [ObjectId()]}),
        ("password", {"password": "12345678"}),
        ("password", {"password": "new@example.test"}),
        ("password", {"password": "x" * 2000}),
    ],
)
def test_bad_input_is_refused_with_the_field_and_stores_nothing(
    cast: Cast, field: str, values: Mapping[str, Any]
) -> None:
    before = UserRepository(cast.acme.pk).count({})
    with pytest.raises(InvalidInput) as error:
        create_user(actor_of(cast.ada), **{"email": "new@example.test", "name": "Nia", **values})
    assert refused_field(error) == field
    assert UserRepository(cast.acme.pk).count({}) == before


@pytest.mark.parametrize("email", ["carl@example.test", "CARL@Example.Test", " carl@example.test"])
def test_an_address_is_taken_whatever_its_case(cast: Cast, email: str) -> None:
    with pytest.raises(AlreadyExists) as error:
        create_user(actor_of(cast.ada), email=email, name="Carl the second")
    assert refused_field(error) == "email"
    create_user(actor_of(cast.gina), email=email, name="Carl elsewhere")


def test_of_two_that_take_an_address_at_once_one_gets_it(cast: Cast) -> None:
    actor = actor_of(cast.ada)
    results = run_together([lambda: create_user(actor, email="new@example.test", name="Nia")] * 4)
    assert sorted(type(result).__name__ for result in results) == ["AlreadyExists"] * 3 + ["User"]


def test_a_foreign_team_is_as_unknown_as_a_missing_one(cast: Cast) -> None:
    foreign = create_team(actor_of(cast.gina), name="Hardware")
    texts = set()
    for team_id in (foreign.pk, ObjectId()):
        with pytest.raises(InvalidInput) as error:
            change_user(actor_of(cast.ada), cast.amir.pk, {"team_ids": [team_id]})
        texts.add(error.value.detail)
    assert len(texts) == 1


def test_new_members_need_an_active_team(cast: Cast) -> None:
    ada = actor_of(cast.ada)
    team = create_team(ada, name="Hardware")
    change_team(ada, team.pk, {"is_active": False})
    with pytest.raises(InvalidInput) as error:
        change_user(ada, cast.amir.pk, {"team_ids": [team.pk]})
    assert refused_field(error) == "team_ids"


def test_operators_have_addresses_of_their_own(cast: Cast) -> None:
    create_operator(email=cast.ada.email, name="Ada at the platform", password=PASSWORD)
    with pytest.raises(AlreadyExists):
        create_operator(email="OLGA@platform.test", name="Olga the second")


def test_a_stored_account_has_every_field_of_the_model(cast: Cast) -> None:
    columns = {field.column for field in User._meta.concrete_fields}
    assert set(stored(create_user(actor_of(cast.ada), email="new@example.test", name="Nia"))) == columns
    assert set(new_user_document("a@example.test", "A", "user")) == columns - {"_id", "tenant_id"}


# --- Registration -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("settings_of_tenant", "email", "may"),
    [
        ({}, "new@example.test", False),
        ({"registration": "open"}, "new@example.test", True),
        ({"registration": "domains", "registration_domains": ["Example.test"]}, "new@EXAMPLE.test", True),
        ({"registration": "domains", "registration_domains": ["example.test"]}, "new@sub.example.test", False),
        ({"registration": "domains", "registration_domains": ["example.test"]}, "new@badexample.test", False),
        ({"registration": "domains", "registration_domains": ["example.test"]}, "x@example.test@evil.test", False),
        ({"registration": "closed", "registration_domains": ["example.test"]}, "new@example.test", False),
    ],
)
def test_customers_register_where_the_tenant_allows(
    cast: Cast, settings_of_tenant: dict[str, Any], email: str, may: bool
) -> None:
    tenant = cast.acme
    if settings_of_tenant:
        tenant = change_tenant(tenant, settings_of_tenant, expected_version=1, by="tests")
    if may:
        user = register_customer(tenant, email=email, name="Nia", password=PASSWORD)
        assert (user.role, user.tenant_id) == ("user", tenant.pk)
    else:
        with pytest.raises((NotAllowed, InvalidInput)):
            register_customer(tenant, email=email, name="Nia", password=PASSWORD)


def test_nobody_registers_at_a_suspended_or_an_unknown_tenant(cast: Cast) -> None:
    tenant = change_tenant(cast.acme, {"registration": "open"}, expected_version=1, by="tests")
    texts = set()
    for closed in (suspend_tenant(tenant, by="tests"), None):
        with pytest.raises(NotAllowed) as error:
            register_customer(closed, email="new@example.test", name="Nia", password=PASSWORD)
        texts.add(error.value.detail)
    assert len(texts) == 1


# --- Changing ---------------------------------------------------------------------------------------------------------
def test_a_change_counts_the_version_and_is_recorded(cast: Cast) -> None:
    user = change_user(actor_of(cast.ada), cast.amir.pk, {"name": "Amir the Great", "email": "amir@example.test"})
    assert (user.name, user.email_key, user.version) == ("Amir the Great", "amir@example.test", 2)
    entry = AuditEntry.objects.get(action="user.changed")
    assert (entry.by, entry.tenant_id) == (cast.ada.email, cast.acme.pk)
    assert entry.details == {
        "user": str(cast.amir.pk),
        "changes": {"email": ["agent@example.test", "amir@example.test"], "name": ["Amir Acme", "Amir the Great"]},
    }


def test_what_is_so_already_changes_nothing(cast: Cast) -> None:
    assert change_user(actor_of(cast.ada), cast.amir.pk, {"name": cast.amir.name}).version == 1


def test_a_stale_version_is_refused(cast: Cast) -> None:
    change_user(actor_of(cast.ada), cast.amir.pk, {"name": "First"}, expected_version=1)
    with pytest.raises(StaleVersion) as error:
        change_user(actor_of(cast.ada), cast.amir.pk, {"name": "Second"}, expected_version=1)
    assert error.value.data == {"current_version": 2}
    assert stored(cast.amir)["name"] == "First"


def test_parallel_changes_of_one_version_let_one_through(cast: Cast) -> None:
    ada = actor_of(cast.ada)
    results = run_together(
        [lambda n=n: change_user(ada, cast.amir.pk, {"name": f"Name {n}"}, expected_version=1) for n in range(6)]
    )
    assert sorted(type(result).__name__ for result in results) == ["StaleVersion"] * 5 + ["User"]
    assert stored(cast.amir)["version"] == 2


@pytest.mark.parametrize("field", ["password", "tenant_id", "version", "token_epoch", "last_login_at"])
def test_what_is_not_for_changing_is_refused(cast: Cast, field: str) -> None:
    with pytest.raises(InvalidInput) as error:
        change_user(actor_of(cast.ada), cast.amir.pk, {field: 1})
    assert refused_field(error) == field


@pytest.mark.parametrize("value", ["true", 1, None])
def test_active_is_true_or_false_and_nothing_like_it(cast: Cast, value: Any) -> None:
    with pytest.raises(InvalidInput):
        change_user(actor_of(cast.ada), cast.amir.pk, {"is_active": value})


def test_a_foreign_account_is_as_unknown_as_a_missing_one(cast: Cast) -> None:
    seen = []
    for user_id in (cast.gus.pk, ObjectId()):
        with recorded_commands() as sent, pytest.raises(NotFound) as error:
            change_user(actor_of(cast.ada), user_id, {"name": "Mine"})
        seen.append((error.value.detail, sent))
    assert seen[0] == seen[1]
    assert stored(cast.gus)["name"] == cast.gus.name


def test_who_becomes_a_customer_leaves_the_teams(cast: Cast) -> None:
    ada = actor_of(cast.ada)
    team = create_team(ada, name="Hardware")
    change_user(ada, cast.amir.pk, {"team_ids": [team.pk]})
    assert change_user(ada, cast.amir.pk, {"role": "user"}).team_ids == []
    with pytest.raises(InvalidInput) as error:
        change_user(ada, cast.amir.pk, {"team_ids": [team.pk]})
    assert refused_field(error) == "team_ids"


def test_people_change_their_own_name_and_nothing_else(cast: Cast) -> None:
    carla = actor_of(cast.carla)
    assert change_profile(carla, {"name": "Carla C."}, expected_version=1).name == "Carla C."
    for change in ({"role": "admin"}, {"email": "me@example.test"}, {"is_active": True}, {"team_ids": []}):
        with pytest.raises(NotAllowed):
            change_profile(carla, change)
    with pytest.raises(StaleVersion):
        change_profile(carla, {"name": "Late"}, expected_version=1)


# --- The last admin ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("change", [{"role": "agent"}, {"role": "user"}, {"is_active": False}])
def test_the_last_active_admin_stays(cast: Cast, change: dict[str, Any]) -> None:
    make_user(cast.acme, "former@example.test", role=Role.ADMIN, is_active=False)
    for actor in (actor_of(cast.ada), Actor.system(cast.acme, Via.COMMAND)):
        with pytest.raises(LastAdmin):
            change_user(actor, cast.ada.pk, change)
    assert stored(cast.ada)["version"] == 1
    make_user(cast.acme, "second@example.test", role=Role.ADMIN)
    assert change_user(actor_of(cast.ada), cast.ada.pk, change).version == 2


@pytest.mark.parametrize("change", [{"role": "agent"}, {"is_active": False}])
def test_two_admins_cannot_remove_one_another_at_once(cast: Cast, change: dict[str, Any]) -> None:
    for round_ in range(5):
        tenant_admins = [make_user(cast.globex, f"a{round_}{n}@example.test", role=Role.ADMIN) for n in range(2)]
        others = UserRepository(cast.globex.pk).find({"role": "admin", "_id": {"$nin": [a.pk for a in tenant_admins]}})
        for other in others:
            UserRepository(cast.globex.pk).update_where({"_id": other["_id"]}, {"is_active": False})
        first, second = tenant_admins
        results = run_together(
            [
                lambda by=first, of=second: change_user(actor_of(by), of.pk, change),
                lambda by=second, of=first: change_user(actor_of(by), of.pk, change),
            ]
        )
        assert sorted(type(result).__name__ for result in results) == ["LastAdmin", "User"]
        assert UserRepository(cast.globex.pk).active_with(["admin"]) == 1


# --- Quota ------------------------------------------------------------------------------------------------------------
def test_the_quota_of_staff_holds_for_every_way_to_become_staff(cast: Cast) -> None:
    change_tenant(cast.acme, {"max_staff": 2}, expected_version=1, by="tests")  # Ada and Amir
    ada = actor_of(cast.ada)
    sleeping = make_user(cast.acme, "former@example.test", role=Role.AGENT, is_active=False)
    attempts = (
        lambda: create_user(ada, email="new@example.test", name="Nia", role="agent"),
        lambda: change_user(ada, cast.carla.pk, {"role": "agent"}),
        lambda: change_user(ada, sleeping.pk, {"is_active": True}),
    )
    for attempt in attempts:
        with pytest.raises(QuotaExceeded):
            attempt()
    create_user(ada, email="customer@example.test", name="Customers are not counted")
    deactivate_user(ada, cast.amir.pk)
    create_user(ada, email="new@example.test", name="Nia", role="agent")


def test_parallel_invitations_do_not_exceed_the_quota(cast: Cast) -> None:
    change_tenant(cast.acme, {"max_staff": 4}, expected_version=1, by="tests")
    ada = actor_of(cast.ada)
    results = run_together(
        [lambda n=n: create_user(ada, email=f"n{n}@example.test", name="Nia", role="agent") for n in range(6)]
    )
    assert sorted(type(result).__name__ for result in results) == ["QuotaExceeded"] * 4 + ["User"] * 2
    assert UserRepository(cast.acme.pk).active_with(["agent", "admin"]) == 4


def test_over_the_quota_the_admin_can_still_be_renamed_and_staff_reduced(cast: Cast) -> None:
    change_tenant(cast.acme, {"max_staff": 1}, expected_version=1, by="tests")  # the operator lowers it below two
    ada = actor_of(cast.ada)
    assert change_user(ada, cast.ada.pk, {"name": "Ada again"}).name == "Ada again"
    assert deactivate_user(ada, cast.amir.pk).is_active is False
