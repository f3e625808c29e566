"""/users: the people of the tenant."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import access_user, count_accounts, page_of_accounts, visible_users
from accounts.api import serializers as s
from accounts.api.filters import UserFilters
from accounts.models import User
from accounts.passwords import create_invitation, invitation_for
from accounts.roles import Action
from accounts.services import change_profile, change_user, create_user, deactivate_user
from ticketing.api.pagination import COUNT_CAP, page_request, wants_count
from ticketing.api.views import ApiView


class UsersView(ApiView):
    """The people of the tenant, newest first, and new ones."""

    tag = "users"
    actions = {"GET": Action.USERS_READ, "POST": Action.USERS_MANAGE}
    inputs = {"POST": s.NewUserInput}
    outputs = {"GET": s.UserOutput, "POST": s.InvitedUserOutput}
    errors = {"POST": [409]}
    filters = UserFilters
    paginated = True
    secret_response = True

    def get(self, request: Request) -> Response:
        filters = self.filtered(UserFilters, visible_users(self.actor))
        page = page_of_accounts(self.actor, filters.qs, filters.sort, page_request(request))
        count = count_accounts(self.actor, filters.qs, cap=COUNT_CAP + 1) if wants_count(request) else None
        return self.page(page, [s.show_user(User.from_document(row)) for row in page.rows], count)

    def post(self, request: Request) -> Response:
        """Invites an agent, an admin or a customer."""
        given = self.validated()
        user = create_user(self.actor, **given)
        invitation = None if given.get("password") else invitation_for(user)
        data = {**s.show_user(user), "invitation": invitation}
        response = self.created(data, f"{request.path}/{user.pk}", version=user.version)
        response.is_secret = invitation is not None  # type: ignore[attr-defined]
        return response


class UserView(ApiView):
    """One account: any of the tenant for admins, one's own for everybody (PATCH of the name included)."""

    tag = "users"
    versioned = True
    actions = {
        "GET": Action.USERS_READ,
        "PUT": Action.USERS_MANAGE,
        "PATCH": Action.USERS_MANAGE,
        "DELETE": Action.USERS_MANAGE,
    }
    own_actions = {"GET": Action.PROFILE_READ, "PATCH": Action.PROFILE_EDIT}
    inputs = {"PUT": s.UserInput, "PATCH": s.UserInput}
    outputs = {"GET": s.UserOutput, "PUT": s.UserOutput, "PATCH": s.UserOutput}
    errors = {"GET": [404], "PUT": [404, 409], "PATCH": [404, 409], "DELETE": [404, 409]}

    def check_permissions(self, request: Request) -> None:
        """Of one's own account less is needed."""
        own = self.own_actions.get(str(request.method))
        actor: Any = request.auth
        if own and actor and str(actor.user_id) == self.kwargs["id"] and actor.can(own):
            return
        super().check_permissions(request)

    def get(self, request: Request, id: str) -> Response:
        user = access_user(self.actor, id)
        return self.answer(s.show_user(user), version=user.version)

    def put(self, request: Request, id: str) -> Response:
        """Replaces what can be changed of an account."""
        return self._change(access_user(self.actor, id), must_match=True)

    def patch(self, request: Request, id: str) -> Response:
        """Changes an account; of one's own only the name, without being an admin."""
        return self._change(access_user(self.actor, id), must_match=False)

    def delete(self, request: Request, id: str) -> Response:
        """Deactivates: the account's tickets and comments stay attributed to it."""
        user = access_user(self.actor, id)
        deactivate_user(self.actor, user.pk, expected_version=self.expected_version(user.version))
        return Response(status=204)

    def _change(self, user: User, *, must_match: bool) -> Response:
        version = self.expected_version(user.version, required=must_match)
        wanted = self.validated()
        if self.actor.can(Action.USERS_MANAGE):
            changed = change_user(self.actor, user.pk, wanted, expected_version=version)
        else:
            changed = change_profile(self.actor, wanted, expected_version=version)
        return self.answer(s.show_user(changed), version=changed.version)


class InvitationView(ApiView):
    """A new invitation for an account, when the first one is lost or too old, or the password is forgotten."""

    tag = "users"
    actions = {"POST": Action.USERS_MANAGE}
    outputs = {"POST": s.InvitationOutput}
    statuses = {"POST": 201}
    errors = {"POST": [404]}
    secret_response = True

    def post(self, request: Request, id: str) -> Response:
        user = access_user(self.actor, id)
        return self.answer({"invitation": create_invitation(self.actor, user.pk)}, status=201)
