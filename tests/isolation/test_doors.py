"""Tokens, keys and sessions open their own tenant's door only, and none once the tenant or the account has ended."""

import json
import re
from typing import Any

import pytest

from accounts.services import deactivate_user
from accounts.sessions import AccessToken, open_session
from tenants.services import suspend_tenant
from tests.cast import actor_of
from tests.isolation.answers import ask, difference, leak
from tests.isolation.registry import known_api
from tests.isolation.registry_console import known_page
from tests.isolation.routes import Route, api_routes, console_routes
from tests.isolation.test_api import Walked
from tests.isolation.world import MISSING, Credentials, World
from ticketing.mongo.client import get_database

pytestmark = pytest.mark.django_db
CREDENTIALS = ("user", "agent", "admin", "key")


@pytest.fixture(autouse=True)
def _hosts(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]


@pytest.mark.parametrize("who", CREDENTIALS)
@pytest.mark.parametrize(
    "door",
    [{"HTTP_X_TENANT": "globex"}, {"HTTP_HOST": "globex.localhost"}, {"HTTP_HOST": "help.globex.test"}],
    ids=["header", "platform host", "own host"],
)
def test_nothing_of_acme_opens_a_door_of_globex(world: World, walked: Walked, who: str, door: Credentials) -> None:
    _check_refused(world, walked, {**world.api[who], **door})


@pytest.mark.parametrize("who", ["user", "agent", "admin"])
@pytest.mark.parametrize("host", ["globex.localhost", "help.globex.test"])
def test_a_session_of_acme_is_none_on_a_host_of_globex(world: World, walked: Walked, who: str, host: str) -> None:
    credentials = {**world.console[who], "HTTP_HOST": host}
    _check_refused(world, walked, credentials)
    assert "/console/login/" in ask(credentials, "GET", "/console/").headers["Location"]


@pytest.mark.parametrize("who", ["user", "agent", "admin"])
def test_a_session_of_acme_does_not_act_for_globex_by_header(world: World, walked: Walked, who: str) -> None:
    _check_refused(world, walked, {**world.console[who], "HTTP_X_TENANT": "globex"})


def test_no_page_of_the_console_knows_a_session_of_another_host(world: World, walked: Walked) -> None:
    """Each page leads to the sign-in, or says what it says to anybody."""
    asked, faults = 0, []
    for route in console_routes():
        page = known_page(route)
        if page.post_only:
            continue
        url = route.url(*page.arguments(world.foreign))
        host = {"HTTP_HOST": "globex.localhost"}
        anybody = ask(host, "GET", url)
        for role in ("agent", "admin"):
            answer = ask({**world.console[role], **host}, "GET", url)
            asked += 1
            same = (answer.status, answer.headers.get("Location")) == (anybody.status, anybody.headers.get("Location"))
            if not same or re.search("Amir|Ada|zxacme", answer.body):
                faults.append(f"{url} as {role}: {answer.status}, and {anybody.status} to anybody")
    walked(asked, "console pages at another tenant's host")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("who", CREDENTIALS)
def test_the_right_doors_stay_open(world: World, who: str) -> None:
    for door in ({}, {"HTTP_X_TENANT": "acme"}, {"HTTP_HOST": "acme.localhost"}, {"HTTP_HOST": "elsewhere.test"}):
        assert ask({**world.api[who], **door}, "GET", "/api/v1/tickets").status == 200, door


@pytest.mark.parametrize("who", CREDENTIALS)
def test_a_suspended_tenant_lets_nobody_in(world: World, walked: Walked, who: str) -> None:
    suspend_tenant(world.cast.acme, by="tests")
    _check_refused(world, walked, world.api[who])
    if who in world.console:
        _check_refused(world, walked, world.console[who])


@pytest.mark.parametrize(("who", "person"), [("user", "carla"), ("agent", "amir")])
def test_a_deactivated_account_gets_nowhere(world: World, walked: Walked, who: str, person: str) -> None:
    deactivate_user(actor_of(world.cast.ada), getattr(world.cast, person).pk)
    _check_refused(world, walked, world.api[who])
    _check_refused(world, walked, world.console[who])


def test_a_key_ends_with_its_owner(world: World, walked: Walked) -> None:
    get_database()["users"].update_one({"_id": world.cast.ada.pk}, {"$set": {"is_active": False}})
    _check_refused(world, walked, world.api["key"])


@pytest.mark.parametrize("claim", ["sub", "tenant", "sid"])
def test_a_token_is_not_believed_about_another_tenant(world: World, walked: Walked, claim: str) -> None:
    """Even with our signature: account, tenant and sign-in have to belong together."""
    [own, foreign] = [AccessToken(open_session(user).access) for user in (world.cast.carla, world.cast.greta)]
    own[claim] = foreign[claim]
    _check_refused(world, walked, {"HTTP_AUTHORIZATION": f"Bearer {own}"})


def test_an_upload_of_another_tenant_needs_its_own_token(world: World) -> None:
    """The token of an upload is good for that one; with it, another's is answered as one that never was."""
    announced = {"name": "new.txt", "size": 6, "content_type": "text/plain"}
    made = ask(world.api["user"], "POST", f"/api/v1/tickets/{world.own.ticket}/uploads", announced)
    address = json.loads(made.body)["url"]
    [own] = re.findall(r"/uploads/([0-9a-f]{24})", address)
    query = address.partition("?")[2]
    answers = [ask({}, "PUT", f"/api/v1/uploads/{ids.upload}?{query}", "a file") for ids in (world.foreign, MISSING)]
    assert [answer.status for answer in answers] == [403, 403]
    assert not difference(answers[0], world.foreign, answers[1], MISSING)
    assert not any(answer.written for answer in answers)
    # And what was announced here completes nothing there.
    there = f"/api/v1/tickets/{world.foreign.ticket}/attachments"
    taken, missing = [ask(world.foreign_admin, "POST", there, {"upload_id": id_}) for id_ in (own, MISSING.upload)]
    assert (taken.status, taken.written) == (missing.status, frozenset())


def test_a_key_with_another_tenants_name_is_unknown(world: World, walked: Walked) -> None:
    renamed = world.api["key"]["HTTP_AUTHORIZATION"].replace("tk_acme_", "tk_globex_")
    _check_refused(world, walked, {"HTTP_AUTHORIZATION": renamed})


def _check_refused(world: World, walked: Walked, credentials: Credentials) -> None:
    """401 for every route and method that is not for everybody, and not a word about the tenant whose door it is."""
    faults = []
    asked = 0
    for route, method in _closed_routes():
        known = known_api(route)
        url = route.url(*known.arguments(world.own)[0])
        answer = ask(credentials, method, url, known.bodies[method][0](world.own))
        asked += 1
        if answer.status != 401:
            faults.append(f"{method} {url}: {answer.status} {answer.body[:200]}")
        if found := leak(answer, world.secrets, *credentials.values()):
            faults.append(f"{method} {url}: leaks …{found}…")
    walked(asked, "requests at closed doors")
    assert asked
    assert not faults, "\n".join(faults)


def _closed_routes() -> list[tuple[Route, str]]:
    return [
        (route, method) for route in api_routes() if route.view and not route.view.public for method in route.methods
    ]
