"""Legal holds and erasures, and what retention would remove; for the tenant's admins."""

import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from django import forms
from django.contrib.admin.decorators import action, display
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.access import access_user
from accounts.console.acting import actor_of
from accounts.console.fields import select, switch, text
from accounts.models import User
from accounts.roles import Action
from tenants.models import Tenant
from ticketing.console.admin import ServiceModelAdmin
from ticketing.console.display import badge, moment
from ticketing.console.forms import ServiceForm
from ticketing.console.navigation import Item
from ticketing.console.refusals import explain
from ticketing.console.site import site
from ticketing.errors import InvalidInput, NotFound, TicketingError
from ticketing.mongo.models import TenantQuerySet
from tickets.models import Ticket
from tickets.privacy.erasure import (
    access_erasure,
    find_user_to_erase,
    preview_erasure,
    request_erasure,
    visible_erasures,
)
from tickets.privacy.holds import access_hold, lift_hold, names_of_targets, place_hold, visible_holds
from tickets.privacy.models import Erasure, ErasureState, HoldTarget, LegalHold
from tickets.privacy.retention import preview_retention
from tickets.privacy.rules import MAX_REASON

_PAGES = {
    HoldTarget.TICKET: "console:tickets_ticket_change",
    HoldTarget.USER: "console:accounts_user_change",
    HoldTarget.TENANT: "console:tenants_tenant_change",
}


class HoldForm(ServiceForm):
    """Places a hold."""

    target = select(gettext_lazy("On"), HoldTarget.choices)
    reference = text(
        gettext_lazy("Which"),
        254,
        required=False,
        help_text=gettext_lazy("A ticket's number, or a person's e-mail address; nothing for a hold on everything."),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=MAX_REASON, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )

    class Meta:
        model = LegalHold
        fields = ()


class ErasureForm(ServiceForm):
    """Erases somebody: his address, typed once more, is the confirmation."""

    user = forms.CharField(label=gettext_lazy("User"), required=False, widget=forms.HiddenInput)
    email = text(gettext_lazy("E-mail address of the account"), 254, help_text=gettext_lazy("Type it to confirm."))
    content = switch(gettext_lazy("Also remove text and files"))

    class Meta:
        model = Erasure
        fields = ()


class PrivacyAdmin(ServiceModelAdmin):
    """What is placed or asked for, and only looked at from then on."""

    permissions = {"view": Action.PRIVACY_MANAGE, "add": Action.PRIVACY_MANAGE}
    navigation_group = gettext_lazy("Administration")
    list_display_links = None
    sortable_by = ()
    shown: tuple[str, ...] = ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return super().get_fields(request, obj) if obj is None else list(self.shown)

    def add_link(self, **given: str) -> str:
        """The page for a new one, with some of it filled in."""
        return f"{reverse(f'console:{self.opts.app_label}_{self.opts.model_name}_add')}?{urlencode(given)}"


class HoldAdmin(PrivacyAdmin):
    title = gettext_lazy("Legal holds")
    navigation_icon = "gavel"
    navigation_position = 55
    add_title = gettext_lazy("New legal hold")
    empty_text = gettext_lazy("A hold keeps a ticket, a person's data or all there is from being removed.")
    form = HoldForm
    list_display = ("reason", "target_name", "which", "state", "placed", "lifted")
    shown = list_display
    ordering = ("-placed_at",)
    actions = ("lift",)

    def get_queryset(self, request: HttpRequest) -> TenantQuerySet:
        return visible_holds(actor_of(request))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> LegalHold | None:
        try:
            hold = LegalHold.from_document(access_hold(actor_of(request), object_id))
        except NotFound:
            return None
        return self.prepare_rows(request, [hold])[0]

    def prepare_rows(self, request: HttpRequest, rows: list[LegalHold]) -> list[LegalHold]:
        names = names_of_targets(actor_of(request), rows)
        for row in rows:
            row.which_name = names.get(row.target_id, "")  # type: ignore[attr-defined]
        return rows

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Links name a person by id; the form shows his address."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        if initial.get("target") == HoldTarget.USER:
            with suppress(NotFound):
                initial["reference"] = access_user(actor_of(request), initial.get("reference", "")).email
        return initial

    def get_page_links(self, request: HttpRequest, obj: Model) -> Iterable[Item]:
        targets: dict[type[Model], HoldTarget] = {
            User: HoldTarget.USER,
            Ticket: HoldTarget.TICKET,
            Tenant: HoldTarget.TENANT,
        }
        target = targets.get(type(obj))
        if target is not None and self.can(request, "add") and _is_of_actor(request, obj):
            reference = "" if target == HoldTarget.TENANT else str(getattr(obj, "number", obj.pk))
            link = self.add_link(target=target.value, reference=reference)
            yield Item("", _("Place a legal hold"), link, self.navigation_icon)

    @display(description=gettext_lazy("On"))
    def target_name(self, hold: LegalHold) -> str:
        return str(hold.get_target_display())

    @display(description=gettext_lazy("Which"))
    def which(self, hold: Any) -> SafeString:
        """The way to what it is on."""
        link = reverse(_PAGES[HoldTarget(hold.target)], args=[hold.target_id])
        return format_html('<a class="console-link" href="{}">{}</a>', link, hold.which_name or _("Everything"))

    @display(description=gettext_lazy("State"))
    def state(self, hold: LegalHold) -> SafeString:
        return badge("inactive", _("Lifted")) if hold.lifted_at else badge("active", _("Stands"))

    @display(description=gettext_lazy("Placed"))
    def placed(self, hold: LegalHold) -> SafeString:
        return moment(hold.placed_at)

    @display(description=gettext_lazy("Lifted"))
    def lifted(self, hold: LegalHold) -> SafeString:
        return moment(hold.lifted_at)

    @action(description=gettext_lazy("Lift"), permissions=["add"])
    def lift(self, request: HttpRequest, queryset: TenantQuerySet) -> None:
        actor = actor_of(request)
        self.work_on_selected(request, queryset, lambda hold: lift_hold(actor, hold.pk))

    def create_through_service(self, request: HttpRequest, values: dict[str, Any]) -> LegalHold:
        try:
            return LegalHold.from_document(place_hold(actor_of(request), **values))
        except NotFound as error:
            raise InvalidInput.of("reference", _("names nothing that exists"), "not_found") from error


class ErasureAdmin(PrivacyAdmin):
    title = gettext_lazy("Erasures")
    navigation_icon = "person_cancel"
    navigation_position = 56
    add_title = gettext_lazy("Erase somebody")
    empty_text = gettext_lazy("Whoever asks to be forgotten becomes a pseudonym; each erasure keeps a receipt here.")
    form = ErasureForm
    add_form_template = "tickets/console/erasure.html"
    list_display = ("name", "state_badge", "with_content", "requested", "finished")
    shown = (*list_display, "receipt_text")
    ordering = ("-requested_at",)
    actions = ()

    def get_queryset(self, request: HttpRequest) -> TenantQuerySet:
        return visible_erasures(actor_of(request))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Erasure | None:
        try:
            return Erasure.from_document(access_erasure(actor_of(request), object_id))
        except NotFound:
            return None

    def get_page_links(self, request: HttpRequest, obj: Model) -> Iterable[Item]:
        if not self.can(request, "add"):
            return
        if isinstance(obj, User) and not obj.erased_at:
            yield Item("", _("Erase this person"), self.add_link(user=str(obj.pk)), self.navigation_icon)
        if isinstance(obj, Tenant) and _is_of_actor(request, obj):
            yield Item("", _("What retention removes"), reverse("console:tickets_erasure_retention"), "preview")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if context["original"] is None:
            context |= _what_goes(request)
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    @display(description=gettext_lazy("Pseudonym"))
    def name(self, erasure: Erasure) -> SafeString:
        link = reverse("console:tickets_erasure_change", args=[erasure.pk])
        return format_html('<a class="console-link" href="{}">{}</a>', link, erasure.pseudonym)

    @display(description=gettext_lazy("State"))
    def state_badge(self, erasure: Erasure) -> SafeString:
        if erasure.hold_id:
            return badge("inactive", _("Stopped by a legal hold"))
        is_done = erasure.state == ErasureState.DONE
        return badge("active" if is_done else "inactive", erasure.get_state_display())

    @display(description=gettext_lazy("Text and files"))
    def with_content(self, erasure: Erasure) -> str:
        return _("Removed too") if erasure.content else _("Kept")

    @display(description=gettext_lazy("Asked for"))
    def requested(self, erasure: Erasure) -> SafeString:
        return moment(erasure.requested_at)

    @display(description=gettext_lazy("Finished"))
    def finished(self, erasure: Erasure) -> SafeString:
        return moment(erasure.finished_at)

    @display(description=gettext_lazy("Receipt"))
    def receipt_text(self, erasure: Erasure) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(erasure.receipt, indent=2) if erasure.receipt else "–")

    def create_through_service(self, request: HttpRequest, values: dict[str, Any]) -> Erasure:
        actor = actor_of(request)
        user_id = find_user_to_erase(actor, values["email"])
        if user_id is None or values["user"] not in ("", str(user_id)):
            raise InvalidInput.of("email", "is not the address of the account", "not_found")
        return Erasure.from_document(request_erasure(actor, user_id, content=values["content"]))

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("retention/", "tickets_erasure_retention", self.preview),)

    def preview(self, request: HttpRequest, model_admin: Any) -> HttpResponse:
        """What the next run of retention removes."""
        if not self.can(request, "view"):
            raise PermissionDenied
        actor = actor_of(request)
        context = {
            **self.admin_site.each_context(request),
            "title": _("What retention removes"),
            "preview": preview_retention(actor),
            "keeps_all": not (actor.tenant.retention_ticket_days or actor.tenant.retention_user_days),
            "settings_url": reverse("console:tenants_tenant_change", args=[actor.tenant_id]),
            "opts": self.opts,
        }
        return TemplateResponse(request, "tickets/console/retention.html", context)


def _is_of_actor(request: HttpRequest, obj: Model) -> bool:
    """False for another tenant's settings, which an operator may be looking at meanwhile."""
    return not isinstance(obj, Tenant) or obj.pk == actor_of(request).tenant_id


def _what_goes(request: HttpRequest) -> dict[str, Any]:
    """The person and what is kept of him, or why he cannot be erased; nothing where nobody is named yet."""
    named = request.POST.get("user") or request.GET.get("user")
    if not named:
        return {}
    actor = actor_of(request)
    try:
        person = access_user(actor, named)
        return {"person": person, "goes": preview_erasure(actor, person.pk, content=True)}
    except NotFound:
        return {}
    except TicketingError as error:
        return {"person": person, "refused": explain(error)}


site.register(LegalHold, HoldAdmin)
site.register(Erasure, ErasureAdmin)
