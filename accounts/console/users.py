"""The tenant's people: invited, changed, deactivated; for its admins."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.decorators import display
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminEmailInputWidget

from accounts.access import access_user, named, visible_teams, visible_users
from accounts.console.acting import actor_of
from accounts.console.fields import select, switch, text
from accounts.console.lists import ActiveFilter, RoleFilter, TeamFilter
from accounts.models import User, email_key
from accounts.passwords import create_invitation
from accounts.roles import Action, Role
from accounts.services import change_user, create_user
from accounts.sessions import end_all_sessions
from ticketing.console.admin import ServiceModelAdmin
from ticketing.console.display import badge, moment
from ticketing.console.forms import ServiceForm
from ticketing.console.site import site
from ticketing.errors import NotFound
from ticketing.mongo import ObjectId
from ticketing.mongo.models import TenantQuerySet


class NewUserForm(ServiceForm):
    """Invites somebody."""

    email = forms.EmailField(label=gettext_lazy("E-mail"), max_length=254, widget=UnfoldAdminEmailInputWidget)
    name = text(gettext_lazy("Name"), 120)
    role = select(gettext_lazy("Role"), User.ROLES[:-1])
    team_ids = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Teams"),
        required=False,
        coerce=ObjectId,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=gettext_lazy("For agents and admins."),
    )

    class Meta:
        model = User
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = self.initial.setdefault("team_ids", [])
        teams = visible_teams(actor_of(self.request)).filter(Q(is_active=True) | Q(pk__in=own)).order_by("name")
        rows = teams.documents("name", "is_active")
        field = self.fields["team_ids"]
        assert isinstance(field, forms.TypedMultipleChoiceField)
        field.choices = [
            (str(row["_id"]), row["name"] if row["is_active"] else _("%(team)s (inactive)") % {"team": row["name"]})
            for row in rows
        ]


class UserForm(NewUserForm):
    """Changes somebody's account."""

    is_active = switch(
        gettext_lazy("Active"),
        help_text=gettext_lazy(
            "Whoever is deactivated is signed out everywhere at once. What they wrote stays, and tickets stay assigned."
        ),
    )


class UserAdmin(ServiceModelAdmin):
    """Accounts are deactivated, never deleted: the history stays attributable."""

    permissions = {"view": Action.USERS_READ, "add": Action.USERS_MANAGE, "change": Action.USERS_MANAGE}
    navigation_group = gettext_lazy("Administration")
    navigation_icon = "group"
    navigation_position = 50
    title = gettext_lazy("Users")
    add_title = gettext_lazy("Invite somebody")
    empty_text = gettext_lazy("Nobody yet: invite the first of your staff.")
    form = UserForm
    add_form = NewUserForm
    change_form_template = "accounts/console/user.html"
    add_form_template = "console/change_form.html"
    list_display = ("name", "address", "role_badge", "state", "last_sign_in", "created")
    list_display_links = ("name",)
    list_filter = (RoleFilter, TeamFilter, ActiveFilter)
    search_fields = ("email_key",)
    search_help_text = gettext_lazy("Beginning of a name or an e-mail address")
    unique_orderings = ("email_key",)
    sortable_by = ()
    actions = ()

    def get_queryset(self, request: HttpRequest) -> TenantQuerySet:
        return visible_users(actor_of(request))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> User | None:
        try:
            return access_user(actor_of(request), object_id)
        except NotFound:
            return None

    @display(description=gettext_lazy("E-mail"))
    def address(self, user: User) -> str:
        return user.email

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        is_erased = isinstance(obj, User) and obj.erased_at is not None
        return not is_erased and super().has_change_permission(request, obj)

    def get_ordering(self, request: HttpRequest) -> Sequence[str]:
        term = request.GET.get("q", "").strip()
        if not term:
            return ("-created_at",)
        return ("name",) if self._names(request, term) else ("email_key",)

    def get_search_results(
        self, request: HttpRequest, queryset: TenantQuerySet, search_term: str
    ) -> tuple[TenantQuerySet, bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if self._names(request, term):
            return named(queryset, term), False
        return queryset.filter(email_key__startswith=email_key(term)), False

    def _names(self, request: HttpRequest, term: str) -> bool:
        """Whether it begins a name; what begins none is looked for among the addresses."""
        if not hasattr(request, "names_somebody"):
            request.names_somebody = "@" not in term and named(visible_users(actor_of(request)), term).exists()  # type: ignore[attr-defined]
        return bool(request.names_somebody)  # type: ignore[attr-defined]

    @display(description=gettext_lazy("Role"))
    def role_badge(self, user: User) -> SafeString:
        return badge(user.role, dict(User.ROLES)[user.role])

    @display(description=gettext_lazy("State"))
    def state(self, user: User) -> SafeString:
        return badge("active", _("Active")) if user.is_active else badge("inactive", _("Inactive"))

    @display(description=gettext_lazy("Last sign-in"))
    def last_sign_in(self, user: User) -> SafeString:
        return moment(user.last_login_at)

    @display(description=gettext_lazy("Created"))
    def created(self, user: User) -> SafeString:
        return moment(user.created_at)

    def create_through_service(self, request: HttpRequest, values: dict[str, Any]) -> User:
        return create_user(actor_of(request), **values)

    def change_through_service(
        self, request: HttpRequest, obj: User, changes: dict[str, Any], expected_version: int | None
    ) -> User:
        return change_user(actor_of(request), obj.pk, changes, expected_version=expected_version)

    def response_add(self, request: HttpRequest, obj: User, post_url_continue: str | None = None) -> HttpResponse:
        return self._show_invitation(request, obj)

    def response_change(self, request: HttpRequest, obj: User) -> HttpResponse:
        """Back to the page of whoever was deactivated: there is the way to the tickets that are assigned to him."""
        if obj.is_active or obj.role == Role.USER:
            response: HttpResponse = super().response_change(request, obj)
            return response
        text = _(
            "%(name)s is deactivated and signed out everywhere. Open tickets stay assigned until you hand them on."
        )
        self.message_user(request, text % {"name": obj.name}, messages.WARNING)
        return HttpResponseRedirect(reverse("console:accounts_user_change", args=[obj.pk]))

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("<str:object_id>/invitation/", "accounts_user_invite", self.invite),
            ("<str:object_id>/sign-out/", "accounts_user_sign_out", self.sign_out),
        )

    @method_decorator(require_POST)
    def invite(self, request: HttpRequest, object_id: str, model_admin: Any) -> HttpResponse:
        """A new invitation for an account whose owner cannot sign in."""
        user = self._access(request, object_id)
        return self._show_invitation(request, user) if user else self.missing(request)

    @method_decorator(require_POST)
    def sign_out(self, request: HttpRequest, object_id: str, model_admin: Any) -> HttpResponse:
        """Ends every session and token of the account."""
        user = self._access(request, object_id)
        if user is None:
            return self.missing(request)
        end_all_sessions(user, by=actor_of(request).by)
        self.message_user(request, _("%(name)s is signed out everywhere.") % {"name": user.name}, messages.SUCCESS)
        return HttpResponseRedirect(reverse("console:accounts_user_change", args=[user.pk]))

    def _access(self, request: HttpRequest, object_id: str) -> User | None:
        user = self.get_object(request, object_id) if self.can(request, "change") else None
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        return user

    def _show_invitation(self, request: HttpRequest, user: User) -> HttpResponse:
        token = create_invitation(actor_of(request), user.pk)
        link = request.build_absolute_uri(f"{reverse('console:invitation')}#{token}")
        context = {
            **self.admin_site.each_context(request),
            "title": _("Invitation for %(name)s") % {"name": user.name},
            "label": _("Whoever opens this link chooses the account's password:"),
            "secret": link,
            "hint": _("It works once, for seven days, and is not shown again. Send it to %(email)s.")
            % {"email": user.email},
            "back": self.changelist_url,
        }
        return TemplateResponse(request, "accounts/console/shown_once.html", context)


site.register(User, UserAdmin)
