"""Django's way to sign in, for forms: the same sign-in as everywhere."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from accounts.models import User
from accounts.sign_in import sign_in, sign_in_operator
from tenants.requests import find_named_tenant, names_tenant
from ticketing.addresses import client_address
from ticketing.errors import NotAuthenticated


class TenantBackend(BaseBackend):
    """Signs people of a tenant in, and operators where no tenant is named."""

    def authenticate(  # type: ignore[override]
        self,
        request: HttpRequest,
        username: str | None = None,
        password: str | None = None,
        *,
        email: str | None = None,
        tenant: str = "",
        **_other: Any,
    ) -> User | None:
        """The user, or None. ``tenant`` is the slug of the form's field. Raises LimitExceeded while locked out."""
        email = email or username
        if not email or not password:
            return None
        named = find_named_tenant(request, tenant)
        address = client_address(request)
        try:
            if named is None and not names_tenant(request, tenant):
                return sign_in_operator(email, password, address)
            return sign_in(named, email, password, address)
        except NotAuthenticated:
            return None

    def get_user(self, user_id: Any) -> User | None:
        """The active user with this id, within the scope; requests find theirs in accounts.browser."""
        user: User | None = User.objects.filter(pk=user_id, is_active=True).first()
        return user
