"""Sign-in tells nobody which accounts exist, and stops guessing."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import identify_hasher, make_password

from accounts.models import SignInAttempts
from accounts.repository import SignInAttemptRepository, UserRepository, users_of
from accounts.sign_in import sign_in, sign_in_operator
from tenants.services import suspend_tenant
from tests.cast import PASSWORD, Cast, api
from tests.recorded import hashings, recorded_commands
from tests.together import run_together
from ticketing import clock
from ticketing.errors import LimitExceeded, NotAuthenticated

pytestmark = pytest.mark.django_db
HERE = "192.0.2.1"


def login(tenant: str, email: str, password: str = PASSWORD, address: str = HERE, **headers: str) -> Any:
    body = {"email": email, "password": password} | ({"tenant": tenant} if tenant else {})
    return api().post("/api/v1/auth/login", body, headers=headers, REMOTE_ADDR=address)


def wrong_sign_ins(cast: Cast) -> dict[str, tuple[str, str, str]]:
    """Every way to fail: tenant, e-mail, password."""
    users_of(cast.acme.pk).update_where({"_id": cast.carl.pk}, {"is_active": False})
    suspend_tenant(cast.globex, by="tests")
    return {
        "wrong password": ("acme", cast.ada.email, "wrong"),
        "unknown account": ("acme", "nobody@example.test", PASSWORD),
        "inactive account": ("acme", cast.carl.email, PASSWORD),
        "unknown tenant": ("nowhere", cast.ada.email, PASSWORD),
        "no tenant": ("", cast.ada.email, PASSWORD),
        "suspended tenant": ("globex", cast.gina.email, PASSWORD),
        "operator": ("", cast.olga.email, PASSWORD),
        "e-mail of another tenant": ("acme", "gretel@example.test", PASSWORD),
    }


def test_the_right_password_gives_tokens_and_the_user(cast: Cast) -> None:
    answer = login("acme", "Admin@Example.TEST")
    assert answer.status_code == 200
    assert answer.json()["user"]["id"] == str(cast.ada.pk)
    assert answer.json()["user"]["last_login_at"] is not None
    assert answer["Cache-Control"] == "no-store"


def test_one_person_has_different_passwords_in_two_tenants(cast: Cast) -> None:
    assert sign_in(cast.acme, "agent@example.test", PASSWORD, HERE).pk == cast.amir.pk
    assert sign_in(cast.globex, "agent@example.test", PASSWORD, HERE).pk == cast.gus.pk
    UserRepository(cast.acme.pk).update_where({"_id": cast.amir.pk}, {"password": make_password("only at acme")})
    with pytest.raises(NotAuthenticated):
        sign_in(cast.acme, "agent@example.test", PASSWORD, HERE)
    assert sign_in(cast.globex, "agent@example.test", PASSWORD, HERE).pk == cast.gus.pk


def test_look_alike_letters_are_the_same_address(cast: Cast) -> None:
    assert sign_in(cast.acme, "ａdmin@example.test", PASSWORD, HERE).pk == cast.ada.pk


def test_every_failure_is_answered_alike_after_the_same_work(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = hashings(monkeypatch)
    seen = {}
    for number, (name, (tenant, email, password)) in enumerate(wrong_sign_ins(cast).items()):
        hashed.clear()
        with recorded_commands() as sent:
            answer = login(tenant, email, password, address=f"192.0.2.{number}")
        body = answer.json() | {"request_id": ""}
        seen[name] = (answer.status_code, body, len(hashed), sent if tenant else None)
    assert seen["wrong password"][0] == 401
    assert seen["wrong password"][2] == 1
    for name, found in seen.items():
        assert found[:3] == seen["wrong password"][:3], name
        assert found[3] in (None, seen["wrong password"][3]), name


def test_guessing_locks_an_account_whether_it_exists_or_not(cast: Cast, settings: Any) -> None:
    settings.SIGN_IN_FAILURES_PER_ACCOUNT = 3
    answers = {}
    for email in (cast.ada.email, "nobody@example.test"):
        statuses = [login("acme", email, "wrong").status_code for _ in range(3)]
        locked = login("acme", email)
        answers[email] = (statuses, locked.status_code, locked.json() | {"request_id": ""})
        assert 0 < int(locked["Retry-After"]) <= settings.SIGN_IN_LOCKOUT_MINUTES * 60
    assert answers[cast.ada.email][:2] == ([401] * 3, 429)
    assert answers[cast.ada.email] == answers["nobody@example.test"]
    assert login("acme", cast.amir.email).status_code == 200
    assert login("globex", cast.ada.email).status_code == 200, "the same address elsewhere is another account"


def test_the_lock_ends_by_itself(cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SIGN_IN_FAILURES_PER_ACCOUNT = 1
    with pytest.raises(NotAuthenticated):
        sign_in(cast.acme, cast.ada.email, "wrong", HERE)
    with pytest.raises(LimitExceeded):
        sign_in(cast.acme, cast.ada.email, PASSWORD, HERE)
    later = clock.now() + timedelta(minutes=settings.SIGN_IN_LOCKOUT_MINUTES, seconds=1)
    monkeypatch.setattr("accounts.sign_in.now", lambda: later)
    assert sign_in(cast.acme, cast.ada.email, PASSWORD, HERE).pk == cast.ada.pk


def test_a_good_sign_in_forgets_the_failures_before_it(cast: Cast, settings: Any) -> None:
    settings.SIGN_IN_FAILURES_PER_ACCOUNT = 2
    for _ in range(3):
        with pytest.raises(NotAuthenticated):
            sign_in(cast.acme, cast.ada.email, "wrong", HERE)
        sign_in(cast.acme, cast.ada.email, PASSWORD, HERE)


def test_guessing_at_many_accounts_locks_the_address(cast: Cast, settings: Any) -> None:
    settings.SIGN_IN_FAILURES_PER_ADDRESS = 4
    for number in range(4):
        with pytest.raises(NotAuthenticated):
            sign_in(cast.acme, f"guess{number}@example.test", "wrong", HERE)
    with pytest.raises(LimitExceeded):
        sign_in(cast.acme, cast.ada.email, PASSWORD, HERE)
    assert sign_in(cast.acme, cast.ada.email, PASSWORD, "192.0.2.2").pk == cast.ada.pk


def test_a_good_account_does_not_hide_guessing_from_the_same_address(cast: Cast, settings: Any) -> None:
    settings.SIGN_IN_FAILURES_PER_ADDRESS = 3
    for number in range(3):
        with pytest.raises(NotAuthenticated):
            sign_in(cast.acme, f"guess{number}@example.test", "wrong", HERE)
        if number < 2:
            sign_in(cast.acme, cast.carla.email, PASSWORD, HERE)
    with pytest.raises(LimitExceeded):
        sign_in(cast.acme, cast.carla.email, PASSWORD, HERE)


def test_parallel_guesses_do_not_get_past_the_limit(cast: Cast, settings: Any) -> None:
    settings.SIGN_IN_FAILURES_PER_ACCOUNT = 3
    guess = lambda: sign_in(cast.acme, cast.ada.email, "wrong", HERE)  # noqa: E731
    kinds = [type(result) for result in run_together([guess] * 12)]
    assert kinds.count(NotAuthenticated) == 3
    assert kinds.count(LimitExceeded) == 9


def test_attempts_are_kept_without_addresses(cast: Cast) -> None:
    with pytest.raises(NotAuthenticated):
        sign_in(cast.acme, cast.ada.email, "wrong", HERE)
    stored = SignInAttemptRepository().find({})
    assert len(stored) == SignInAttempts.objects.count() == 2
    assert cast.ada.email not in str(stored)
    assert HERE not in str(stored)


def test_an_outdated_hash_is_replaced(cast: Cast, settings: Any) -> None:
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.Argon2PasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]
    version = cast.ada.version
    user = sign_in(cast.acme, cast.ada.email, PASSWORD, HERE)
    assert identify_hasher(user.password).algorithm == "argon2"
    assert user.version == version, "nobody's edit of the account may fail because its owner signed in"
    assert sign_in(cast.acme, cast.ada.email, PASSWORD, HERE).password == user.password


def test_operators_sign_in_apart_from_tenants(cast: Cast) -> None:
    assert sign_in_operator(cast.olga.email, PASSWORD, HERE).pk == cast.olga.pk
    with pytest.raises(NotAuthenticated):
        sign_in_operator(cast.ada.email, PASSWORD, HERE)
    with pytest.raises(NotAuthenticated):
        sign_in(cast.acme, cast.olga.email, PASSWORD, HERE)


@pytest.mark.parametrize(
    ("field", "headers", "expected"),
    [
        ("", {"X-Tenant": "acme"}, 200),
        ("", {"Host": "acme.localhost"}, 200),
        ("", {"Host": "ACME.localhost:8000"}, 200),
        ("acme", {"X-Tenant": "acme", "Host": "acme.localhost"}, 200),
        ("acme", {"X-Tenant": "globex"}, 401),
        ("acme", {"Host": "globex.localhost"}, 401),
        ("", {"X-Tenant": "acme", "Host": "globex.localhost"}, 401),
        ("Acme", {}, 401),
    ],
)
def test_the_tenant_is_named_by_field_header_or_host(
    cast: Cast, field: str, headers: dict[str, str], expected: int
) -> None:
    assert login(field, cast.carl.email, **headers).status_code == expected


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "a@example.test"},
        {"email": "a@example.test", "password": 5},
        {"email": "a@example.test", "password": "x", "role": "admin"},
        {"email": ["a@example.test"], "password": "x"},
    ],
)
def test_a_malformed_body_is_refused_with_the_field(db: None, body: dict[str, Any]) -> None:
    answer = api().post("/api/v1/auth/login", body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] in {"email", "password", "role"}
