"""Keys for integrations, for the tenant's admins. A key's secret is shown once, when it is made."""

from datetime import datetime, time
from typing import Any

from django import forms
from django.contrib.admin.decorators import action, display
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.timezone import get_current_timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from accounts.access import access_api_key, visible_api_keys
from accounts.console.acting import actor_of
from accounts.console.fields import text
from accounts.keys import LONGEST_NAME, create_api_key, revoke_api_key
from accounts.models import ApiKey
from accounts.roles import KEY_SCOPES, Action
from ticketing import clock
from ticketing.console.admin import ServiceModelAdmin
from ticketing.console.display import badge, moment
from ticketing.console.forms import ServiceForm
from ticketing.console.site import site
from ticketing.errors import NotFound
from ticketing.mongo.models import TenantQuerySet


class ApiKeyForm(ServiceForm):
    name = text(gettext_lazy("Name"), LONGEST_NAME, help_text=gettext_lazy("What uses it."))
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Scopes"),
        choices=[(scope, scope) for scope in KEY_SCOPES],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=gettext_lazy("Each level includes the ones before it. A key never does more than you may."),
    )
    expires_at = forms.DateField(
        label=gettext_lazy("Works until"),
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}),
        help_text=gettext_lazy("The end of that day in your time zone. Empty: until it is revoked."),
    )

    class Meta:
        model = ApiKey
        fields = ()

    def clean_expires_at(self) -> datetime | None:
        day = self.cleaned_data["expires_at"]
        return datetime.combine(day, time(23, 59, 59), get_current_timezone()) if day else None


class ApiKeyAdmin(ServiceModelAdmin):
    permissions = {"view": Action.API_KEYS_MANAGE, "add": Action.API_KEYS_MANAGE}
    navigation_group = gettext_lazy("Administration")
    navigation_icon = "key"
    navigation_position = 52
    add_title = gettext_lazy("New API key")
    empty_text = gettext_lazy("An integration signs in with a key of its own, which may do no more than it needs.")
    title = gettext_lazy("API keys")
    form = ApiKeyForm
    list_display = ("name", "beginning", "scope_list", "state", "last_used", "created")
    list_display_links = None
    ordering = ("-created_at",)
    sortable_by = ()
    actions = ("revoke",)

    def get_queryset(self, request: HttpRequest) -> TenantQuerySet:
        return visible_api_keys(actor_of(request))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> ApiKey | None:
        try:
            return access_api_key(actor_of(request), object_id)
        except NotFound:
            return None

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """A key that exists is only looked at."""
        if obj is None:
            return super().get_fields(request, obj)
        return ["name", "beginning", "scope_list", "state", "last_used", "created"]

    @display(description=gettext_lazy("Begins with"))
    def beginning(self, key: ApiKey) -> str:
        return f"{key.prefix}…"

    @display(description=gettext_lazy("Scopes"))
    def scope_list(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @display(description=gettext_lazy("State"))
    def state(self, key: ApiKey) -> SafeString:
        if key.revoked_at:
            return badge("inactive", _("Revoked"))
        if key.expires_at and key.expires_at <= clock.now():
            return badge("inactive", _("Expired"))
        return badge("active", _("Active"))

    @display(description=gettext_lazy("Last used"))
    def last_used(self, key: ApiKey) -> SafeString:
        return moment(key.last_used_at)

    @display(description=gettext_lazy("Created"))
    def created(self, key: ApiKey) -> SafeString:
        return moment(key.created_at)

    @action(description=gettext_lazy("Revoke…"), permissions=["add"])
    def revoke(self, request: HttpRequest, queryset: TenantQuerySet) -> HttpResponse | None:
        """Asks first: a revoked key never works again."""
        actor = actor_of(request)
        if "confirmed" in request.POST:
            self.work_on_selected(request, queryset, lambda key: revoke_api_key(actor, key.pk))
            return None
        keys = self.selected_rows(request, queryset)
        if not keys:
            return None
        return self.ask_first(
            request,
            title=_("Revoke API keys"),
            text=_("What signs in with them is refused from then on. This cannot be undone."),
            names=[f"{key.name} ({key.prefix}…)" for key in keys],
            button=_("Revoke for good"),
            back=self.changelist_url,
            given=[("action", "revoke"), *((ACTION_CHECKBOX_NAME, key.pk) for key in keys)],
        )

    def create_through_service(self, request: HttpRequest, values: dict[str, Any]) -> ApiKey:
        key, request.secret = create_api_key(actor_of(request), **values)  # type: ignore[attr-defined]
        return key

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("The key %(name)s") % {"name": obj.name},
            "label": _("Integrations send it as the header “Authorization: Api-Key …”:"),
            "secret": request.secret,  # type: ignore[attr-defined]
            "hint": _("It is not stored and not shown again. Copy it now."),
            "back": self.changelist_url,
        }
        return TemplateResponse(request, "accounts/console/shown_once.html", context)


site.register(ApiKey, ApiKeyAdmin)
