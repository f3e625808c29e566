"""One's own account: name, language and time zone, and the ways to change the password and to sign out everywhere."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import translation
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.actor import Actor
from accounts.console.fields import TIME_ZONES, select, text
from accounts.models import User
from accounts.services import change_operator_profile, change_profile
from accounts.sessions import end_all_sessions
from ticketing.console.forms import ServiceForm
from ticketing.console.site import site
from ticketing.errors import TicketingError


class ProfileForm(ServiceForm):
    name = text(gettext_lazy("Name"), 120)
    language = select(gettext_lazy("Language"), [], required=False)
    time_zone = select(
        gettext_lazy("Time zone"), [], required=False, help_text=gettext_lazy("In which times are shown to you.")
    )

    class Meta:
        model = User
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        actor: Actor | None = self.request.actor  # type: ignore[attr-defined]
        own = [(code, get_language_info(code)["name_local"]) for code, _name in settings.LANGUAGES]
        self.fields["language"].choices = [("", _inherited_language(actor)), *own]  # type: ignore[attr-defined]
        self.fields["time_zone"].choices = [("", _inherited_zone(actor)), *TIME_ZONES]  # type: ignore[attr-defined]


def profile_view(request: HttpRequest) -> HttpResponse:
    """Shows and changes the profile of whoever is signed in."""
    user = request.user
    assert isinstance(user, User)
    form = _form(request, user)
    if request.method == "POST" and form.is_valid():
        try:
            changed = _change(request, user, form)
        except TicketingError as error:
            form = _form(request, user, error)
            form.is_valid()
        else:
            actor: Actor | None = request.actor  # type: ignore[attr-defined]
            language = changed.language or (actor.tenant.locale if actor else translation.get_language())
            with translation.override(language):  # the one in which he reads on
                messages.success(request, _("Saved."))
            return HttpResponseRedirect(reverse("console:profile"))
    context = {**site.each_context(request), "title": _("My account"), "form": form, "person": user}
    return TemplateResponse(request, "accounts/console/profile.html", context)


@require_POST
def sign_out_everywhere_view(request: HttpRequest) -> HttpResponse:
    """Ends every session and token of whoever is signed in, this one included."""
    assert isinstance(request.user, User)
    end_all_sessions(request.user, by=request.user.email)
    return HttpResponseRedirect(reverse("console:index"))


def _form(request: HttpRequest, user: User, refusal: TicketingError | None = None) -> ProfileForm:
    bound = type("ProfileForm", (ProfileForm,), {"request": request, "refusal": refusal})
    form: ProfileForm = bound(request.POST if request.method == "POST" else None, instance=user)
    return form


def _change(request: HttpRequest, user: User, form: ProfileForm) -> User:
    actor: Actor | None = request.actor  # type: ignore[attr-defined]
    if actor is None:
        return change_operator_profile(user, form.changes, expected_version=form.expected_version)
    return change_profile(actor, form.changes, expected_version=form.expected_version)


def _inherited_language(actor: Actor | None) -> str:
    if actor is None:
        return _("The browser's")
    return _("The organisation's (%(name)s)") % {"name": get_language_info(actor.tenant.locale)["name_local"]}


def _inherited_zone(actor: Actor | None) -> str:
    return _("The organisation's (%(name)s)") % {"name": actor.tenant.time_zone if actor else settings.TIME_ZONE}
