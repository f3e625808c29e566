"""The console's rooms for accounts and tenants; importing this registers them."""

from django.urls import path

from accounts.console.api_keys import ApiKeyAdmin
from accounts.console.audit import AuditAdmin
from accounts.console.invitation import invitation_view
from accounts.console.jobs import JobAdmin
from accounts.console.profile import profile_view, sign_out_everywhere_view
from accounts.console.sign_in import PasswordForm, SignInForm
from accounts.console.teams import TeamAdmin
from accounts.console.tenants import TenantAdmin
from accounts.console.users import UserAdmin
from ticketing.console.site import site, with_policy

__all__ = ["ApiKeyAdmin", "AuditAdmin", "JobAdmin", "TeamAdmin", "TenantAdmin", "UserAdmin"]

site.login_form = SignInForm
site.password_change_form = PasswordForm
site.extra_urls = lambda: [
    path("invitation/", with_policy(invitation_view), name="invitation"),
    path("profile/", site.admin_view(profile_view), name="profile"),
    path("profile/sign-out/", site.admin_view(sign_out_everywhere_view), name="sign_out_everywhere"),
]
