"""API keys: within scopes, for an owner, until they end."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.actor import Actor
from accounts.keys import create_api_key, get_actor_of_key, revoke_api_key
from accounts.models import ApiKey
from accounts.repository import ApiKeyRepository
from accounts.roles import KEY_SCOPES, Action, Role
from accounts.services import change_user, deactivate_user
from tests.cast import PASSWORD, Cast, actor_of, api
from ticketing import clock
from ticketing.errors import InvalidInput, NotAllowed, NotAuthenticated, NotFound
from ticketing.mongo import ObjectId

pytestmark = pytest.mark.django_db


def new_key(cast: Cast, *scopes: str, **options: Any) -> tuple[ApiKey, str]:
    return create_api_key(actor_of(cast.ada), name="Sync", scopes=scopes or ["tickets:read"], **options)


def with_key(secret: str) -> Any:
    client = api()
    client.credentials(HTTP_AUTHORIZATION=f"Api-Key {secret}")
    return client


def stored(key: ApiKey) -> dict[str, Any]:
    return ApiKeyRepository(key.tenant_id).get(key.pk)


def test_a_key_acts_for_its_owner_within_its_scopes(cast: Cast) -> None:
    _, secret = new_key(cast, "tickets:write", "users:read")
    actor, _ = get_actor_of_key(secret)
    assert (actor.user_id, actor.tenant_id, actor.key_name) == (cast.ada.pk, cast.acme.pk, "Sync")
    assert actor.can(Action.TICKETS_EDIT_ALL)
    assert actor.can(Action.USERS_READ)
    assert not actor.can(Action.USERS_MANAGE)
    assert not actor.can(Action.COMMENTS_READ_PUBLIC)


def test_a_key_never_does_more_than_its_owner(cast: Cast) -> None:
    _, secret = new_key(cast, *KEY_SCOPES, owner_id=cast.amir.pk)
    assert not get_actor_of_key(secret)[0].can(Action.USERS_READ)
    change_user(actor_of(cast.ada), cast.amir.pk, {"role": "admin"})
    assert get_actor_of_key(secret)[0].can(Action.USERS_READ)


def test_only_a_digest_of_the_secret_is_kept(cast: Cast) -> None:
    key, secret = new_key(cast)
    random = secret.split("_", 2)[2]
    assert secret.startswith("tk_acme_")
    assert random.startswith(key.prefix)
    assert random not in str(stored(key))


def test_the_api_shows_the_secret_once(cast: Cast) -> None:
    client = api(cast.ada)
    made = client.post("/api/v1/api-keys", {"name": "Sync", "scopes": ["teams:read"]})
    assert made.status_code == 201
    secret = made.json()["key"]
    assert with_key(secret).get("/api/v1/teams").status_code == 200
    assert with_key(secret).get("/api/v1/users").status_code == 403
    for answer in (client.get("/api/v1/api-keys"), client.get(f"/api/v1/api-keys/{made.json()['id']}")):
        assert answer.status_code == 200
        assert secret.split("_", 2)[2] not in answer.content.decode()
    assert client.delete(f"/api/v1/api-keys/{made.json()['id']}").status_code == 204
    assert with_key(secret).get("/api/v1/teams").status_code == 401
    assert client.get("/api/v1/api-keys").json()["data"][0]["revoked_at"] is not None


def test_a_repeated_creation_does_not_repeat_the_secret(cast: Cast) -> None:
    client, body = api(cast.ada), {"name": "Sync", "scopes": ["teams:read"]}
    once = client.post("/api/v1/api-keys", body, headers={"Idempotency-Key": "k"})
    again = client.post("/api/v1/api-keys", body, headers={"Idempotency-Key": "k"})
    assert (once.status_code, again.status_code) == (201, 409)
    assert len(client.get("/api/v1/api-keys").json()["data"]) == 1


def test_an_expired_or_revoked_key_is_refused(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    _, expiring = new_key(cast, expires_at=clock.now() + timedelta(days=1))
    revoked, secret = new_key(cast)
    get_actor_of_key(expiring)
    revoke_api_key(actor_of(cast.ada), revoked.pk)
    with pytest.raises(NotAuthenticated):
        get_actor_of_key(secret)
    later = clock.now() + timedelta(days=1, seconds=1)
    monkeypatch.setattr("accounts.keys.now", lambda: later)
    with pytest.raises(NotAuthenticated):
        get_actor_of_key(expiring)


def test_a_key_ends_with_its_owner(cast: Cast) -> None:
    _, secret = new_key(cast, owner_id=cast.amir.pk)
    deactivate_user(actor_of(cast.ada), cast.amir.pk)
    with pytest.raises(NotAuthenticated):
        get_actor_of_key(secret)
    change_user(actor_of(cast.ada), cast.amir.pk, {"is_active": True, "role": "user"})
    with pytest.raises(NotAuthenticated):
        get_actor_of_key(secret)


def test_a_key_of_one_tenant_is_none_of_another(cast: Cast) -> None:
    _, secret = new_key(cast)
    random = secret.split("_", 2)[2]
    refused = [f"tk_globex_{random}", f"tk_nowhere_{random}", f"xx_acme_{random}", "tk_acme_", "tk_acme", "", "ÿ"]
    details = set()
    for other in refused:
        with pytest.raises(NotAuthenticated) as error:
            get_actor_of_key(other)
        details.add(error.value.detail)
    assert len(details) == 1
    assert with_key(secret).get("/api/v1/auth/me", headers={"X-Tenant": "globex"}).status_code == 401


def test_use_is_noted_at_most_once_a_minute(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    key, secret = new_key(cast)
    start = clock.now()
    noted = []
    for seconds in (0, 59, 60):
        monkeypatch.setattr("accounts.keys.now", lambda seconds=seconds: start + timedelta(seconds=seconds))
        get_actor_of_key(secret)
        noted.append((stored(key)["last_used_at"] - start).seconds)
    assert noted == [0, 0, 60]


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("name", {"name": " "}),
        ("scopes", {"scopes": []}),
        ("scopes", {"scopes": ["tickets:everything"]}),
        ("scopes", {"scopes": ["tenants:admin"]}),
        ("expires_at", {"expires_at": clock.now() - timedelta(days=1)}),
        ("owner_id", {"owner_id": ObjectId()}),
    ],
)
def test_bad_input_is_refused_with_the_field(cast: Cast, field: str, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as error:
        create_api_key(actor_of(cast.ada), **{"name": "Sync", "scopes": ["tickets:read"], **options})
    assert error.value.errors[0].field == field
    assert ApiKeyRepository(cast.acme.pk).count({}) == 0


@pytest.mark.parametrize("owner", ["carla", "gus", "olga"])
def test_the_owner_is_active_staff_of_the_tenant(cast: Cast, owner: str) -> None:
    with pytest.raises(InvalidInput):
        new_key(cast, owner_id=getattr(cast, owner).pk)


def test_a_key_passes_on_no_more_than_it_has(cast: Cast) -> None:
    _, secret = new_key(cast, "api_keys:admin", "tickets:write")
    actor, _ = get_actor_of_key(secret)
    made, _ = create_api_key(actor, name="Less", scopes=["tickets:read"])
    assert made.scopes == ["tickets:read"]
    for scope in ("tickets:admin", "users:read"):
        with pytest.raises(InvalidInput):
            create_api_key(actor, name="More", scopes=["tickets:read", scope])


def test_keys_do_not_touch_sign_ins_and_passwords(cast: Cast) -> None:
    _, secret = new_key(cast, *KEY_SCOPES)
    client = with_key(secret)
    body = {"current_password": PASSWORD, "password": "another long sentence"}
    assert client.get("/api/v1/auth/me").json()["id"] == str(cast.ada.pk)
    assert client.post("/api/v1/auth/password", body).status_code == 403
    assert client.post("/api/v1/auth/logout-all").status_code == 403


def test_only_admins_manage_keys_and_only_of_their_tenant(cast: Cast) -> None:
    key, _ = new_key(cast)
    for user in (cast.amir, cast.carla):
        with pytest.raises(NotAllowed):
            create_api_key(actor_of(user), name="Mine", scopes=["tickets:read"])
        with pytest.raises(NotAllowed):
            revoke_api_key(actor_of(user), key.pk)
    with pytest.raises(NotFound):
        revoke_api_key(actor_of(cast.gina), key.pk)
    assert stored(key)["revoked_at"] is None


def test_an_operator_in_a_tenant_names_the_owner(cast: Cast) -> None:
    actor = Actor(cast.olga, cast.acme, Role.ADMIN, actor_of(cast.ada).via)
    with pytest.raises(InvalidInput) as error:
        create_api_key(actor, name="Sync", scopes=["tickets:read"])
    assert error.value.errors[0].field == "owner_id"
    assert (
        create_api_key(actor, name="Sync", scopes=["tickets:read"], owner_id=cast.amir.pk)[0].owner_id == cast.amir.pk
    )
