"""Tenants: all of them for the platform's operators, the own one's settings for a tenant's admins.

It stands here because the role table does: the tenants package knows no people.
"""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.decorators import display
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import floatformat
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminColorInputWidget, UnfoldAdminIntegerFieldWidget

from accounts.access import access_own_tenant, access_tenant
from accounts.browser import enter_tenant, leave_tenant
from accounts.console.acting import actor_of, is_operator
from accounts.console.fields import TIME_ZONES, LinesField, select, text
from accounts.models import User
from accounts.roles import Action
from tenants.models import Registration, Tenant
from tenants.rules import LONGEST_RETENTION_DAYS, clean_color, contrast, on_dark_surface, under_white_text
from tenants.services import change_settings, change_tenant, create_tenant, reactivate_tenant, suspend_tenant
from ticketing.console.admin import ServiceModelAdmin
from ticketing.console.answers import json_answer
from ticketing.console.display import badge, moment
from ticketing.console.forms import ServiceForm
from ticketing.console.navigation import Item
from ticketing.console.site import site
from ticketing.errors import NotFound, TicketingError
from ticketing.mongo.models import ServiceWrittenQuerySet


def _quota(label: Any) -> forms.IntegerField:
    zero = gettext_lazy("0 is no limit.")
    return forms.IntegerField(label=label, min_value=0, initial=0, help_text=zero, widget=UnfoldAdminIntegerFieldWidget)


def _days(label: Any) -> forms.IntegerField:
    for_ever = gettext_lazy("0 is for ever.")
    widget = UnfoldAdminIntegerFieldWidget
    return forms.IntegerField(
        label=label, min_value=0, max_value=LONGEST_RETENTION_DAYS, help_text=for_ever, widget=widget
    )


class SettingsForm(ServiceForm):
    """What a tenant's admin may change."""

    brand_name = text(gettext_lazy("Name that customers see"), 60, required=False)
    brand_color = text(gettext_lazy("Colour"), 7)
    time_zone = select(gettext_lazy("Time zone"), TIME_ZONES)
    locale = select(gettext_lazy("Language"), settings.LANGUAGES)
    registration = select(gettext_lazy("Who may open a customer account"), Registration.choices)
    registration_domains = LinesField(
        label=gettext_lazy("E-mail domains"), required=False, help_text=gettext_lazy("One on each line.")
    )
    retention_ticket_days = _days(gettext_lazy("Days that closed tickets keep text and files"))
    retention_user_days = _days(gettext_lazy("Days that deactivated accounts keep their name"))

    class Meta:
        model = Tenant
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["brand_color"].widget = UnfoldAdminColorInputWidget()
        language, stored = self.fields["locale"], self.initial.get("locale")
        assert isinstance(language, forms.ChoiceField)
        if stored and stored not in dict(settings.LANGUAGES):  # from before: saving another setting must keep it
            language.choices = [*settings.LANGUAGES, (stored, stored)]


class TenantForm(SettingsForm):
    """What an operator may change besides."""

    field_order = ["name", "hosts"]

    name = text(gettext_lazy("Name"), 120)
    hosts = LinesField(label=gettext_lazy("Host names"), required=False, help_text=gettext_lazy("One on each line."))
    max_staff = _quota(gettext_lazy("Staff accounts at most"))
    max_storage_mb = _quota(gettext_lazy("Megabytes of attachments at most"))
    max_requests_per_minute = _quota(gettext_lazy("Requests a minute at most"))


class NewTenantForm(ServiceForm):
    """What a tenant needs to begin with; its admin does the rest."""

    slug = text(gettext_lazy("Short name"), 40, help_text=gettext_lazy("Part of its address: a-z, 0-9, hyphens."))
    name = text(gettext_lazy("Name"), 120)

    class Meta:
        model = Tenant
        fields = ()


class TenantAdmin(ServiceModelAdmin):
    permissions = {"view": Action.TENANTS_MANAGE, "add": Action.TENANTS_MANAGE, "change": Action.TENANTS_MANAGE}
    navigation_position = 53
    add_title = gettext_lazy("New tenant")
    add_form = NewTenantForm
    change_form_template = "accounts/console/tenant.html"
    add_form_template = "console/change_form.html"
    list_display = ("name", "short_name", "state", "created")
    ordering = ("slug",)
    unique_orderings = ("slug",)
    sortable_by = ()
    actions = ()

    # --- an operator's tenants, or an admin's settings -------------------------------------------------------------

    def can(self, request: HttpRequest, permission: str) -> bool:
        return is_operator(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return is_operator(request) or self._may_change_settings(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_view_permission(request, obj)

    def get_navigation(self, request: HttpRequest) -> Iterable[Item]:
        if is_operator(request):
            link = self.changelist_url
            yield Item(_("Platform"), _("Tenants"), link, "domain", request.path.startswith(link))
        if self._may_change_settings(request):
            link = self.page_url(actor_of(request).tenant)
            yield Item(_("Administration"), _("Settings"), link, "tune", request.path == link)

    def get_queryset(self, request: HttpRequest) -> ServiceWrittenQuerySet:
        tenants: ServiceWrittenQuerySet = Tenant.objects.all()
        return tenants

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not is_operator(request):
            raise PermissionDenied
        return super().changelist_view(request, extra_context)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Tenant | None:
        try:
            if is_operator(request):
                return access_tenant(request.user, object_id)  # type: ignore[arg-type]
            own = access_own_tenant(actor_of(request))
        except NotFound:
            return None
        return own if str(own.pk) == object_id.lower() else None

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        self_form = TenantForm if is_operator(request) else SettingsForm
        base = self_form if change or obj is not None else NewTenantForm
        return type(base.__name__, (base,), {"request": request, "refusal": getattr(request, "refusal", None)})

    # --- writing --------------------------------------------------------------------------------------------------

    def create_through_service(self, request: HttpRequest, values: dict[str, Any]) -> Tenant:
        return create_tenant(values, by=self._by(request))

    def change_through_service(
        self, request: HttpRequest, obj: Tenant, changes: dict[str, Any], expected_version: int | None
    ) -> Tenant:
        change = change_tenant if is_operator(request) else change_settings
        version = obj.version if expected_version is None else expected_version
        return change(obj, changes, expected_version=version, by=self._by(request))

    def response_change(self, request: HttpRequest, obj: Tenant) -> HttpResponse:
        self.message_user(request, _("Saved."), messages.SUCCESS)
        return HttpResponseRedirect(self.page_url(obj))

    def response_add(self, request: HttpRequest, obj: Tenant, post_url_continue: str | None = None) -> HttpResponse:
        text = _("%(name)s is ready. Enter it to invite its first admin.") % {"name": obj.name}
        self.message_user(request, text, messages.SUCCESS)
        return HttpResponseRedirect(self.page_url(obj))

    @json_answer
    def preview_branding(self, request: HttpRequest, object_id: str, model_admin: Any) -> dict[str, str]:
        """What would become of a colour: ``color`` under white text, ``on_dark`` in the dark look, and what to tell."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        if self.get_object(request, object_id) is None:
            raise NotFound
        chosen = clean_color("color", request.GET.get("color"))
        color = under_white_text(chosen)
        ratios = {"chosen": floatformat(contrast(chosen), 1), "color": color, "used": floatformat(contrast(color), 1)}
        told = (
            _("White text on this colour has a contrast of %(chosen)s : 1.")
            if color == chosen
            else _(
                "White text on this colour has a contrast of %(chosen)s : 1, too little to read. Buttons and links use "
                "the darker %(color)s, with %(used)s : 1."
            )
        )
        return {"color": color, "on_dark": on_dark_surface(chosen), "told": told % ratios}

    # --- what operators do ----------------------------------------------------------------------------------------

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("leave/", "tenants_tenant_leave", self.leave),
            ("<str:object_id>/branding/", "tenants_tenant_branding", self.preview_branding),
            ("<str:object_id>/enter/", "tenants_tenant_enter", self.enter),
            ("<str:object_id>/suspend/", "tenants_tenant_suspend", self.suspend),
            ("<str:object_id>/reactivate/", "tenants_tenant_reactivate", self.reactivate),
        )

    @method_decorator(require_POST)
    def enter(self, request: HttpRequest, object_id: str, model_admin: Any) -> HttpResponse:
        """Starts working within the tenant, which is logged."""
        tenant = self._access(request, object_id)
        if tenant is None:
            return self.missing(request)
        try:
            enter_tenant(request, tenant)
        except TicketingError as error:
            self.message_user(request, error.detail, messages.ERROR)
            return HttpResponseRedirect(self.page_url(tenant))
        return HttpResponseRedirect(reverse("console:index"))

    @method_decorator(require_POST)
    def leave(self, request: HttpRequest, model_admin: Any) -> HttpResponse:
        """Stops working within the tenant, which is logged."""
        if not is_operator(request):
            raise PermissionDenied
        leave_tenant(request)
        return HttpResponseRedirect(self.changelist_url)

    @method_decorator(require_POST)
    def suspend(self, request: HttpRequest, object_id: str, model_admin: Any) -> HttpResponse:
        tenant = self._access(request, object_id)
        if tenant is None:
            return self.missing(request)
        suspend_tenant(tenant, by=self._by(request))
        return HttpResponseRedirect(self.page_url(tenant))

    @method_decorator(require_POST)
    def reactivate(self, request: HttpRequest, object_id: str, model_admin: Any) -> HttpResponse:
        tenant = self._access(request, object_id)
        if tenant is None:
            return self.missing(request)
        reactivate_tenant(tenant, by=self._by(request))
        return HttpResponseRedirect(self.page_url(tenant))

    # --- display --------------------------------------------------------------------------------------------------

    @display(description=gettext_lazy("Short name"))
    def short_name(self, tenant: Tenant) -> str:
        return tenant.slug

    @display(description=gettext_lazy("State"))
    def state(self, tenant: Tenant) -> SafeString:
        return badge(tenant.status, tenant.get_status_display())

    @display(description=gettext_lazy("Created"))
    def created(self, tenant: Tenant) -> SafeString:
        return moment(tenant.created_at)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        tenant = context["original"]
        context["is_operator"] = is_operator(request)
        if tenant is not None:
            context["state"] = self.state(tenant)
            context["branding_url"] = reverse("console:tenants_tenant_branding", args=[tenant.pk])
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        if not context["is_operator"]:
            context["title"] = _("Settings")
        return response

    def page_url(self, tenant: Tenant) -> str:
        return reverse("console:tenants_tenant_change", args=[tenant.pk])

    def _may_change_settings(self, request: HttpRequest) -> bool:
        actor = getattr(request, "actor", None)
        return actor is not None and actor.can(Action.SETTINGS_MANAGE)

    def _access(self, request: HttpRequest, object_id: str) -> Tenant | None:
        if not is_operator(request):
            raise PermissionDenied
        return self.get_object(request, object_id)

    def _by(self, request: HttpRequest) -> str:
        assert isinstance(request.user, User)
        return request.user.email


site.register(Tenant, TenantAdmin)
