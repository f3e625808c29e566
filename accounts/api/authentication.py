"""The three ways to prove who is calling the API. ``request.user`` is the User, ``request.auth`` the Actor."""

from dataclasses import replace

from rest_framework import authentication
from rest_framework.request import Request

from accounts.actor import Actor, Via
from accounts.keys import get_actor_of_key
from accounts.models import User
from accounts.sessions import get_account_of_token
from tenants.requests import host_of, is_for_another_tenant
from ticketing.errors import NotAuthenticated
from ticketing.mongo import ObjectId
from ticketing.mongo.scope import enter_tenant

Found = tuple[User | None, Actor]


class _HeaderAuthentication(authentication.BaseAuthentication):
    """``Authorization: <scheme> <secret>``; a header of another scheme is left to the next class."""

    scheme = ""

    def authenticate(self, request: Request) -> Found | None:
        scheme, _, secret = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() != self.scheme.lower():
            return None
        actor, host_owner_id = self.actor_of(secret.strip(), host_of(request._request))
        if is_for_another_tenant(request._request, actor.tenant, host_owner_id):
            raise NotAuthenticated("The X-Tenant header or the host name belongs to another tenant than the sign-in")
        enter_tenant(actor.tenant_id)
        return actor.user, actor

    def actor_of(self, secret: str, host: str) -> tuple[Actor, ObjectId | None]:
        """Who acts, and the tenant whose own the host name is. Raises NotAuthenticated."""
        raise NotImplementedError

    def authenticate_header(self, request: Request) -> str:
        return f'{self.scheme} realm="api"'


class AccessTokenAuthentication(_HeaderAuthentication):
    """``Authorization: Bearer <access token>``, for clients that signed in."""

    scheme = "Bearer"

    def actor_of(self, secret: str, host: str) -> tuple[Actor, ObjectId | None]:
        account = get_account_of_token(secret, host)
        return account.actor(Via.API), account.host_owner_id


class ApiKeyAuthentication(_HeaderAuthentication):
    """``Authorization: Api-Key <key>``, for integrations."""

    scheme = "Api-Key"

    def actor_of(self, secret: str, host: str) -> tuple[Actor, ObjectId | None]:
        return get_actor_of_key(secret, host)


class SessionAuthentication(authentication.SessionAuthentication):
    """The browser's session, for the browsable API; writes need the CSRF token."""

    def authenticate(self, request: Request) -> Found | None:
        actor: Actor | None = getattr(request._request, "actor", None)
        if actor is None:
            return None
        self.enforce_csrf(request)
        return actor.user, replace(actor, via=Via.API)
