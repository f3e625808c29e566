"""The console's rooms for accounts and tenants; importing this registers them."""

from accounts.console.sign_in import PasswordForm, SignInForm
from ticketing.console.site import site

site.login_form = SignInForm
site.password_change_form = PasswordForm
