"""/auth: signing in and out, registering, one's own profile and password."""

from collections.abc import Sequence

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import check_person
from accounts.api import serializers as s
from accounts.browser import keep_signed_in
from accounts.models import User
from accounts.passwords import accept_invitation, change_password
from accounts.roles import Action
from accounts.services import change_profile, register_customer
from accounts.sessions import end_all_sessions, end_session, open_session, refresh_session
from accounts.sign_in import sign_in
from tenants.requests import find_named_tenant
from ticketing.addresses import client_address
from ticketing.api.views import ApiView
from ticketing.errors import InvalidInput, NotAllowed
from ticketing.mongo import ObjectId


class _CredentialView(ApiView):
    """Takes a password or a refresh token. A failure must be counted and a reuse punished although the answer is an
    error, so this never runs within the transaction that an Idempotency-Key brings. An Authorization header is not
    read: clients send along the access token that has just expired.
    """

    tag = "auth"
    public = True
    authentication_classes: Sequence[type[BaseAuthentication]] = []

    def idempotency_tenant_id(self) -> None:
        return None


class LoginView(_CredentialView):
    """Signs in with tenant, e-mail and password. Whatever is wrong, the answer is the same 401."""

    throttle = "sign_in"
    secret_response = True
    inputs = {"POST": s.LoginInput}
    outputs = {"POST": s.TokensOutput}
    errors = {"POST": [401]}

    def post(self, request: Request) -> Response:
        given = self.validated()
        tenant = find_named_tenant(request._request, given["tenant"])
        user = sign_in(tenant, given["email"], given["password"], client_address(request._request))
        return self.answer(s.show_tokens(open_session(user), user))


class RegisterView(ApiView):
    """Opens a customer account, where the tenant allows it (403 otherwise)."""

    tag = "auth"
    public = True
    authentication_classes: Sequence[type[BaseAuthentication]] = []
    throttle = "sign_in"
    inputs = {"POST": s.RegisterInput}
    outputs = {"POST": s.UserOutput}
    statuses = {"POST": 201}
    errors = {"POST": [403, 409]}

    def post(self, request: Request) -> Response:
        given = self.validated()
        tenant = find_named_tenant(request._request, given.pop("tenant"))
        return self.answer(s.show_user(register_customer(tenant, **given)), status=201)

    def idempotency_tenant_id(self) -> ObjectId | None:
        tenant = find_named_tenant(self.request._request, self.validated()["tenant"])
        return None if tenant is None else tenant.pk


class RefreshView(_CredentialView):
    """New tokens for a refresh token, which is good for once: a used one ends the whole sign-in."""

    throttle = "sign_in"
    secret_response = True
    inputs = {"POST": s.RefreshInput}
    outputs = {"POST": s.TokensOutput}
    errors = {"POST": [401]}

    def post(self, request: Request) -> Response:
        account, tokens = refresh_session(self.validated()["refresh"])
        return self.answer(s.show_tokens(tokens, account.user))


class LogoutView(_CredentialView):
    """Ends the sign-in of a refresh token, its access tokens included."""

    inputs = {"POST": s.RefreshInput}
    errors = {"POST": [401]}

    def post(self, request: Request) -> Response:
        end_session(self.validated()["refresh"])
        return Response(status=204)


class LogoutAllView(ApiView):
    """Ends every sign-in of the user, tokens and browser sessions, this one included."""

    tag = "auth"
    actions = {"POST": Action.PROFILE_EDIT}

    def post(self, request: Request) -> Response:
        end_all_sessions(check_person(self.actor), by=self.actor.by)
        return Response(status=204)


class PasswordView(_CredentialView):
    """Sets a password: one's own by ``current_password``, or the first one by the ``token`` of an invitation.

    Every other session of the user ends; the answer holds the tokens of a new one.
    """

    authentication_classes = ApiView.authentication_classes

    throttle = "sign_in"
    secret_response = True
    inputs = {"POST": s.PasswordInput}
    outputs = {"POST": s.TokensOutput}
    errors = {"POST": [401, 403, 409]}

    def post(self, request: Request) -> Response:
        given = self.validated()
        if ("token" in given) == ("current_password" in given):
            raise InvalidInput.of("current_password", "give either this or the token of an invitation", "required")
        user = self._invited(given) if "token" in given else self._signed_in(given)
        return self.answer(s.show_tokens(open_session(user), user))

    def _invited(self, given: dict[str, str]) -> User:
        return accept_invitation(given["token"], given["password"], operators=False)

    def _signed_in(self, given: dict[str, str]) -> User:
        request = self.request._request
        user = check_person(self.actor)
        if user.tenant_id is None:  # tokens are of a tenant
            raise NotAllowed("Operators of the platform change their password in the console")
        address = client_address(request)
        changed = change_password(user, given["current_password"], given["password"], address=address)
        keep_signed_in(request, changed)
        return changed


class MeView(ApiView):
    """One's own profile."""

    tag = "auth"
    versioned = True
    actions = {"GET": Action.PROFILE_READ, "PATCH": Action.PROFILE_EDIT}
    inputs = {"PATCH": s.ProfileInput}
    outputs = {"GET": s.ProfileOutput, "PATCH": s.ProfileOutput}

    def get(self, request: Request) -> Response:
        user: User = self.actor.user
        return self.answer(s.show_profile(user), version=user.version)

    def patch(self, request: Request) -> Response:
        """Changes one's own name, language or time zone."""
        version = self.expected_version(self.actor.user.version)
        user = change_profile(self.actor, self.validated(), expected_version=version)
        return self.answer(s.show_profile(user), version=user.version)
