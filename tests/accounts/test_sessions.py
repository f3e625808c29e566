"""Tokens: rotation, reuse, and everything that ends them at once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings as django_settings

from accounts.keys import create_api_key
from accounts.models import TokenFamily
from accounts.roles import Role
from accounts.services import change_user, deactivate_user
from accounts.sessions import (
    AccessToken,
    Tokens,
    end_session,
    get_account_of_token,
    open_session,
    refresh_session,
)
from tenants.services import reactivate_tenant, suspend_tenant
from tests.cast import PASSWORD, Cast, actor_of, api
from tests.recorded import recorded_commands
from tests.together import run_together
from ticketing import clock
from ticketing.errors import NotAuthenticated
from ticketing.mongo.scope import tenant_scope

pytestmark = pytest.mark.django_db
HERE = "192.0.2.1"


def works(tokens: Tokens) -> bool:
    """Whether the access token is taken by a real request."""
    client = api()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.access}")
    status = client.get("/api/v1/auth/me").status_code
    assert status in (200, 401)
    return bool(status == 200)


def can_refresh(tokens: Tokens) -> bool:
    try:
        refresh_session(tokens.refresh)
    except NotAuthenticated:
        return False
    return True


def claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def test_an_access_token_says_what_the_contract_promises(cast: Cast) -> None:
    said = claims(open_session(cast.ada).access)
    assert said["sub"] == str(cast.ada.pk)
    assert said["tenant"] == str(cast.acme.pk)
    assert said["role"] == "admin"
    assert said["exp"] - said["iat"] == django_settings.ACCESS_TOKEN_MINUTES * 60
    assert said["jti"]


def test_a_refresh_token_is_good_once(cast: Cast) -> None:
    first = open_session(cast.ada)
    account, second = refresh_session(first.refresh)
    assert account.user.pk == cast.ada.pk
    assert works(first)
    assert works(second)
    assert first.refresh != second.refresh
    assert can_refresh(second)


def test_a_used_refresh_token_ends_the_whole_sign_in(cast: Cast) -> None:
    other = open_session(cast.ada)
    stolen = open_session(cast.ada)
    _, fresh = refresh_session(stolen.refresh)
    with pytest.raises(NotAuthenticated):
        refresh_session(stolen.refresh)
    assert not works(fresh)
    assert not can_refresh(fresh)
    assert works(other), "another sign-in of the same person goes on"


def test_of_two_that_refresh_at_once_one_at_most_gets_tokens_and_they_do_not_last(cast: Cast) -> None:
    tokens = open_session(cast.ada)
    results = run_together([lambda: refresh_session(tokens.refresh)] * 2)
    granted = [result for result in results if not isinstance(result, Exception)]
    assert len(granted) == 1
    assert not works(granted[0][1]), "the token was in two hands, so the sign-in is over"


def test_signing_out_ends_one_sign_in(cast: Cast) -> None:
    here, there = open_session(cast.ada), open_session(cast.ada)
    assert api().post("/api/v1/auth/logout", {"refresh": here.refresh}).status_code == 204
    assert not works(here)
    assert not can_refresh(here)
    assert works(there)


def test_signing_out_everywhere_ends_all_of_ones_own(cast: Cast) -> None:
    here, there, other = open_session(cast.ada), open_session(cast.ada), open_session(cast.amir)
    client = api()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {here.access}")
    assert client.post("/api/v1/auth/logout-all").status_code == 204
    for tokens in (here, there):
        assert not works(tokens)
        assert not can_refresh(tokens)
    assert works(other)


def test_another_password_ends_all_but_the_one_that_set_it(cast: Cast) -> None:
    before, here = open_session(cast.ada), open_session(cast.ada)
    client = api()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {here.access}")
    body = {"current_password": PASSWORD, "password": "another long sentence"}
    answer = client.post("/api/v1/auth/password", body)
    assert answer.status_code == 200
    assert not works(before)
    assert not works(here)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['access']}")
    assert client.get("/api/v1/auth/me").status_code == 200


def demote(cast: Cast) -> None:
    change_user(actor_of(cast.ada), cast.amir.pk, {"role": Role.USER.value})


def deactivate(cast: Cast) -> None:
    deactivate_user(actor_of(cast.ada), cast.amir.pk)


def suspend(cast: Cast) -> None:
    suspend_tenant(cast.acme, by="tests")


@pytest.mark.parametrize("end", [demote, deactivate, suspend])
def test_token_key_and_session_stop_with_the_next_request(cast: Cast, end: Callable[[Cast], None], client: Any) -> None:
    tokens = open_session(cast.amir)
    admin = actor_of(cast.ada)
    _, key = create_api_key(admin, name="Sync", scopes=["teams:read"], owner_id=cast.amir.pk)
    by_key = api()
    by_key.credentials(HTTP_AUTHORIZATION=f"Api-Key {key}")
    client.force_login(cast.amir)
    assert works(tokens)
    assert by_key.get("/api/v1/teams").status_code == 200
    assert client.get("/api/v1/teams").status_code == 200
    end(cast)
    assert not works(tokens)
    assert not can_refresh(tokens)
    assert by_key.get("/api/v1/teams").status_code == 401
    assert client.get("/api/v1/teams").status_code == 401


def test_a_reactivated_account_has_to_sign_in_again_a_reactivated_tenant_has_not(cast: Cast) -> None:
    tokens = open_session(cast.amir)
    suspend(cast)
    reactivate_tenant(cast.acme, by="tests")
    assert works(tokens)
    deactivate(cast)
    change_user(actor_of(cast.ada), cast.amir.pk, {"is_active": True})
    assert not works(tokens)


def test_the_role_is_the_one_of_now_not_of_the_token(cast: Cast) -> None:
    tokens = open_session(cast.ada)
    from accounts.repository import UserRepository

    UserRepository(cast.acme.pk).update_where({"_id": cast.ada.pk}, {"role": "agent"})
    client = api()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.access}")
    assert client.get("/api/v1/users").status_code == 403


@pytest.mark.parametrize(
    "headers", [{"X-Tenant": "globex"}, {"Host": "globex.localhost"}, {"Host": "help.globex.example"}]
)
def test_a_token_at_another_tenants_door_is_refused(cast: Cast, headers: dict[str, str], settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    from tenants.services import change_tenant

    change_tenant(cast.globex, {"hosts": ["help.globex.example"]}, expected_version=1, by="tests")
    assert api(cast.ada).get("/api/v1/auth/me", headers=headers).status_code == 401
    assert api(cast.gina).get("/api/v1/auth/me", headers=headers).status_code == 200


def forged(cast: Cast) -> dict[str, str]:
    tokens = open_session(cast.ada)
    said = claims(tokens.access)
    sign = lambda changes, key="k" * 64, algorithm="HS256": jwt.encode(said | changes, key, algorithm)  # noqa: E731
    ours = django_settings.SIMPLE_JWT["SIGNING_KEY"]
    hour = timedelta(hours=1)
    return {
        "another key": sign({}),
        "no signature": sign({}, key="", algorithm="none"),
        "expired": sign({"exp": clock.now() - hour}, key=ours),
        "a refresh token": tokens.refresh,
        "another tenant": sign({"tenant": str(cast.globex.pk)}, key=ours),
        "another user": sign({"sub": str(cast.amir.pk)}, key=ours),
        "another sign-in": sign({"sid": str(cast.amir.pk)}, key=ours),
        "an epoch to come": sign({"epoch": 1}, key=ours),
        "an epoch that is no number": sign({"epoch": "0"}, key=ours),
        "an id that is none": sign({"sub": "1"}, key=ours),
        "an id that is an operator": sign({"sub": {"$ne": None}}, key=ours),
        "another issuer": sign({"iss": "elsewhere"}, key=ours),
        "nothing": "",
        "garbage": "ÿ.ÿ.ÿ",
    }


def test_a_token_that_is_not_ours_is_refused(cast: Cast) -> None:
    for name, token in forged(cast).items():
        client = api()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        answer = client.get("/api/v1/auth/me")
        assert answer.status_code == 401, name
        assert answer["WWW-Authenticate"].startswith("Bearer"), name


def test_an_access_token_does_not_refresh(cast: Cast) -> None:
    tokens = open_session(cast.ada)
    for raw in (tokens.access, "", "garbage"):
        with pytest.raises(NotAuthenticated):
            refresh_session(raw)
        with pytest.raises(NotAuthenticated):
            end_session(raw)
    assert works(tokens)


def test_an_expired_access_token_does_not_hinder_refreshing(cast: Cast) -> None:
    tokens = open_session(cast.ada)
    client = api()
    client.credentials(HTTP_AUTHORIZATION="Bearer expired")
    answer = client.post("/api/v1/auth/refresh", {"refresh": tokens.refresh})
    assert answer.status_code == 200
    assert answer.json()["refresh"] != tokens.refresh


def test_reuse_is_punished_also_with_an_idempotency_key(cast: Cast) -> None:
    stolen = open_session(cast.ada)
    _, fresh = refresh_session(stolen.refresh)
    client = api(cast.amir)
    answer = client.post("/api/v1/auth/refresh", {"refresh": stolen.refresh}, headers={"Idempotency-Key": "1"})
    assert answer.status_code == 401
    assert not works(fresh)


def test_a_request_is_authenticated_in_one_round_trip(cast: Cast) -> None:
    tokens = open_session(cast.ada)
    with recorded_commands() as sent:
        get_account_of_token(tokens.access)
    assert sent == ["aggregate users"]


@pytest.mark.parametrize("claim", ["sub", "tenant", "sid"])
def test_an_id_of_somebody_else_in_a_good_token_is_no_account(cast: Cast, claim: str) -> None:
    """Accounts are looked up by ids alone: what they belong to is judged afterwards."""
    own = claims(open_session(cast.ada).access)
    for user in (cast.gus, cast.amir):
        other = claims(open_session(user).access)
        token = AccessToken(open_session(cast.ada).access)  # type: ignore[arg-type]
        token[claim] = other[claim]
        if other[claim] != own[claim]:
            with pytest.raises(NotAuthenticated):
                get_account_of_token(str(token))


def test_sign_ins_are_forgotten_when_their_refresh_token_has_expired(cast: Cast) -> None:
    tokens = open_session(cast.ada)
    with tenant_scope(cast.acme.pk):
        family = TokenFamily.objects.get()
    assert family.expires_at == tokens.refresh_expires_at
    assert AccessToken(tokens.access)["sid"] == str(family.pk)


def test_changing_the_password_needs_the_present_one_and_counts_guesses(cast: Cast, settings: Any) -> None:
    settings.SIGN_IN_FAILURES_PER_ACCOUNT = 2
    client = api(cast.ada)
    body = {"current_password": "a guess", "password": "another long sentence"}
    statuses = [
        client.post("/api/v1/auth/password", body, headers={"Idempotency-Key": str(n)}).status_code for n in range(3)
    ]
    assert statuses == [400, 400, 429]
