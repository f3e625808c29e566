"""What MongoDB would take for a command is never more than a value that nothing has.

Wherever a request can say something (the API's own document tells where), operators and what looks like BSON are
answered as a plain unknown value is: the same status, the same rows.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import pytest
from rest_framework.test import APIClient

from tests.abuse.operations import UNKNOWN_ID, Operation, operations, places_in, replaced, writes
from tests.cast import Cast, actor_of, api
from tests.figures import tell
from ticketing.mongo.client import get_database
from tickets.services import open_ticket

pytestmark = pytest.mark.django_db

UNKNOWN = "zxunknown"
OPERATORS: list[Any] = [
    {"$gt": ""},
    {"$ne": None},
    {"$where": "sleep(1000)"},
    {"$oid": UNKNOWN_ID},
    [{"$ne": 1}],
    {"$expr": {"$function": {"body": "function() { return true }", "args": [], "lang": "js"}}},
]
TEXTS = [
    '{"$gt": ""}',
    '[{"$ne": null}]',
    "$where",
    "';return true;var a='",
    f'{{"$oid": "{UNKNOWN_ID}"}}',
    f"ObjectId('{UNKNOWN_ID}')",
    ".*",
    "$$ROOT",
]
SUFFIXES = ["[$ne]", "[$gt]", "[$regex]", "[$in][]", "__ne", "__regex", "__in", ".$ne"]
HEADERS = ("X-Tenant", "X-Request-Id", "Idempotency-Key", "If-Match", "If-None-Match", "Authorization", "Cookie")
HEADER_FORMS = {"Authorization": ("Bearer {}", "Api-Key tk_acme_{}"), "Cookie": ("sessionid={}", "csrftoken={}")}


@pytest.fixture
def admin(cast: Cast) -> APIClient:
    """An admin, who reaches everything, of a tenant with something to find."""
    open_ticket(actor_of(cast.carla), title="Printer on fire", description="It smokes")
    return api(cast.ada)


def told(answer: Any) -> tuple[Any, ...]:
    """What an answer gives away, without what repeats the question: its status, and how many rows there are."""
    assert answer.status_code < 500, answer.content
    if not str(answer.get("Content-Type", "")).endswith("json"):
        return (answer.status_code,)
    body = answer.json()
    rows = body.get("data")
    return answer.status_code, body.get("code"), len(rows) if isinstance(rows, list) else body.get("total")


def ask(client: APIClient, operation: Operation, url: str = "", body: Any = None, **headers: str) -> Any:
    meta = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    text = "" if body is None else json.dumps(body)
    return client.generic(operation.method, url or operation.url, text, content_type="application/json", **meta)


def test_in_the_query(admin: APIClient) -> None:
    asked = 0
    for operation in operations():
        for name in operation.parameters["query"]:
            plain = told(ask(admin, operation, f"{operation.url}?{name}={UNKNOWN}"))
            for text in TEXTS:
                found = told(ask(admin, operation, f"{operation.url}?{name}={quote(text)}"))
                assert found == plain or found[0] == 400, (operation, name)
            for suffix in SUFFIXES:
                answer = ask(admin, operation, f"{operation.url}?{quote(name + suffix)}=")
                assert answer.status_code in {400, 404}, (operation, name + suffix)
            asked += 1 + len(TEXTS) + len(SUFFIXES)
    tell("NoSQL injection", "requests with operators in the query", f"{asked:,}")


def test_in_the_path(admin: APIClient) -> None:
    for operation in operations():
        if operation.parameters["path"]:
            plain = told(ask(admin, operation, operation.path_with(UNKNOWN), operation.example))
            for text in TEXTS:
                url = operation.path_with(quote(text, safe=""))
                assert told(ask(admin, operation, url, operation.example)) == plain, operation


def test_in_bodies_at_any_depth(admin: APIClient) -> None:
    before = _counts()
    asked = 0
    for operation in writes():
        assert operation.example is not None
        bodies = [{**operation.example, name: {}} for name in ("$set", "$where", "tenant_id", "a.$ne", "__proto__")]
        for place in places_in(operation.example):
            bodies += [replaced(operation.example, place, operator) for operator in OPERATORS]
        for body in bodies:
            answer = ask(admin, operation, body=body)
            assert 400 <= answer.status_code < 500, (operation, body, answer.content)
        asked += len(bodies)
    assert _counts() == before
    tell("NoSQL injection", "requests with operators in the body", f"{asked:,}")


@pytest.mark.parametrize("text", TEXTS)
def test_in_texts_that_are_looked_up(cast: Cast, text: str) -> None:
    """A text stays a text: no account has that address, no tenant that name."""
    for member in ("tenant", "email", "password"):
        body = {"tenant": "acme", "email": "admin@example.test", "password": "x"} | {member: text}
        assert api().post("/api/v1/auth/login", body).status_code == 401
    assert api().post("/api/v1/auth/refresh", {"refresh": text}).status_code == 401


@pytest.mark.parametrize("name", HEADERS)
def test_in_headers(cast: Cast, name: str) -> None:
    signed_in = api(cast.ada)
    for form in HEADER_FORMS.get(name, ("{}",)):
        for operation in operations():
            if (
                operation.method in {"GET", "POST", "PATCH"}
                and not operation.parameters["path"]
                and not is_once(operation)
            ):
                client = api() if name in HEADER_FORMS else signed_in
                body = None if operation.example is None else {}
                plain = told(ask(client, operation, body=body, **{name: form.format(UNKNOWN)}))
                for text in TEXTS[:5]:
                    found = told(ask(client, operation, body=body, **{name: form.format(text)}))
                    assert found == plain, (operation, name, text)


def is_once(operation: Operation) -> bool:
    """Whether a second time is answered differently, whatever it says."""
    return str(operation) in {"POST /api/v1/auth/logout-all", "POST /api/v1/exports"}


def _counts() -> Mapping[str, int]:
    names = ("tickets", "comments", "users", "teams", "api_keys", "legal_holds", "uploads")
    return {name: get_database()[name].count_documents({}) for name in names}
