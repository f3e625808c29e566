"""The tenant's teams, for its admins; agents see them."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.admin.decorators import display
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import access_team, members_of_team, visible_teams
from accounts.console.acting import actor_of
from accounts.console.fields import switch, text
from accounts.models import Team, User
from accounts.roles import Action
from accounts.teams import LONGEST_NAME, change_team, create_team
from ticketing.console.admin import ServiceModelAdmin
from ticketing.console.display import badge
from ticketing.console.forms import ServiceForm
from ticketing.console.site import site
from ticketing.errors import NotFound
from ticketing.mongo.models import TenantQuerySet

SHOWN_MEMBERS = 100


class NewTeamForm(ServiceForm):
    name = text(gettext_lazy("Name"), LONGEST_NAME)

    class Meta:
        model = Team
        fields = ()


class TeamForm(NewTeamForm):
    is_active = switch(gettext_lazy("Active"), help_text=gettext_lazy("Nothing new is given to an inactive team."))


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
        return change_team(actor_of(request), obj.pk, changes, expected_version=expected_version)


site.register(Team, TeamAdmin)
