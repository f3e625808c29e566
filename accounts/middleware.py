"""Who is signed in by a session, and for which tenant the request runs."""

from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils import timezone

from accounts.browser import find_signed_in
from ticketing.mongo.scope import enter_tenant


class ScopedAuthenticationMiddleware(AuthenticationMiddleware):
    """Sets ``request.user`` and ``request.actor`` (None without a tenant to act for), and enters the tenant's scope
    and time zone.

    A request without a session cookie costs nothing here: the API authenticates it by token or key.
    """

    def process_request(self, request: HttpRequest) -> None:
        request.user, request.actor = AnonymousUser(), None  # type: ignore[attr-defined]
        found = find_signed_in(request) if settings.SESSION_COOKIE_NAME in request.COOKIES else None
        if found is None:
            return
        request.user, actor = found
        request.actor = actor  # type: ignore[attr-defined]
        if actor is not None:
            enter_tenant(actor.tenant_id)
            timezone.activate(ZoneInfo(actor.tenant.time_zone))
