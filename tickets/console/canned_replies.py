"""Canned replies: everybody's own, their teams', and those of all staff."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.decorators import display
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.console.acting import actor_of
from accounts.console.fields import select, text
from accounts.roles import Action
from ticketing.console.admin import ServiceModelAdmin
from ticketing.console.display import moment
from ticketing.console.forms import ServiceForm
from ticketing.console.navigation import Item
from ticketing.console.refusals import explain
from ticketing.console.site import site
from ticketing.errors import NotAllowed, NotFound
from ticketing.mongo.models import TenantQuerySet
from tickets.canned_replies.access import (
    access_canned_reply,
    can_edit,
    can_share_with_all,
    teams_of,
    visible_canned_replies,
)
from tickets.canned_replies.models import CannedReply
from tickets.canned_replies.rules import MAX_BODY, MAX_NAME, VARIABLES
from tickets.canned_replies.services import (
    EVERYBODY,
    ME,
    audience_of,
    change_canned_reply,
    create_canned_reply,
    delete_canned_reply,
)
from tickets.console.choices import Choices, team_choices


class CannedReplyForm(ServiceForm):
    """Name, text and whom it is for."""

    name = text(gettext_lazy("Name"), MAX_NAME)
    body = forms.CharField(
        label=gettext_lazy("Text"),
        max_length=MAX_BODY,
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 10}),
    )
    audience = select(gettext_lazy("For"), ())

    class Meta:
        model = CannedReply
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        variables = ", ".join(f"{{{{ {name} }}}}" for name in VARIABLES)
        self.fields["body"].help_text = _("Markdown. These are filled in: %(variables)s") % {"variables": variables}
        audience = self.fields["audience"]
        assert isinstance(audience, forms.ChoiceField)
        audience.choices = _audiences(self.request)
        if self.instance.pk is not None:
            self.initial["audience"] = audience_of(self.instance.__dict__)


class CannedReplyAdmin(ServiceModelAdmin):
    """Texts that are written once and used often."""

    permissions = {
        "view": Action.TICKETS_EDIT_ALL,
        "add": Action.TICKETS_EDIT_ALL,
        "change": Action.TICKETS_EDIT_ALL,
    }
    title = gettext_lazy("Canned replies")
    navigation_group = gettext_lazy("Tickets")
    navigation_icon = "quickreply"
    navigation_position = 30
    add_title = gettext_lazy("New canned reply")
    empty_text = gettext_lazy("Write down what you answer often; one press puts it into a reply, with names filled in.")
    form = CannedReplyForm
    list_display = ("name", "beginning", "audience", "changed")
    ordering = ("name",)
    sortable_by = ()
    actions = ()

    def get_queryset(self, request: HttpRequest) -> TenantQuerySet:
        return visible_canned_replies(actor_of(request))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> CannedReply | None:
        try:
            return CannedReply.from_document(access_canned_reply(actor_of(request), object_id))
        except NotFound:
            return None

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or can_edit(actor_of(request), obj.__dict__))

    @display(description=gettext_lazy("Text"))
    def beginning(self, reply: CannedReply) -> str:
        return reply.body if len(reply.body) <= 80 else f"{reply.body[:80]}…"

    @display(description=gettext_lazy("For"))
    def audience(self, reply: Any) -> str:
        return str(reply.audience_name)

    @display(description=gettext_lazy("Changed"))
    def changed(self, reply: CannedReply) -> SafeString:
        return moment(reply.updated_at)

    def prepare_rows(self, request: HttpRequest, rows: list[Any]) -> list[Any]:
        names = dict(_audience_names(request))
        for row in rows:
            row.audience_name = names.get(audience_of(row.__dict__), _("An inactive team"))
        return rows

    def get_page_links(self, request: HttpRequest, obj: Model) -> Iterable[Item]:
        if isinstance(obj, CannedReply) and self.has_change_permission(request, obj):
            link = reverse("console:tickets_cannedreply_delete", args=[obj.pk])
            yield Item("", _("Remove"), link, "delete")

    def create_through_service(self, request: HttpRequest, values: dict[str, Any]) -> CannedReply:
        return CannedReply.from_document(create_canned_reply(actor_of(request), **values))

    def change_through_service(
        self, request: HttpRequest, obj: CannedReply, changes: dict[str, Any], expected_version: int | None
    ) -> CannedReply:
        changed = change_canned_reply(actor_of(request), obj.pk, changes, expected_version=expected_version)
        return CannedReply.from_document(changed)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Asks first: what is removed cannot be had back."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        reply = self.get_object(request, object_id)
        if reply is None:
            return self.missing(request)
        if request.method == "POST":
            try:
                delete_canned_reply(actor_of(request), reply.pk)
            except NotAllowed as error:
                raise PermissionDenied(explain(error)) from error
            self.message_user(request, _("“%(name)s” was removed.") % {"name": reply.name}, messages.SUCCESS)
            return HttpResponseRedirect(self.changelist_url)
        if not self.has_change_permission(request, reply):
            raise PermissionDenied
        return self.ask_first(
            request,
            title=_("Remove “%(name)s”") % {"name": reply.name},
            text=_("Nobody can use it any more. Answers that were written with it stay. This cannot be undone."),
            button=_("Remove for good"),
            back=reverse("console:tickets_cannedreply_change", args=[reply.pk]),
        )


def _audiences(request: HttpRequest) -> Choices:
    """Whom the person may write for."""
    actor = actor_of(request)
    shares = can_share_with_all(actor)
    own = {str(team_id) for team_id in teams_of(actor)}
    teams = [team for team in team_choices(request) if shares or team[0] in own]
    everybody = [(EVERYBODY, _("All staff"))] if shares else []
    return [(ME, _("Only me")), *everybody, *teams]


def _audience_names(request: HttpRequest) -> Choices:
    return [(ME, _("Only me")), (EVERYBODY, _("All staff")), *team_choices(request)]


site.register(CannedReply, CannedReplyAdmin)
