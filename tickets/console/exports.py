"""Exports of everything a tenant owns: asked for, followed and downloaded by its admins."""

from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.decorators import display
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from accounts.console.acting import actor_of
from accounts.roles import Action
from ticketing.console.admin import ServiceModelAdmin
from ticketing.console.display import badge, coming, moment
from ticketing.console.refusals import explain
from ticketing.console.site import site
from ticketing.errors import NotFound, TicketingError
from ticketing.mongo.models import TenantQuerySet
from tickets.people import find_people
from tickets.transfer.exports import (
    find_pending_export,
    is_kept,
    remove_export,
    request_export,
    visible_exports,
)
from tickets.transfer.models import Export, ExportState


class ExportAdmin(ServiceModelAdmin):
    permissions = {"view": Action.EXPORTS_MANAGE}
    title = gettext_lazy("Exports")
    navigation_group = gettext_lazy("Administration")
    navigation_icon = "archive"
    navigation_position = 57
    list_display = ("requested", "by", "state_badge", "size", "kept_until", "offered")
    list_display_links = None
    list_before_template = "tickets/console/exports.html"
    ordering = ("-requested_at",)
    sortable_by = ()
    actions = ()
    empty_text = gettext_lazy("Press “Export everything”: the file to download appears here when it is made.")

    def get_queryset(self, request: HttpRequest) -> TenantQuerySet:
        return visible_exports(actor_of(request))

    class Media:
        css: ClassVar[dict[str, list[str]]] = {"all": ["tickets/console/exports.css"]}

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Model | None:
        """None: all there is to know of an export is in the list."""
        return None

    def prepare_rows(self, request: HttpRequest, rows: list[Export]) -> list[Export]:
        people = find_people(actor_of(request), [row.requested_by_id for row in rows])
        for row in rows:
            row.by_name = people.get(row.requested_by_id, {}).get("name", "–")  # type: ignore[attr-defined]
        return rows

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.can(request, "view"):
            return super().changelist_view(request, extra_context)
        return super().changelist_view(request, {**self._under_way(request), **(extra_context or {})})

    # --- display --------------------------------------------------------------------------------------------------

    @display(description=gettext_lazy("Asked for"))
    def requested(self, export: Export) -> SafeString:
        return moment(export.requested_at)

    @display(description=gettext_lazy("By"))
    def by(self, export: Any) -> str:
        return str(export.by_name)

    @display(description=gettext_lazy("State"))
    def state_badge(self, export: Export) -> SafeString:
        """With the reason of a failure."""
        look = "active" if export.state == ExportState.DONE else "inactive"
        return format_html("{} {}", badge(look, export.get_state_display()), export.error)

    @display(description=gettext_lazy("Size"))
    def size(self, export: Export) -> str:
        return "–" if export.bytes is None else filesizeformat(export.bytes)

    @display(description=gettext_lazy("Removal"))
    def kept_until(self, export: Export) -> SafeString:
        return moment(None) if export.expires_at is None else coming(export.expires_at)

    @display(description=gettext_lazy("Actions"))
    def offered(self, export: Any) -> SafeString:
        """The download of a finished one, and the removal of any."""
        is_ready = export.state == ExportState.DONE and is_kept(vars(export))
        link = reverse("export-download", args=[export.pk])
        offer = format_html('<a class="console-button" href="{}" download>{}</a>', link, _("Download"))
        label = _("Remove") if export.finished_at else _("Give up")
        # The rows stand in the list's form, which brings the token against forgery.
        address = reverse("console:tickets_export_remove", args=[export.pk])
        button = format_html('<button class="console-button" formaction="{}">{}</button>', address, label)
        return format_html('<div class="export-actions">{}{}</div>', offer if is_ready else "", button)

    # --- what is done ---------------------------------------------------------------------------------------------

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("request/", "tickets_export_request", self.request_one),
            ("progress/", "tickets_export_progress", self.progress),
            ("<str:object_id>/remove/", "tickets_export_remove", self.remove),
        )

    @method_decorator(require_POST)
    def request_one(self, request: HttpRequest, model_admin: Any) -> HttpResponse:
        """Queues an export."""
        self.check_may(request, "view")
        try:
            request_export(actor_of(request))
        except TicketingError as error:
            self.message_user(request, explain(error), messages.ERROR)
        return HttpResponseRedirect(self.changelist_url)

    def progress(self, request: HttpRequest, model_admin: Any) -> HttpResponse:
        """How far the one under way is, as the list's page shows it; once there is none, the page is loaded anew."""
        self.check_may(request, "view")
        context = self._under_way(request)
        response = TemplateResponse(request, "tickets/console/export_progress.html", context)
        if context["pending"] is None:
            response.headers["HX-Refresh"] = "true"
        return response

    @method_decorator(require_POST)
    def remove(self, request: HttpRequest, object_id: str, model_admin: Any) -> HttpResponse:
        """Removes an export with its file; one that is under way is given up."""
        self.check_may(request, "view")
        try:
            remove_export(actor_of(request), object_id)
        except NotFound:
            return self.missing(request)
        self.message_user(request, _("The export is removed."), messages.SUCCESS)
        return HttpResponseRedirect(self.changelist_url)

    def _under_way(self, request: HttpRequest) -> dict[str, Any]:
        return {"pending": find_pending_export(actor_of(request))}


site.register(Export, ExportAdmin)
