"""Other web sites: their forms write nothing here, our links and redirects do not lead there, cookies stay with us."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client

from tests.cast import PASSWORD
from tests.figures import tell
from tests.isolation.answers import Answer, ask
from tests.isolation.registry import known_api
from tests.isolation.registry_console import known_page
from tests.isolation.routes import api_routes, console_routes
from tests.isolation.world import World

pytestmark = pytest.mark.django_db
EVIL = "evil.test"
LOGIN = "/console/login/"
_REFUSED_FORM = re.compile("CSRF|form is no longer valid")
WRITES = ("POST", "PUT", "PATCH", "DELETE")


# --- Forms of other sites ---------------------------------------------------------------------------------------------
def _writes(world: World) -> Iterator[tuple[str, str, Any, str]]:
    """Every form of the console and every write that a session signs in for: method, URL, body and role."""
    for route in console_routes():
        page = known_page(route)
        role = next(iter(page.roles), "admin")
        for form in page.kinds(world.own)[:1] or [lambda ids: {}]:
            yield "POST", route.url(*page.arguments(world.own)), form(world.own), role if role != "nobody" else "admin"
    for route in api_routes():
        if route.view and route.view.authentication_classes:
            known = known_api(route)
            for method in sorted(route.methods & {*WRITES}):
                body = known.bodies[method][0](world.own_of("admin"))
                yield method, route.url(*known.arguments(world.own_of("admin"))[0]), body, "admin"


FORGERIES: dict[str, Mapping[str, str]] = {
    "no token": {},
    "another browser's token": {"HTTP_X_CSRFTOKEN": "b" * 32, "cookie": "csrftoken=" + "c" * 32},
    "a token in the address": {"query": "csrfmiddlewaretoken=" + "c" * 32, "cookie": "csrftoken=" + "c" * 32},
    "another site": {"HTTP_X_CSRFTOKEN": "c" * 32, "cookie": "csrftoken=" + "c" * 32, "HTTP_ORIGIN": f"https://{EVIL}"},
}


def test_no_form_of_another_site_writes(world: World) -> None:
    faults, number = [], 0
    for method, url, body, role in _writes(world):
        form = url.startswith("/console/")
        for name, forgery in FORGERIES.items():
            cookie = "; ".join(filter(None, [world.console[role]["HTTP_COOKIE"], forgery.get("cookie", "")]))
            headers = {key: value for key, value in forgery.items() if key.startswith("HTTP_")}
            address = f"{url}?{forgery['query']}" if "query" in forgery else url
            answer = ask({"HTTP_COOKIE": cookie}, method, address, body, form=form, csrf=True, **headers)
            number += 1
            if answer.status != 403 or not _REFUSED_FORM.search(answer.body) or answer.written:
                faults.append(f"{name}: {method} {address} as {role}: {answer.status}, wrote {set(answer.written)}")
                world.snapshot.undo(answer.written)
    how = f"{number:,} requests: {len(FORGERIES)} forgeries of every console form and every write of the API by session"
    tell("Sign-in", "forms of other sites that were taken", str(len(faults)), "0", not faults, how)
    assert not faults, "\n".join(faults)


def test_the_same_request_is_taken_with_its_token(world: World) -> None:
    """Or the test above would prove nothing."""
    good = {"HTTP_COOKIE": world.console["admin"]["HTTP_COOKIE"] + "; csrftoken=" + "c" * 32}
    more = {"HTTP_X_CSRFTOKEN": "c" * 32, "HTTP_ORIGIN": "http://testserver"}
    assert ask(good, "PATCH", "/api/v1/auth/me", {"name": "Ada L."}, csrf=True, **more).status == 200


# --- Host names -------------------------------------------------------------------------------------------------------
NOT_OURS = [
    EVIL,
    f"acme.localhost.{EVIL}",
    f"acme.localhost@{EVIL}",
    f"{EVIL}#acme.localhost",
    f"{EVIL}/acme.localhost",
    f"acme.localhost:80@{EVIL}",
    f"acme.localhost:{EVIL}",
    "acme.localhost\\." + EVIL,
    f"acme.localhost, {EVIL}",
    "аcme.localhost",  # a Cyrillic letter
    "[::1]." + EVIL,
    "",
]
SAID_BY_PROXIES = {
    "HTTP_X_FORWARDED_HOST": EVIL,
    "HTTP_X_HOST": EVIL,
    "HTTP_X_FORWARDED_SERVER": EVIL,
    "HTTP_FORWARDED": f"host={EVIL};proto=https",
    "HTTP_X_ORIGINAL_URL": f"https://{EVIL}/",
    "HTTP_X_REWRITE_URL": f"https://{EVIL}/",
    "HTTP_X_FORWARDED_PREFIX": f"//{EVIL}",
    "HTTP_X_SCRIPT_NAME": f"//{EVIL}",
    "HTTP_X_FORWARDED_PROTO": "javascript",
    "HTTP_REFERER": f"https://{EVIL}/",
    "HTTP_X_HTTP_METHOD_OVERRIDE": "DELETE",
}


def test_no_host_name_but_ours_is_answered(world: World) -> None:
    faults, number = [], 0
    for credentials, url in _pages(world):
        for host in NOT_OURS[:1] if "?" in url else NOT_OURS:
            answer = ask(credentials, "GET", url, HTTP_HOST=host)
            number += 1
            probe = re.search(django_settings.PROBES, url.lstrip("/"))
            if (answer.status != 400 and not probe) or EVIL in answer.whole:
                faults.append(f"{url} at {host!r}: {answer.status} {answer.headers.get('Location', '')}")
    tell(
        "Sign-in", "answers to host names that are not ours", str(len(faults)), "0", not faults, f"{number:,} requests"
    )
    assert not faults, "\n".join(faults)


def test_headers_that_name_another_host_change_no_answer(world: World) -> None:
    """Links, `Location` and absolute addresses are made of the host name that was asked alone."""
    faults, number = [], 0
    for credentials, url in _pages(world):
        answer = ask(credentials, "GET", url, HTTP_HOST="acme.localhost", **SAID_BY_PROXIES)
        number += 1
        if EVIL in answer.whole:
            faults.append(f"GET {url}: {answer.headers.get('Location', '')}")
    for method, url, body, role in _writes(world):
        who = world.console[role] if url.startswith("/console/") else world.api["admin"]
        is_form = url.startswith("/console/")
        answer = ask(who, method, url, body, form=is_form, HTTP_HOST="acme.localhost", **SAID_BY_PROXIES)
        number += 1
        if answer.written:
            world.snapshot.undo(answer.written)
        if EVIL in answer.whole:
            faults.append(f"{method} {url}: {answer.headers.get('Location', '')}")
    how = f"{number:,} requests with {len(SAID_BY_PROXIES)} headers"
    tell("Sign-in", "answers that name a host of a forwarded header", str(len(faults)), "0", not faults, how)
    assert not faults, "\n".join(faults)


def _pages(world: World) -> Iterator[tuple[Mapping[str, str], str]]:
    for route in api_routes():
        if "GET" in known_api(route).bodies:
            yield world.api["admin"], route.url(*known_api(route).arguments(world.own)[0])
    for route in console_routes():
        page = known_page(route)
        if not page.post_only:
            yield world.console["admin"], route.url(*page.arguments(world.own))


# --- Ways out ---------------------------------------------------------------------------------------------------------
ELSEWHERE = [
    f"https://{EVIL}",
    f"//{EVIL}",
    f"///{EVIL}",
    f"////{EVIL}",
    f"/\\{EVIL}",
    f"\\\\{EVIL}",
    f"\\/{EVIL}",
    f"/\t/{EVIL}",
    f"\t//{EVIL}",
    f" //{EVIL}",
    f"\n//{EVIL}",
    f"/%09/{EVIL}",
    f"/%2F{EVIL}",
    f"/\x00/{EVIL}",
    f"https:{EVIL}",
    f"https:/{EVIL}",
    f"http:///{EVIL}",
    f"https://acme.localhost.{EVIL}",
    f"https://acme.localhost@{EVIL}",
    f"https://{EVIL}\\@acme.localhost",
    f"https://{EVIL}#@acme.localhost",
    f"//acme.localhost\\@{EVIL}",
    f"／／{EVIL}",  # full-width
    f"⁄⁄{EVIL}",
    f"//{EVIL}\u3002com",
    f"\u2028//{EVIL}",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "\x01javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    f"ftp://{EVIL}",
    "[::1",
    f"http://[{EVIL}]",
]


def test_no_next_leads_elsewhere(world: World) -> None:
    """As parameter and as field, at the sign-in and the sign-out and at every other page and form."""
    user = {"username": "admin@example.test", "password": PASSWORD}
    signed_in = world.console["admin"]
    faults, number = [], 0
    for target in ELSEWHERE:
        asked = [
            ask({}, "POST", LOGIN, {**user, "next": target}, form=True, HTTP_HOST="acme.localhost"),
            ask({}, "POST", _with_next(LOGIN, target), user, form=True, HTTP_HOST="acme.localhost"),
            ask(signed_in, "GET", _with_next(LOGIN, target), HTTP_HOST="acme.localhost"),
            ask({}, "GET", _with_next("/console/", target), HTTP_HOST="acme.localhost"),
            ask(signed_in, "POST", "/console/logout/", {"next": target}, form=True, HTTP_HOST="acme.localhost"),
        ]
        world.snapshot.undo({"django_session", "users"})
        faults += [f"{target!r}: {found}" for answer in asked if (found := _way_out(answer))]
        number += len(asked)
    for method, url, body, role in _writes(world):
        if url.startswith("/console/") and method == "POST":
            more = {"next": f"//{EVIL}", "_popup": "1", "return_to": f"//{EVIL}", "_changelist_filters": f"//{EVIL}"}
            answer = ask(world.console[role], "POST", _with_next(url, f"//{EVIL}"), {**more, **body}, form=True)
            number += 1
            if answer.written:
                world.snapshot.undo(answer.written)
            faults += [f"{url}: {found}" for found in [_way_out(answer)] if found]
    for credentials, url in _pages(world):
        answer = ask(credentials, "GET", _with_next(url, f"//{EVIL}"))
        number += 1
        faults += [f"{url}: {found}" for found in [_way_out(answer)] if found]
    tell("Sign-in", "redirects to elsewhere", str(len(faults)), "0", not faults, f"{number:,} requests")
    assert not faults, "\n".join(faults)


def _with_next(url: str, target: str) -> str:
    return f"{url}?{urlencode({'next': target})}"


def _way_out(answer: Answer) -> str:
    """Where a browser would go, if that is not ours. It reads `\\` as `/`, and leaves out what cannot be seen."""
    location = answer.headers.get("Location", "")
    seen = re.sub(r"[\t\r\n]", "", location.replace("\\", "/")).strip("".join(map(chr, range(33))))
    target = urlsplit(urljoin("http://acme.localhost/console/", seen))
    is_ours = target.scheme == "http" and target.hostname in {"acme.localhost", "testserver"}
    return "" if not location or is_ours else location


# --- Cookies ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("https", [True, False])
def test_cookies_stay_with_us(world: World, settings: Any, https: bool) -> None:
    """With the settings that HTTPS=true makes, and with those of a laptop."""
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = https
    browser = Client(headers={"host": "acme.localhost"})
    browser.get(LOGIN)
    browser.post(LOGIN, {"username": "admin@example.test", "password": PASSWORD})
    browser.post("/console/profile/", {"version": "no number"})
    cookies = {name: dict(morsel) for name, morsel in browser.cookies.items()}
    assert cookies.keys() >= {"sessionid", "csrftoken"}
    for name, flags in cookies.items():
        assert (flags["path"], flags["domain"], flags["samesite"]) == ("/", "", "Lax"), name
        assert bool(flags["secure"]) == https, name
        # Scripts of our own read the token that they send along; nothing else is for scripts.
        assert bool(flags["httponly"]) == (name != "csrftoken"), name


def test_a_session_has_a_new_name_after_sign_in_and_none_after_sign_out(world: World) -> None:
    """Fixation: what an attacker has planted before, or keeps from before, is nobody's session."""
    browser = Client(headers={"host": "acme.localhost"})
    planted = _planted()
    browser.cookies[django_settings.SESSION_COOKIE_NAME] = planted
    browser.post(LOGIN, {"username": "admin@example.test", "password": PASSWORD})
    mine = browser.cookies[django_settings.SESSION_COOKIE_NAME].value
    assert mine not in ("", planted, "made-up")
    assert _name_at({planted: "planted", mine: "mine"}) == {"planted": 302, "mine": 200}
    browser.post(LOGIN, {"username": "agent@example.test", "password": PASSWORD})
    other = browser.cookies[django_settings.SESSION_COOKIE_NAME].value
    assert _name_at({mine: "mine", other: "other"}) == {"mine": 302, "other": 200}
    browser.post("/console/logout/")
    assert _name_at({other: "other"}) == {"other": 302}


def test_a_planted_session_brings_nothing_along(world: World) -> None:
    """What was put into an anonymous session does not make the person an operator or of another tenant."""
    browser = Client(headers={"host": "acme.localhost"})
    planted = _planted(tenant_id=world.foreign.tenant, entered_tenant_id=world.foreign.tenant)
    browser.cookies[django_settings.SESSION_COOKIE_NAME] = planted
    browser.post(LOGIN, {"username": "admin@example.test", "password": PASSWORD})
    assert browser.get("/api/v1/auth/me").json()["id"] == str(world.cast.ada.pk)


def _planted(**data: str) -> str:
    session = SessionStore()
    session.update({"planted": "yes", **data})
    session.save()
    return str(session.session_key)


def _name_at(keys: Mapping[str, str]) -> dict[str, int]:
    """How the console answers to each session."""
    name = django_settings.SESSION_COOKIE_NAME
    host = "acme.localhost"
    return {
        of: ask({"HTTP_COOKIE": f"{name}={key}"}, "GET", "/console/", HTTP_HOST=host).status for key, of in keys.items()
    }
