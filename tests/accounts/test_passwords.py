"""Invitations work once, for a week, and only as long as nothing changed."""

from typing import Any

import pytest
from django.core import signing
from django.test import Client

from accounts.passwords import accept_invitation, create_invitation, invitation_for
from accounts.services import create_operator, create_user, deactivate_user
from accounts.sign_in import sign_in, sign_in_operator
from tests.cast import PASSWORD, Cast, actor_of, api
from tests.together import run_together
from ticketing.errors import InvalidInput, NotAllowed, NotFound

pytestmark = pytest.mark.django_db
HERE = "192.0.2.1"
NEW = "another long sentence"


def invited(cast: Cast) -> tuple[Any, str]:
    user = create_user(actor_of(cast.ada), email="new@example.test", name="Nia", role="agent")
    return user, invitation_for(user)


def test_an_invited_person_chooses_a_password_and_is_signed_in(cast: Cast) -> None:
    made = api(cast.ada).post("/api/v1/users", {"email": "new@example.test", "name": "Nia", "role": "agent"})
    assert made.status_code == 201
    body = {"token": made.json()["invitation"], "password": NEW}
    answer = api().post("/api/v1/auth/password", body)
    assert answer.status_code == 200
    client = api()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['access']}")
    assert client.get("/api/v1/auth/me").json()["email"] == "new@example.test"
    assert api().post("/api/v1/auth/password", body).status_code == 400, "once"


def test_of_two_that_use_an_invitation_at_once_one_gets_in(cast: Cast) -> None:
    _, token = invited(cast)
    results = run_together([lambda n=n: accept_invitation(token, f"{NEW} {n}") for n in range(4)])
    assert len([result for result in results if not isinstance(result, Exception)]) == 1


def test_an_invitation_ends_after_a_week(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    _, token = invited(cast)
    import time

    real = time.time()
    monkeypatch.setattr(signing.time, "time", lambda: real + 7 * 86400 + 1)
    with pytest.raises(InvalidInput):
        accept_invitation(token, NEW)


def test_an_invitation_of_a_deactivated_account_is_worth_nothing(cast: Cast) -> None:
    user, token = invited(cast)
    deactivate_user(actor_of(cast.ada), user.pk)
    with pytest.raises(InvalidInput):
        accept_invitation(token, NEW)


@pytest.mark.parametrize("token", ["", "garbage", "a:b:c", "ÿ"])
def test_a_token_that_is_not_ours_is_refused_with_the_field(cast: Cast, token: str) -> None:
    with pytest.raises(InvalidInput) as error:
        accept_invitation(token, NEW)
    assert error.value.errors[0].field == "token"


def test_a_weak_password_leaves_the_invitation_good(cast: Cast) -> None:
    user, token = invited(cast)
    with pytest.raises(InvalidInput) as error:
        accept_invitation(token, "password")
    assert {each.field for each in error.value.errors} == {"password"}
    assert accept_invitation(token, NEW).pk == user.pk


def test_an_admin_invites_anew_who_forgot_the_password(cast: Cast) -> None:
    answer = api(cast.ada).post(f"/api/v1/users/{cast.carla.pk}/invitation")
    assert answer.status_code == 201
    assert sign_in(cast.acme, cast.carla.email, PASSWORD, HERE), "until the new one is chosen"
    accept_invitation(answer.json()["invitation"], NEW)
    assert sign_in(cast.acme, cast.carla.email, NEW, HERE)


def test_only_admins_of_the_tenant_invite(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        create_invitation(actor_of(cast.amir), cast.carla.pk)
    with pytest.raises(NotFound):
        create_invitation(actor_of(cast.gina), cast.carla.pk)


def test_an_operator_is_invited_too(cast: Cast) -> None:
    operator = create_operator(email="otto@platform.test", name="Otto")
    token = invitation_for(operator)
    answer = api().post("/api/v1/auth/password", {"token": token, "password": NEW})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "token")
    accept_invitation(token, NEW)
    assert sign_in_operator("otto@platform.test", NEW, HERE).pk == operator.pk


def test_an_operator_within_a_tenant_changes_his_password_in_the_console(cast: Cast) -> None:
    browser = Client()
    browser.force_login(cast.olga)
    browser.post(f"/console/tenants/tenant/{cast.acme.pk}/enter/")
    answer = browser.post("/api/v1/auth/password", {"password": NEW, "current_password": PASSWORD}, "application/json")
    assert answer.status_code == 403
    assert sign_in_operator(cast.olga.email, PASSWORD, HERE)


@pytest.mark.parametrize("body", [{"password": NEW}, {"password": NEW, "token": "x", "current_password": "y"}])
def test_exactly_one_proof_is_asked_for(cast: Cast, body: dict[str, str]) -> None:
    answer = api(cast.ada).post("/api/v1/auth/password", body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "current_password"


def test_a_password_is_not_changed_by_a_stranger(cast: Cast) -> None:
    assert api().post("/api/v1/auth/password", {"password": NEW, "current_password": PASSWORD}).status_code == 401
