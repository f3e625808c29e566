"""Where somebody who was invited chooses his password."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect

from accounts.console.fields import password, text
from accounts.passwords import accept_invitation
from ticketing.console.refusals import explain, in_words
from ticketing.console.site import site
from ticketing.errors import TicketingError


class InvitationForm(forms.Form):
    """The link carries the token behind its #, which never reaches a server's log; the page's script fills it in."""

    token = text(gettext_lazy("Invitation"), 1000)
    password1 = password(gettext_lazy("Password"), "new-password")
    password2 = password(gettext_lazy("Password again"), "new-password")

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if given.get("password1") != given.get("password2"):
            self.add_error("password2", _("The two passwords are not the same."))
        return given

    def accept(self) -> bool:
        """Sets the password; False, with errors in the form, where the service refuses."""
        try:
            accept_invitation(self.cleaned_data["token"], self.cleaned_data["password1"])
        except TicketingError as error:
            for each in error.errors:
                self.add_error("token" if each.field == "token" else "password1", in_words(each.message))
            if not error.errors:
                self.add_error(None, explain(error))
            return False
        return True


@never_cache
@csrf_protect
def invitation_view(request: HttpRequest) -> HttpResponse:
    """Asks for a password and leads to the sign-in."""
    form = InvitationForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and form.accept():
        messages.success(request, _("Your password is set. Sign in with it."))
        return HttpResponseRedirect(reverse("console:login"))
    context = {**site.each_context(request), "title": _("Choose your password"), "form": form}
    return TemplateResponse(request, "accounts/console/invitation.html", context)
