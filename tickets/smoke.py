"""Works a served platform once from the outside, as a customer's integration would: the smoke test after a deployment.

It speaks HTTP alone, so it needs neither the database nor the settings of what it looks at.
"""

import http.client
import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ticketing.errors import InvalidInput

MISSING_ID = "0" * 24
PAUSE_SECONDS = 0.5
OnStep = Callable[[str], None]


class SmokeFailed(Exception):
    """What was expected and what was seen, in one line, without any credential."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """An account of a tenant; its password is not shown when this is printed."""

    tenant: str
    email: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """``body`` is the decoded JSON, None where there was none."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Tokens:
    """Of one sign-in."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)


@dataclass(slots=True)
class Site:
    """A served platform: ``url`` is its root (a stage's prefix included), ``seconds`` how long one answer may take."""

    url: str
    seconds: float = 30

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise InvalidInput.of("url", "The address starts with http:// or https://")
        self.url = self.url.rstrip("/")

    def call(self, method: str, path: str, body: Any = None, *, token: str = "", **headers: str) -> Answer:
        """Any answer, also one that is an error. Raises SmokeFailed when there is none."""
        sent = {"Accept": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None:
            sent["Content-Type"] = "application/json"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, sent, method=method)  # noqa: S310 - checked above
        try:
            with urllib.request.urlopen(request, timeout=self.seconds) as response:  # nosec B310 # noqa: S310
                return _answer(response)
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error)
        except (OSError, http.client.HTTPException) as error:
            raise SmokeFailed(f"{method} {path} was not answered: {error}") from None

    def expect(self, status: int, method: str, path: str, body: Any = None, **sent: str) -> Answer:
        """The answer, which must have this status. Raises SmokeFailed."""
        answer = self.call(method, path, body, **sent)
        if answer.status != status:
            raise SmokeFailed(f"{method} {path}: expected {status}, got {answer.status} {_reason(answer)}")
        return answer


def smoke(site: Site, ours: SignIn, other: SignIn | None = None, *, wait: float = 30, tell: OnStep = print) -> None:
    """Signs in, opens a ticket, comments, reads, tries to see it from elsewhere, and cleans up.

    ``wait``: for how many seconds the platform may not be ready yet. ``other`` is an account of another tenant, which
    must not see the ticket. Raises SmokeFailed at the first surprise; the ticket is resolved and the sign-ins are
    ended all the same.
    """
    _wait_until_ready(site, wait)
    tell("ready")
    tokens = _sign_in(site, ours)
    token = tokens.access
    tell(f"signed in to {ours.tenant}")
    number: int | None = None
    try:
        key = uuid.uuid4().hex
        opened = _open_ticket(site, token, key)
        ticket, number = opened.body, opened.body["number"]
        _expect_once(opened, _open_ticket(site, token, key))
        tell(f"opened ticket {number}, and once only when asked twice")
        _comment(site, token, ticket)
        tell("commented, and read both back")
        _probe_isolation(site, ticket, other)
        tell("nobody else sees it" + (f", {other.tenant} included" if other else ""))
    finally:
        with suppress(SmokeFailed):  # the first failure is the one to tell
            _clean_up(site, tokens, number)
    _expect_cleaned_up(site, ours, token, number)
    tell("cleaned up: the ticket is resolved, the sign-in has ended")


def _wait_until_ready(site: Site, wait: float) -> None:
    deadline = time.monotonic() + wait
    while True:
        try:
            site.expect(200, "GET", "/healthz")
            site.expect(200, "GET", "/readyz")
            return
        except SmokeFailed:
            if time.monotonic() >= deadline:
                raise
            time.sleep(PAUSE_SECONDS)


def _sign_in(site: Site, who: SignIn) -> Tokens:
    given = {"tenant": who.tenant, "email": who.email, "password": who.password}
    answer = site.expect(200, "POST", "/api/v1/auth/login", given).body
    return Tokens(answer["access"], answer["refresh"])


def _sign_out(site: Site, tokens: Tokens) -> None:
    site.expect(204, "POST", "/api/v1/auth/logout", {"refresh": tokens.refresh})


def _open_ticket(site: Site, token: str, key: str) -> Answer:
    given = {"title": f"Smoke test {key}", "description": "Opened and resolved by the smoke test."}
    return site.expect(201, "POST", "/api/v1/tickets", given, token=token, Idempotency_Key=key)


def _expect_once(first: Answer, again: Answer) -> None:
    if again.body["id"] != first.body["id"] or again.headers.get("idempotent-replay") != "true":
        raise SmokeFailed("POST /api/v1/tickets: the same Idempotency-Key opened a second ticket")


def _comment(site: Site, token: str, ticket: Mapping[str, Any]) -> None:
    path = f"/api/v1/tickets/{ticket['id']}"
    comment = site.expect(201, "POST", f"{path}/comments", {"body": "It is being looked at."}, token=token).body
    read = site.expect(200, "GET", f"{path}?include=comments", token=token).body
    if read["title"] != ticket["title"] or comment["id"] not in [each["id"] for each in read["comments"]["data"]]:
        raise SmokeFailed(f"GET {path}: the ticket does not show what was written to it")


def _probe_isolation(site: Site, ticket: Mapping[str, Any], other: SignIn | None) -> None:
    path = f"/api/v1/tickets/{ticket['id']}"
    site.expect(401, "GET", path)
    site.expect(401, "GET", path, token="not.a.token")  # nosec B106 # noqa: S106 - on purpose
    if other is None:
        return
    tokens = _sign_in(site, other)
    token = tokens.access
    try:
        for below in ("", "/comments", "/attachments"):
            foreign = site.expect(404, "GET", path + below, token=token)
            missing = site.expect(404, "GET", f"/api/v1/tickets/{MISSING_ID}{below}", token=token)
            if _without_request(foreign.body) != _without_request(missing.body):
                raise SmokeFailed(f"GET {path}{below}: another tenant's ticket answers unlike a missing one")
        word = ticket["title"].split()[-1]
        if site.expect(200, "GET", f"/api/v1/tickets?q={word}", token=token).body["data"]:
            raise SmokeFailed(f"GET /api/v1/tickets: {other.tenant} finds a ticket of another tenant")
    finally:
        _sign_out(site, tokens)


def _clean_up(site: Site, tokens: Tokens, number: int | None) -> None:
    if number is not None:
        site.call("PATCH", f"/api/v1/tickets/{number}", {"status": "resolved"}, token=tokens.access)
    _sign_out(site, tokens)


def _expect_cleaned_up(site: Site, ours: SignIn, token: str, number: int | None) -> None:
    site.expect(401, "GET", "/api/v1/auth/me", token=token)
    again = _sign_in(site, ours)
    status = site.expect(200, "GET", f"/api/v1/tickets/{number}", token=again.access).body["status"]
    _sign_out(site, again)
    if status != "resolved":
        raise SmokeFailed(f"PATCH /api/v1/tickets/{number}: expected the ticket to be resolved, it is {status}")


def _answer(response: Any) -> Answer:
    raw = response.read()
    try:
        body = json.loads(raw) if raw else None
    except ValueError:
        body = None
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status, headers, body)


def _reason(answer: Answer) -> str:
    if not isinstance(answer.body, dict):
        return "without a problem document"
    return f"{answer.body.get('code', '')} {answer.body.get('detail', '')}".strip()


def _without_request(body: Any) -> Any:
    return {name: value for name, value in body.items() if name != "request_id"} if isinstance(body, dict) else body
