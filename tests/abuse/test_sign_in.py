"""Attacks on the sign-in: who has an account, guessing, locking somebody out, addresses that look alike."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import SignInAttempts, email_key
from accounts.passwords import invitation_for
from accounts.repository import UserRepository, users_of
from accounts.services import change_user, create_user, register_customer
from accounts.sign_in import forget_failures, sign_in, sign_in_operator
from tenants.models import Tenant
from tenants.services import get_tenant, suspend_tenant
from tests.cast import PASSWORD, Cast, actor_of, api
from tests.figures import tell
from tests.recorded import hashings, recorded_commands
from ticketing.errors import AlreadyExists, InvalidInput, LimitExceeded, NotAuthenticated
from ticketing.mongo.client import get_database

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
HERE, STRANGER, OTHER = "192.0.2.1", "198.51.100.7", "198.51.100.8"
NEW = "another long sentence"
_EACH_TIME = re.compile(rb'csrfmiddlewaretoken" value="\w+"|value="[^"]*@[^"]*"|value="[a-z]{4,8}"|[0-9a-f-]{32,36}')


# --- Who has an account -----------------------------------------------------------------------------------------------
def _failures(cast: Cast) -> dict[str, tuple[str, str, str]]:
    for user in (cast.carl, cast.carla):
        users_of(cast.acme.pk).update_where({"_id": user.pk}, {"is_active": False})
    suspend_tenant(cast.globex, by="tests")
    return {
        "wrong password": ("acme", cast.ada.email, "wrong"),
        "unknown account": ("acme", "nobody@example.test", PASSWORD),
        "inactive account": ("acme", cast.carl.email, PASSWORD),
        "inactive account, wrong password": ("acme", cast.carla.email, "wrong"),
        "unknown tenant": ("nowhere", cast.ada.email, PASSWORD),
        "suspended tenant": ("globex", cast.gina.email, PASSWORD),
        "account of another tenant": ("acme", cast.olga.email, PASSWORD),
    }


def _by_api(tenant: str, email: str, password: str, address: str) -> Any:
    body = {"tenant": tenant, "email": email, "password": password}
    return api().post("/api/v1/auth/login", body, REMOTE_ADDR=address)


def _by_form(tenant: str, email: str, password: str, address: str) -> Any:
    fields = {"tenant": tenant, "username": email, "password": password}
    return Client(headers={"host": "localhost"}).post("/console/login/", fields, REMOTE_ADDR=address)


def _by_host(tenant: str, email: str, password: str, address: str) -> Any:
    browser = Client(headers={"host": f"{tenant}.localhost"})
    return browser.post("/console/login/", {"username": email, "password": password}, REMOTE_ADDR=address)


@pytest.mark.parametrize("way", [_by_api, _by_form, _by_host])
def test_nothing_tells_who_has_an_account(cast: Cast, way: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Same status, same text, same hashing, same commands: there is nothing to measure either."""
    hashed = hashings(monkeypatch)
    seen = {}
    for number, (name, (tenant, email, password)) in enumerate(_failures(cast).items()):
        hashed.clear()
        with recorded_commands() as sent:
            answer = way(tenant, email, password, f"192.0.2.{number}")
        body = b"" if way is _by_host else _EACH_TIME.sub(b"", answer.content)  # a host's page has the tenant's name
        seen[name] = (answer.status_code, body, len(hashed), sent)
    usual = seen["wrong password"]
    assert usual[2] == 1
    assert {name: found for name, found in seen.items() if found != usual} == {}
    how = f"{len(seen)} ways to fail: status, text, hashes and commands are the same ({way.__name__.strip('_')})"
    tell("Sign-in", "what tells an unknown account from a wrong password", "nothing", "nothing", True, how)


def test_a_closed_tenant_does_not_tell_who_has_an_account(cast: Cast) -> None:
    answers = []
    for email in (cast.carla.email, "nobody@example.test"):
        with recorded_commands() as sent:
            body = {"tenant": "acme", "email": email, "name": "Rita", "password": NEW}
            answer = api().post("/api/v1/auth/register", body)
        answers.append((answer.status_code, answer.json() | {"request_id": ""}, sent))
    assert answers[0][0] == 403
    assert answers[0] == answers[1]


def test_an_invitation_that_is_none_tells_nothing(cast: Cast) -> None:
    used = invitation_for(cast.carl)
    assert api().post("/api/v1/auth/password", {"token": used, "password": NEW}).status_code == 200
    inactive = invitation_for(cast.amir)
    users_of(cast.acme.pk).update_where({"_id": cast.amir.pk}, {"is_active": False})
    gone = invitation_for(cast.carla)
    get_database()["users"].delete_one({"_id": cast.carla.pk})
    operators = {
        "made up": "a:b:c",
        "used": used,
        "inactive": inactive,
        "gone": gone,
        "cut": invitation_for(cast.ada)[:-1],
    }
    answers = {}
    for name, token in operators.items():
        answer = api().post("/api/v1/auth/password", {"token": token, "password": NEW})
        answers[name] = str((answer.status_code, answer.json() | {"request_id": ""}))
    assert len(set(answers.values())) == 1, answers


# --- Guessing ---------------------------------------------------------------------------------------------------------
def _guess(cast: Cast, address: str, times: int, email: str = "") -> list[type]:
    kinds = []
    for _ in range(times):
        with pytest.raises((NotAuthenticated, LimitExceeded)) as error:
            sign_in(cast.acme, email or cast.ada.email, "wrong", address)
        kinds.append(error.type)
    return kinds


def test_guesses_from_many_addresses_share_the_accounts_limit(cast: Cast, settings: Any) -> None:
    settings.SIGN_IN_FAILURES_PER_ACCOUNT = 4
    kinds = [kind for number in range(6) for kind in _guess(cast, f"198.51.100.{number}", 1)]
    assert kinds == [NotAuthenticated] * 4 + [LimitExceeded] * 2
    with pytest.raises(LimitExceeded):  # also with the right password, which would tell that it is right
        sign_in(cast.acme, cast.ada.email, PASSWORD, STRANGER)


def test_guesses_in_two_processes_share_the_limits(cast: Cast, settings: Any) -> None:
    """Two servers' processes at the same moment: together they get one limit's worth of guesses, not two."""
    guesses = 6
    code = (
        "import django; django.setup()\n"
        "from accounts.sign_in import sign_in\n"
        "from tenants.services import find_tenant\n"
        "from ticketing.errors import LimitExceeded, NotAuthenticated\n"
        "tenant = find_tenant('acme')\n"
        f"for number in range({guesses}):\n"
        "    try:\n"
        f"        sign_in(tenant, {cast.ada.email!r}, 'wrong', '{STRANGER}')\n"
        "    except (NotAuthenticated, LimitExceeded) as error:\n"
        "        print(type(error).__name__)\n"
    )
    name = get_database().name
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "MONGODB_DATABASE": name, "PYTHONPATH": str(ROOT)}
    started = [
        subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [line for process in started for line in process.communicate(timeout=120)[0].split()]
    limit = settings.SIGN_IN_FAILURES_PER_ACCOUNT
    assert sorted(said) == ["LimitExceeded"] * (2 * guesses - limit) + ["NotAuthenticated"] * limit


def test_a_stranger_does_not_lock_the_owner_out(cast: Cast, settings: Any) -> None:
    """However long he goes on, from however many addresses: where the owner has signed in before, he gets in."""
    settings.SIGN_IN_FAILURES_PER_ACCOUNT = 3
    sign_in(cast.acme, cast.ada.email, PASSWORD, HERE)
    for address in (STRANGER, OTHER):
        _guess(cast, address, 4)
    assert sign_in(cast.acme, cast.ada.email, PASSWORD, HERE).pk == cast.ada.pk
    assert _guess(cast, STRANGER, 1) == [LimitExceeded], "the owner's sign-in does not give a stranger new guesses"


def test_guesses_from_a_known_address_are_limited_too(cast: Cast, settings: Any) -> None:
    settings.SIGN_IN_FAILURES_PER_ACCOUNT = 3
    sign_in(cast.acme, cast.ada.email, PASSWORD, HERE)
    assert _guess(cast, HERE, 5) == [NotAuthenticated] * 3 + [LimitExceeded] * 2
    with pytest.raises(LimitExceeded):
        sign_in(cast.acme, cast.ada.email, PASSWORD, HERE)


def test_an_address_is_known_to_the_account_that_signed_in_there_only(cast: Cast, settings: Any) -> None:
    settings.SIGN_IN_FAILURES_PER_ACCOUNT = 2
    sign_in(cast.acme, cast.amir.email, PASSWORD, STRANGER)
    sign_in(cast.globex, cast.ada.email, PASSWORD, STRANGER)
    sign_in_operator(cast.olga.email, PASSWORD, STRANGER)
    assert _guess(cast, OTHER, 2) == [NotAuthenticated] * 2
    assert _guess(cast, STRANGER, 1) == [LimitExceeded], "they are guesses at the same account"


def test_known_addresses_are_kept_for_a_while_without_saying_whose(cast: Cast) -> None:
    sign_in(cast.acme, cast.ada.email, PASSWORD, HERE)
    [kept] = SignInAttempts.objects.filter(pk__contains=":known:")
    assert 29 <= (kept.expires_at - SignInAttempts.objects.get(pk__startswith="address:").expires_at).days <= 30
    assert HERE not in str(vars(kept))
    assert cast.ada.email not in str(vars(kept))
    forget_failures(cast.acme.pk, [cast.ada.email])
    assert not SignInAttempts.objects.filter(pk__startswith="account:").exists()


# --- Addresses that look alike ----------------------------------------------------------------------------------------
LOOK_ALIKES = {
    "a Cyrillic letter": "аdmin@example.test",
    "a Greek letter": "αdmin@example.test",
    "a full-width letter": "ａdmin@example.test",
    "a mathematical letter": "𝐚dmin@example.test",
    "an i without its dot": "adm\u0131n@example.test",
    "an I with a dot": "adm\u0130n@example.test",
    "a long s": "admin@example.te\u017ft",
    "the sign of Kelvin": "\u212aim@example.test",
    "an accent of its own": "adm\u0069\u0301n@example.test",
    "a zero-width space": "adm\u200bin@example.test",
    "a zero-width joiner": "adm\u200din@example.test",
    "a soft hyphen": "adm\u00adin@example.test",
    "a word joiner": "\u2060admin@example.test",
    "a byte order mark": "admin\ufeff@example.test",
    "an override of direction": "\u202eadmin@example.test",
    "a tag": "admin\U000e0061@example.test",
    "a Hangul filler": "admin\u3164@example.test",
    "a no-break space": "ad\u00a0min@example.test",
    "a backspace in quotes": '"adm\bin"@example.test',
    "quotes": '"admin"@example.test',
    "a Cyrillic letter in the domain": "admin@exаmple.test",
    "a full-width dot": "admin@example．test",
    "an ideographic dot": "admin@example\u3002test",
    "a zero-width letter in the domain": "admin@exam\u200cple.test",
    "a NUL": "admin\x00@example.test",
    "a line break": "admin@example.test\nadmin@evil.test",
    "two at signs": "admin@example.test@evil.test",
}


@pytest.fixture
def open_tenant(cast: Cast) -> Tenant:
    get_database()["tenants"].update_one({"_id": cast.acme.pk}, {"$set": {"registration": "open"}})
    return get_tenant(cast.acme.pk)


def test_no_second_account_looks_like_the_first(cast: Cast, open_tenant: Tenant) -> None:
    """At every way in, the field is named and nothing stored."""
    before = UserRepository(cast.acme.pk).count({})
    admin, number = api(cast.ada), 0
    for name, email in LOOK_ALIKES.items():
        asked = [
            api().post("/api/v1/auth/register", {"tenant": "acme", "email": email, "name": "X", "password": NEW}),
            admin.post("/api/v1/users", {"email": email, "name": "X"}),
            admin.patch(f"/api/v1/users/{cast.carl.pk}", {"email": email}),
        ]
        for answer in asked:
            assert answer.status_code == 400, (name, answer.content)
            assert answer.json()["errors"][0]["field"] == "email", name
        for call in (
            lambda email=email: create_user(actor_of(cast.ada), email=email, name="X"),
            lambda email=email: register_customer(open_tenant, email=email, name="X", password=NEW),
            lambda email=email: change_user(actor_of(cast.ada), cast.carl.pk, {"email": email}),
        ):
            with pytest.raises(InvalidInput) as error:
                call()
            assert error.value.errors[0].field == "email", name
        number += len(asked) + 3
    assert UserRepository(cast.acme.pk).count({}) == before
    tell("Sign-in", "look-alikes of an address that became an account", "0", "0", True, f"{number} attempts")


@pytest.mark.parametrize("email", ["ADMIN@EXAMPLE.TEST", " admin@example.test ", "Admin@Example.Test"])
def test_the_same_address_in_other_letters_is_the_same_account(cast: Cast, open_tenant: Tenant, email: str) -> None:
    assert email_key(email) == email_key(cast.ada.email)
    with pytest.raises(AlreadyExists):
        register_customer(open_tenant, email=email, name="X", password=NEW)
    assert sign_in(cast.acme, email, PASSWORD, HERE).pk == cast.ada.pk


def test_an_international_domain_is_written_in_its_own_form(cast: Cast) -> None:
    made = create_user(actor_of(cast.ada), email="nia@xn--mnchen-3ya.test", name="Nia")
    assert made.email == "nia@xn--mnchen-3ya.test"
    answer = api(cast.ada).post("/api/v1/users", {"email": "nia@m\u00fcnchen.test", "name": "Nia"})
    assert answer.status_code == 400
    assert "email" in answer.json()["detail"]


def test_a_look_alike_signs_in_to_nothing(cast: Cast) -> None:
    by_normalisation = {"a full-width letter", "a mathematical letter"}  # the same letters, by NFKC
    for name, email in LOOK_ALIKES.items():
        if name not in by_normalisation and email_key(email) != email_key(cast.ada.email):
            with pytest.raises((NotAuthenticated, LimitExceeded)):
                sign_in(cast.acme, email, PASSWORD, f"203.0.113.{len(email)}")
