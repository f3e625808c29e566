"""Signing in to console and browsable API with a session, and changing one's password there."""

from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from accounts.console.fields import password
from accounts.models import User
from accounts.passwords import change_password
from accounts.roles import Action
from tenants.requests import names_tenant
from ticketing.addresses import client_address
from ticketing.console.refusals import explain, in_words
from ticketing.errors import FieldError, LimitExceeded, TicketingError

_REFUSED = _("That did not work. Check the e-mail address and the password; the account may also be inactive.")
_STAFF_ONLY = _("The console is for staff. Your tickets are in the customers' area.")


class SignInForm(AuthenticationForm):
    """E-mail and password, and the tenant where the host name does not say it. Every refusal reads the same."""

    tenant = forms.SlugField(
        label=_("Organisation"),
        max_length=40,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "organization", "autocapitalize": "none"}),
        help_text=_("The short name of your organisation."),
    )

    field_order = ["tenant", "username", "password"]

    def __init__(self, request: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        attrs = {"autocomplete": "username", "autofocus": True}
        self.fields["username"] = forms.EmailField(label=_("E-mail"), widget=UnfoldAdminEmailInputWidget(attrs=attrs))
        self.fields["password"].widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"})
        if names_tenant(request):
            del self.fields["tenant"]
        self.order_fields(self.field_order)

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if given.get("username") and given.get("password"):
            self.user_cache = self._authenticated(given["username"], given["password"], given.get("tenant", ""))
            self.confirm_login_allowed(self.user_cache)
        return given

    def confirm_login_allowed(self, user: Any) -> None:
        """Customers sign in on their way to the browsable API only."""
        if not user.can(Action.CONSOLE_ENTER) and not self._leads_elsewhere():
            raise ValidationError(_STAFF_ONLY, code="staff_only")

    def _authenticated(self, email: str, secret: str, tenant: str) -> User:
        try:
            user = authenticate(self.request, username=email, password=secret, tenant=tenant)
        except LimitExceeded as error:
            raise ValidationError(explain(error), code="locked") from error
        if not isinstance(user, User):
            raise ValidationError(_REFUSED, code="refused")
        return user

    def _leads_elsewhere(self) -> bool:
        request: HttpRequest = self.request  # type: ignore[assignment]
        target = request.POST.get("next") or request.GET.get("next", "")
        safe = url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()})
        return safe and not target.startswith(reverse("console:index"))


class PasswordForm(forms.Form):
    """Asks for the old password and twice for the new one. The service decides, so it is called while validating."""

    request: HttpRequest

    old_password = password(_("Your password now"), "current-password")
    new_password1 = password(_("New password"), "new-password")
    new_password2 = password(_("New password again"), "new-password")

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if given.get("new_password1") != given.get("new_password2"):
            self.add_error("new_password2", _("The two passwords are not the same."))
        if self.errors:
            return given
        names = {"current_password": "old_password", "password": "new_password1"}
        try:
            address = client_address(self.request)
            self.user = change_password(self.user, given["old_password"], given["new_password1"], address=address)
        except TicketingError as error:
            for each in error.errors or [FieldError("", error.code, error.detail)]:
                self.add_error(names.get(each.field), in_words(each.message))
        return given

    def save(self) -> User:
        """What PasswordChangeView calls; the password is stored already."""
        return self.user
