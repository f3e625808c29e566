"""Who is signed in by a session, and for which tenant the request runs."""

from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils import timezone, translation

from accounts.actor import Actor
from accounts.browser import find_signed_in
from accounts.models import User
from ticketing.mongo.scope import enter_tenant


class ScopedAuthenticationMiddleware(AuthenticationMiddleware):
    """Sets ``request.user`` and ``request.actor`` (None without a tenant to act for), and enters the tenant's scope,
    and the person's time zone and language, which are the tenant's where he has chosen none.

    A request without a session cookie costs nothing here: the API authenticates it by token or key.
    """

    def process_request(self, request: HttpRequest) -> None:
        request.user, request.actor = AnonymousUser(), None  # type: ignore[attr-defined]
        found = find_signed_in(request) if settings.SESSION_COOKIE_NAME in request.COOKIES else None
        if found is not None:
            request.user, request.actor = found  # type: ignore[attr-defined]
            _enter(*found)
        if request.path_info.startswith("/console/"):
            translation.activate(_language_of(request))


def _enter(user: User, actor: Actor | None) -> None:
    if actor is not None:
        enter_tenant(actor.tenant_id)
    zone = user.time_zone or (actor.tenant.time_zone if actor else "")
    if zone:
        timezone.activate(ZoneInfo(zone))


def _language_of(request: HttpRequest) -> str:
    """The one the person has chosen, else the tenant's; what the browser prefers before the sign-in, and where the
    tenant's is none of the console's."""
    actor: Actor | None = request.actor  # type: ignore[attr-defined]
    chosen = getattr(request.user, "language", "") or (actor.tenant.locale if actor else "")
    return chosen if chosen in dict(settings.LANGUAGES) else translation.get_language_from_request(request)
