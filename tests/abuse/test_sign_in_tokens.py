"""Tokens that are not ours, not any more, not yet or not for this: all refused in the same words."""

import base64
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings as django_settings

from accounts.keys import create_api_key, revoke_api_key
from accounts.passwords import change_password
from accounts.services import deactivate_user
from accounts.sessions import AccessToken, Tokens, end_all_sessions, end_session, open_session
from accounts.signatures import RotatingBackend
from tenants.services import suspend_tenant
from tests.cast import PASSWORD, Cast, actor_of, api
from tests.figures import tell
from ticketing import clock
from ticketing.mongo.client import get_database

pytestmark = pytest.mark.django_db

OURS = str(django_settings.SIMPLE_JWT["SIGNING_KEY"])
REQUESTS = (("GET", "/api/v1/auth/me", None), ("GET", "/api/v1/tickets", None), ("POST", "/api/v1/tickets", {}))
HOUR = timedelta(hours=1)


def _refusal(authorization: str, method: str, url: str, body: Any) -> tuple[Any, ...]:
    answer = api().generic(
        method, url, json.dumps(body), content_type="application/json", HTTP_AUTHORIZATION=authorization
    )
    told = {name: value for name, value in answer.json().items() if name != "request_id"}
    return answer.status_code, answer["Content-Type"], answer.get("WWW-Authenticate"), json.dumps(told, sort_keys=True)


def _check_all_alike(tokens: dict[str, str], scheme: str = "Bearer") -> None:
    """Each at each request: 401, a problem document, and nothing that tells one fault from another."""
    refusals = {
        (name, *request[:2]): _refusal(f"{scheme} {token}", *request)
        for name, token in tokens.items()
        for request in REQUESTS
    }
    usual, _ = Counter(refusals.values()).most_common(1)[0]
    assert usual[:2] == (401, "application/problem+json")
    assert {each: refusal for each, refusal in refusals.items() if refusal != usual} == {}


def _claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def _signed(payload: Any, key: str = OURS, **header: Any) -> str:
    """A token with any header and any payload, with HMAC-SHA-256 of the key whatever the header says."""

    def part(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    head = json.dumps({"alg": "HS256", "typ": "JWT", **header}).encode()
    said = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    text = f"{part(head)}.{part(said)}"
    return f"{text}.{part(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest())}"


def _forged(cast: Cast) -> dict[str, str]:
    """Made by somebody who has a good token and everything that is public, but not our key."""
    tokens = open_session(cast.ada)
    good = _claims(tokens.access)
    head, body, signature = tokens.access.split(".")
    globex = good | {"tenant": str(cast.globex.pk)}
    other = _signed(globex).split(".")[1]
    deep = base64.urlsafe_b64encode(b"[" * 5000).rstrip(b"=").decode()
    return {
        "another key": _signed(good, "k" * 64),
        "another tenant, another key": _signed(globex, "k" * 64),
        "another tenant, the old signature": f"{head}.{other}.{signature}",
        "no signature": f"{head}.{body}.",
        "half a signature": f"{head}.{body}.{signature[:20]}",
        "a longer signature": f"{head}.{body}.{signature}AAAA",
        "another's signature": f"{head}.{body}.{open_session(cast.gina).access.split('.')[2]}",
        "alg=none": jwt.encode(good, "", "none"),
        "alg=None": _signed(good, "", alg="None"),
        "alg=NONE without a signature": _signed(good, "", alg="NONE").rsplit(".", 1)[0] + ".",
        "alg is missing": _signed(good, "k" * 64, alg=None),
        "alg is a list": _signed(good, "k" * 64, alg=["HS256"]),
        "alg=RS256 with a public value as key": _signed(good, django_settings.SIMPLE_JWT["ISSUER"], alg="RS256"),
        "the issuer as key": _signed(good, django_settings.SIMPLE_JWT["ISSUER"]),
        "the tenant as key": _signed(good, str(cast.acme.pk)),
        "an empty key": _signed(good, ""),
        "its own key along": _signed(good, "k" * 64, jwk={"kty": "oct", "k": "a" * 86}, kid="../../dev/null"),
        "an address of its key": _signed(good, "k" * 64, jku="https://evil.test/jwks.json", x5u="file:///dev/null"),
        "an extension that counts": _signed(good, "k" * 64, crit=["exp"], b64=False),
        "a refresh token": tokens.refresh,
        "twice": f"{tokens.access}.{tokens.access}",
        "encrypted": f"{tokens.access}..",
        "without dots": body,
        "only dots": "..",
        "deep": f"{deep}.{deep}.{signature}",
        "huge": f"{head}.{'A' * 2_000_000}.{signature}",
        "a huge header": f"{'A' * 2_000_000}.{body}.{signature}",
        "no JSON": f"{base64.urlsafe_b64encode(b'{').decode()}.{body}.{signature}",
        "no base64": f"§.{body}.{signature}",
        "two tokens": f"{tokens.access} {tokens.access}",
        "quoted": f'"{tokens.access}"',
        "nothing": "",
        "bytes of no text": "ÿ.ÿ.ÿ",
    }


def _wrong_claims(cast: Cast) -> dict[str, str]:
    """With our signature, as a mistake of ours might make them: what they say is checked nevertheless."""
    good = _claims(open_session(cast.ada).access)
    hour = int(HOUR.total_seconds())
    now = int(clock.now().timestamp())
    wrong: dict[str, list[Any]] = {
        "sub": [str(cast.amir.pk), "1", 5, None, True, {"$ne": None}, [str(cast.ada.pk)], "é", "0" * 5000],
        "tenant": [str(cast.globex.pk), None, {"$gt": ""}, 5, [], ""],
        "sid": [str(cast.ada.pk), None, {"$exists": True}, 5],
        "epoch": [7, -1, "0", None, 0.5, {"$gte": 0}, [0], 2**62],
        "exp": [now - hour, 0, -1, "soon", None, {}, 10**30, 1e400],
        "iat": [now + hour, "then", {}],
        "nbf": [now + hour, "then", {}],
        "iss": ["elsewhere", None, 5, ["ticketing", "elsewhere"]],
        "token_type": ["refresh", "sliding", "", None, {"$ne": ""}],
    }
    changed = {
        f"{name}={value!r:.40}": _signed(good | {name: value}) for name, values in wrong.items() for value in values
    }
    required = ("sub", "tenant", "sid", "epoch", "exp", "iss", "token_type", "jti")
    missing = {f"no {name}": _signed({key: good[key] for key in good if key != name}) for name in required}
    no_object = {f"payload {raw!r}": _signed(raw) for raw in (b"[]", b"null", b'"x"', b"5", b"", b"\xff", b"[" * 5000)}
    other_hash = {alg: jwt.encode(good, OURS, alg) for alg in ("HS384", "HS512")}
    return {**changed, **missing, **no_object, **other_hash}


@pytest.mark.filterwarnings("ignore:The HMAC key")
def test_forged_tokens_are_refused_alike(cast: Cast) -> None:
    tokens = _forged(cast) | _wrong_claims(cast) | _ended(cast)
    _check_all_alike(tokens)
    how = f"{len(tokens)} tokens × {len(REQUESTS)} requests, each answered 401 in the same words"
    tell("Sign-in", "tokens taken that are forged, altered, mistyped, expired or ended", "0", "0", True, how)


def _ended(cast: Cast) -> dict[str, str]:
    """Good ones once, each with what has ended it. The last of them ends everything at acme."""

    def after(user: Any, end: Callable[[Tokens], object]) -> str:
        tokens = open_session(user)
        end(tokens)
        return tokens.access

    return {
        "signed out": after(cast.ada, lambda tokens: end_session(tokens.refresh)),
        "signed out everywhere": after(cast.ada, lambda _: end_all_sessions(cast.ada, by="tests")),
        "another password": after(
            cast.carla, lambda _: change_password(cast.carla, PASSWORD, "another long sentence", address="192.0.2.9")
        ),
        "deactivated": after(cast.amir, lambda _: deactivate_user(actor_of(cast.ada), cast.amir.pk)),
        "the account is gone": after(cast.carl, lambda _: get_database()["users"].delete_one({"_id": cast.carl.pk})),
        "the tenant is suspended": after(cast.gina, lambda _: suspend_tenant(cast.globex, by="tests")),
        "expired": str(_expired(cast.ada)),
    }


def _expired(user: Any) -> AccessToken:
    token = AccessToken(open_session(user).access)
    token.set_exp(from_time=datetime.now(UTC) - 2 * HOUR, lifetime=HOUR)
    return token


def test_the_same_token_is_good_without_the_fault(cast: Cast) -> None:
    """Or the tests above would prove nothing: this is how they make and send them."""
    client = api()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {_signed(_claims(open_session(cast.ada).access))}")
    assert client.get("/api/v1/auth/me").status_code == 200


@pytest.mark.parametrize("path", ["refresh", "logout"])
def test_only_refresh_tokens_refresh_and_sign_out(cast: Cast, path: str) -> None:
    good = open_session(cast.ada)
    claims = _claims(good.refresh)
    wrong = {
        "an access token": good.access,
        "another key": _signed(claims, "k" * 64),
        "alg=none": jwt.encode(claims, "", "none"),
        "another tenant's": _signed(claims | {"tenant": str(cast.globex.pk)}, "k" * 64),
        "expired": _signed(claims | {"exp": 1}),
        "deep": base64.urlsafe_b64encode(b"[" * 3000).decode(),
        "garbage": "ÿ\u200b",
    }
    answers = {}
    for name, token in wrong.items():
        answer = api().post(f"/api/v1/auth/{path}", {"refresh": token})
        answers[name] = (answer.status_code, answer["Content-Type"], answer.json() | {"request_id": ""})
    assert {answer[:2] for answer in answers.values()} == {(401, "application/problem+json")}, answers
    assert len({str(answer) for answer in answers.values()}) == 1, answers
    assert api().post(f"/api/v1/auth/{path}", {"refresh": good.refresh}).status_code in (200, 204)


def test_a_key_that_is_no_fallback_any_more_counts_nothing(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Swapped keys: what each of three generations has signed, and a token whose header names another generation."""
    keys = [f"the key of generation {number}, which is long enough" for number in range(3)]
    good = _claims(open_session(cast.ada).access)
    monkeypatch.setattr(AccessToken, "_token_backend", RotatingBackend(keys[2], [keys[1]]))
    for number, expected in enumerate((401, 200, 200)):
        client = api()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {_signed(good, keys[number])}")
        assert client.get("/api/v1/auth/me").status_code == expected, number
    _check_all_alike({"the first": _signed(good, keys[0]), "named": _signed(good, keys[0], kid=keys[2])})


def test_api_keys_that_are_none_are_refused_alike(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = actor_of(cast.ada)
    revoked, secret = create_api_key(admin, name="Revoked", scopes=["tickets:read"])
    revoke_api_key(admin, revoked.pk)
    expiring, expired = create_api_key(admin, name="Old", scopes=["tickets:read"], expires_at=clock.now() + HOUR)
    get_database()["api_keys"].update_one({"_id": expiring.pk}, {"$set": {"expires_at": clock.now() - HOUR}})
    _, of_amir = create_api_key(admin, name="Amir's", scopes=["tickets:read"], owner_id=cast.amir.pk)
    deactivate_user(admin, cast.amir.pk)
    _, suspended = create_api_key(actor_of(cast.gina), name="Sync", scopes=["tickets:read"])
    suspend_tenant(cast.globex, by="tests")
    good = create_api_key(admin, name="Good", scopes=["tickets:read"])[1]
    wrong = {
        "revoked": secret,
        "expired": expired,
        "its owner is inactive": of_amir,
        "its tenant is suspended": suspended,
        "of another tenant": good.replace("tk_acme_", "tk_globex_"),
        "of no tenant": good.replace("tk_acme_", "tk_nowhere_"),
        "one letter more": f"{good}x",
        "one letter less": good[:-1],
        "in capitals": good.upper(),
        "its digest": hashlib.sha256(good.split("_", 2)[2].encode()).hexdigest(),
        "an operator of MongoDB": 'tk_acme_{"$gt": ""}',
        "huge": "tk_acme_" + "A" * 2_000_000,
        "a token": open_session(cast.ada).access,
        "nothing": "",
    }
    _check_all_alike(wrong, "Api-Key")
    how = f"{len(wrong)} keys × {len(REQUESTS)} requests, each answered 401 in the same words"
    tell("Sign-in", "API keys taken that are revoked, expired, altered or another tenant's", "0", "0", True, how)
    assert _taken(f"Api-Key {good}") == 200
    assert [_taken(f"{scheme} {good}") for scheme in ("Bearer", "Basic", "Token", "")] == [401] * 4


def _taken(authorization: str) -> int:
    client = api()
    client.credentials(HTTP_AUTHORIZATION=authorization)
    return int(client.get("/api/v1/tickets").status_code)
