"""Browser sessions: of one tenant, on its own host name, as long as the account stands; operators enter explicitly."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from accounts.actor import Via
from accounts.browser import enter_tenant, find_signed_in, keep_signed_in, leave_tenant
from accounts.middleware import ScopedAuthenticationMiddleware
from accounts.models import User
from accounts.passwords import change_password
from accounts.roles import Action, Role
from accounts.sessions import end_all_sessions
from tenants.models import AuditEntry
from tenants.services import suspend_tenant
from tests.cast import PASSWORD, Cast, api
from tests.recorded import recorded_commands
from ticketing.errors import Conflict, NotAllowed
from ticketing.mongo.scope import empty_scope, find_scope

pytestmark = pytest.mark.django_db
Session = import_module(settings.SESSION_ENGINE).SessionStore


def signed_in(user: User, host: str = "localhost") -> HttpRequest:
    """A request of a browser that has just signed in."""
    request = RequestFactory().get("/", headers={"Host": host})
    request.session = Session()
    request.user = AnonymousUser()
    login(request, user)
    request.session.save()
    return request


def next_request(before: HttpRequest, host: str = "localhost") -> HttpRequest:
    """The browser's next request, after the middleware."""
    before.session.save()
    request = RequestFactory().get("/", headers={"Host": host})
    request.COOKIES[settings.SESSION_COOKIE_NAME] = before.session.session_key
    request.session = Session(before.session.session_key)
    ScopedAuthenticationMiddleware(lambda _: HttpResponse()).process_request(request)
    return request


def test_a_session_acts_for_its_tenant(cast: Cast) -> None:
    request = next_request(signed_in(cast.ada))
    assert request.user.pk == cast.ada.pk
    assert (request.actor.tenant_id, request.actor.role, request.actor.via) == (cast.acme.pk, Role.ADMIN, Via.CONSOLE)
    assert find_scope().tenant_id == cast.acme.pk


def test_without_a_cookie_nothing_is_looked_up(db: None) -> None:
    request = RequestFactory().get("/")
    request.session = Session()
    with recorded_commands() as sent:
        ScopedAuthenticationMiddleware(lambda _: HttpResponse()).process_request(request)
    assert sent == []
    assert isinstance(request.user, AnonymousUser)
    assert request.actor is None
    assert find_scope() is None


@pytest.mark.parametrize("host", ["globex.localhost", "GLOBEX.localhost:8000"])
def test_on_another_tenants_host_name_nobody_is_signed_in(cast: Cast, host: str) -> None:
    before = signed_in(cast.ada, "acme.localhost")
    assert next_request(before, "acme.localhost").actor is not None
    with empty_scope():
        request = next_request(before, host)
        assert isinstance(request.user, AnonymousUser)
        assert request.actor is None
        assert find_scope() is None


def everywhere_signed_out(user: User) -> None:
    end_all_sessions(user, by=user.email)


def new_password(user: User) -> None:
    change_password(user, PASSWORD, "another long sentence", address="192.0.2.1")


@pytest.mark.parametrize("end", [everywhere_signed_out, new_password])
@pytest.mark.parametrize("who", ["ada", "olga"])
def test_a_session_ends_with_all_others(cast: Cast, who: str, end: Callable[[User], None]) -> None:
    user = getattr(cast, who)
    before = signed_in(user)
    assert next_request(before).user.pk == user.pk
    end(user)
    assert isinstance(next_request(before).user, AnonymousUser)


def test_the_session_that_changed_the_password_goes_on(cast: Cast) -> None:
    before = signed_in(cast.ada)
    old_key = before.session.session_key
    keep_signed_in(before, change_password(cast.ada, PASSWORD, "another long sentence", address="192.0.2.1"))
    assert next_request(before).user.pk == cast.ada.pk
    assert before.session.session_key != old_key


def test_a_forged_tenant_in_the_session_finds_nobody(cast: Cast) -> None:
    before = signed_in(cast.ada)
    for tenant_id in (str(cast.globex.pk), None, "garbage"):
        before.session["tenant_id"] = tenant_id
        assert find_signed_in(before) is None


def test_signing_out_ends_the_session(cast: Cast) -> None:
    before = signed_in(cast.ada)
    logout(before)
    assert isinstance(next_request(before).user, AnonymousUser)


# --- Operators --------------------------------------------------------------------------------------------------------
def test_an_operator_acts_for_no_tenant_until_entering_one(cast: Cast) -> None:
    before = signed_in(cast.olga)
    request = next_request(before)
    assert request.user.pk == cast.olga.pk
    assert request.actor is None
    assert find_scope() is None

    enter_tenant(request, cast.acme)
    request = next_request(request)
    actor = request.actor
    assert (actor.user_id, actor.tenant_id, actor.role, actor.via) == (
        cast.olga.pk,
        cast.acme.pk,
        Role.ADMIN,
        Via.CONSOLE,
    )
    assert find_scope().tenant_id == cast.acme.pk

    leave_tenant(request)
    with empty_scope():
        assert next_request(request).actor is None
        assert find_scope() is None


def test_entering_and_leaving_is_recorded(cast: Cast) -> None:
    request = next_request(signed_in(cast.olga))
    enter_tenant(request, cast.acme)
    leave_tenant(request)
    leave_tenant(request)
    entries = AuditEntry.objects.filter(action__in=["tenant.entered", "tenant.left"]).order_by("at", "id")
    assert [(e.action, e.by, e.tenant_id) for e in entries] == [
        ("tenant.entered", cast.olga.email, cast.acme.pk),
        ("tenant.left", cast.olga.email, cast.acme.pk),
    ]


def test_only_operators_enter_and_only_active_tenants(cast: Cast) -> None:
    for user in (cast.ada, cast.amir, cast.carla):
        with pytest.raises(NotAllowed):
            enter_tenant(next_request(signed_in(user)), cast.globex)
    request = next_request(signed_in(cast.olga))
    with pytest.raises(Conflict):
        enter_tenant(request, suspend_tenant(cast.globex, by="tests"))


def test_an_entered_tenant_that_is_suspended_is_left(cast: Cast) -> None:
    request = next_request(signed_in(cast.olga))
    enter_tenant(request, cast.acme)
    suspend_tenant(cast.acme, by="tests")
    assert next_request(request).actor is None


def test_an_operator_in_one_tenant_does_not_act_on_anothers_host(cast: Cast) -> None:
    request = next_request(signed_in(cast.olga))
    enter_tenant(request, cast.acme)
    assert next_request(request, "globex.localhost").actor is None
    assert next_request(request, "acme.localhost").actor.tenant_id == cast.acme.pk


def test_the_actor_of_an_operator_cannot_manage_tenants(cast: Cast) -> None:
    request = next_request(signed_in(cast.olga))
    enter_tenant(request, cast.acme)
    actor = next_request(request).actor
    assert actor.can(Action.USERS_MANAGE)
    assert not actor.can(Action.TENANTS_MANAGE)


# --- The API by session -----------------------------------------------------------------------------------------------
def test_the_api_takes_the_session_and_asks_for_the_csrf_token_on_writes(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.ada)
    assert client.get("/api/v1/auth/me").json()["email"] == cast.ada.email
    write: dict[str, Any] = {"data": {"name": "Ada L."}, "content_type": "application/json"}
    assert client.patch("/api/v1/auth/me", **write).status_code == 403
    client.cookies[settings.CSRF_COOKIE_NAME] = "t" * 32
    assert client.patch("/api/v1/auth/me", headers={"X-CSRFToken": "t" * 32}, **write).status_code == 200


def test_an_operator_who_has_entered_nothing_is_nobody_in_the_api(cast: Cast, client: Client) -> None:
    client.force_login(cast.olga)
    assert client.get("/api/v1/users").status_code == 401
    assert api().get("/api/v1/users").status_code == 401


def test_django_s_own_way_to_sign_in_is_ours(cast: Cast) -> None:
    here = RequestFactory().post("/", headers={"Host": "acme.localhost"})
    neutral = RequestFactory().post("/")
    assert authenticate(here, email=cast.ada.email, password=PASSWORD).pk == cast.ada.pk
    assert authenticate(neutral, username=cast.ada.email, password=PASSWORD, tenant="globex").pk == cast.gina.pk
    assert authenticate(neutral, username=cast.olga.email, password=PASSWORD).pk == cast.olga.pk
    assert authenticate(neutral, username=cast.ada.email, password=PASSWORD) is None
    assert authenticate(neutral, username=cast.olga.email, password=PASSWORD, tenant="nowhere") is None
    assert authenticate(here, username=cast.olga.email, password=PASSWORD) is None
    assert authenticate(here, username=cast.ada.email, password="") is None
