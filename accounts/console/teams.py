"""The tenant's teams, for its admins; agents see them."""

from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.contrib.admin.decorators import display
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from accounts.access import access_team, members_of_team, visible_teams, visible_users
from accounts.console.acting import actor_of
from accounts.console.fields import switch, text
from accounts.models import Team, User
from accounts.roles import STAFF_ROLES, Action
from accounts.teams import LONGEST_NAME, change_team, create_team
from ticketing.console.admin import ServiceModelAdmin
from ticketing.console.display import badge
from ticketing.console.forms import ServiceForm
from ticketing.console.site import site
from ticketing.errors import NotFound
from ticketing.mongo import ObjectId, parse_object_id
from ticketing.mongo.models import TenantQuerySet

SHOWN_MEMBERS = 100
_MOST_STAFF = 500  # longer lists do not make good menus


class NewTeamForm(ServiceForm):
    name = text(gettext_lazy("Name"), LONGEST_NAME)

    class Meta:
        model = Team
        fields = ()


class TeamForm(NewTeamForm):
    is_active = switch(gettext_lazy("Active"), help_text=gettext_lazy("Nothing new is given to an inactive team."))
    member_ids = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Members"),
        required=False,
        coerce=ObjectId,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=gettext_lazy("For agents and admins."),
    )
    api_names: ClassVar[dict[str, str]] = {"team_ids": "member_ids"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        staff = visible_users(actor_of(self.request)).filter(
            role__in=[str(role) for role in STAFF_ROLES], is_active=True
        )
        people = sorted(staff[:_MOST_STAFF].documents("name", "team_ids"), key=lambda row: row["name"].casefold())
        field = self.fields["member_ids"]
        assert isinstance(field, forms.TypedMultipleChoiceField)
        field.choices = [(str(row["_id"]), row["name"]) for row in people]
        self.initial["member_ids"] = [row["_id"] for row in people if self.instance.pk in row["team_ids"]]

    @property
    def changes(self) -> dict[str, Any]:
        """Of the members only those who come and go: whom a colleague adds meanwhile stays."""
        changes = super().changes
        if "member_ids" in changes:
            name = self.add_initial_prefix("member_ids")
            assert isinstance(self.data, QueryDict)
            seen = {id_ for id_ in map(parse_object_id, self.data.getlist(name)) if id_}
            wanted = set(changes.pop("member_ids"))
            changes |= {"joining": wanted - seen, "leaving": seen - wanted}
        return changes


class TeamAdmin(ServiceModelAdmin):
    permissions = {"view": Action.TEAMS_MANAGE, "add": Action.TEAMS_MANAGE, "change": Action.TEAMS_MANAGE}
    navigation_group = gettext_lazy("Administration")
    navigation_icon = "groups"
    navigation_position = 51
    add_title = gettext_lazy("New team")
    empty_text = gettext_lazy("Tickets can be given to a team, and views shared with it. Create the first one.")
    form = TeamForm
    add_form = NewTeamForm
    change_form_template = "accounts/console/team.html"
    add_form_template = "console/change_form.html"
    list_display = ("name", "state")
    ordering = ("name",)
    unique_orderings = ("name",)
    sortable_by = ()
    actions = ()

    def get_queryset(self, request: HttpRequest) -> TenantQuerySet:
        return visible_teams(actor_of(request))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Team | None:
        try:
            return access_team(actor_of(request), object_id)
        except NotFound:
            return None

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        team = context["original"]
        if team is not None:
            found = members_of_team(actor_of(request), team.pk, at_most=SHOWN_MEMBERS + 1)
            query = urlencode({"team": team.pk})
            context |= {
                "members": [
                    (member, badge(member.role, dict(User.ROLES)[member.role])) for member in found[:SHOWN_MEMBERS]
                ],
                "has_more_members": len(found) > SHOWN_MEMBERS,
                "members_url": f"{reverse('console:accounts_user_changelist')}?{query}",
            }
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    @display(description=gettext_lazy("State"))
    def state(self, team: Team) -> SafeString:
        return badge("active", _("Active")) if team.is_active else badge("inactive", _("Inactive"))

    def create_through_service(self, request: HttpRequest, values: dict[str, Any]) -> Team:
        return create_team(actor_of(request), **values)

    def change_through_service(
        self, request: HttpRequest, obj: Team, changes: dict[str, Any], expected_version: int | None
    ) -> Team:
        fields = dict(changes)
        joining, leaving = fields.pop("joining", ()), fields.pop("leaving", ())
        return change_team(
            actor_of(request),
            obj.pk,
            fields,
            expected_version=expected_version,
            joining=joining,
            leaving=leaving,
        )


site.register(Team, TeamAdmin)
