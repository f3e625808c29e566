"""/teams: the groups of staff that tickets are given to."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import access_team, count_accounts, page_of_accounts, visible_teams
from accounts.api import serializers as s
from accounts.api.filters import TeamFilters
from accounts.models import Team
from accounts.roles import Action
from accounts.teams import change_team, create_team, deactivate_team
from ticketing.api.pagination import COUNT_CAP, page_request, wants_count
from ticketing.api.views import ApiView


class TeamsView(ApiView):
    """The teams of the tenant by name, and new ones."""

    tag = "teams"
    actions = {"GET": Action.TEAMS_READ, "POST": Action.TEAMS_MANAGE}
    inputs = {"POST": s.NewTeamInput}
    outputs = {"GET": s.TeamOutput, "POST": s.TeamOutput}
    errors = {"POST": [409]}
    filters = TeamFilters
    paginated = True

    def get(self, request: Request) -> Response:
        filters = self.filtered(TeamFilters, visible_teams(self.actor))
        page = page_of_accounts(self.actor, filters.qs, filters.sort, page_request(request))
        count = count_accounts(self.actor, filters.qs, cap=COUNT_CAP + 1) if wants_count(request) else None
        return self.page(page, [s.show_team(Team.from_document(row)) for row in page.rows], count)

    def post(self, request: Request) -> Response:
        """Creates a team."""
        team = create_team(self.actor, **self.validated())
        return self.created(s.show_team(team), f"{request.path}/{team.pk}", version=team.version)


class TeamView(ApiView):
    """One team."""

    tag = "teams"
    versioned = True
    actions = {"GET": Action.TEAMS_READ, "PATCH": Action.TEAMS_MANAGE, "DELETE": Action.TEAMS_MANAGE}
    inputs = {"PATCH": s.TeamInput}
    outputs = {"GET": s.TeamOutput, "PATCH": s.TeamOutput}
    errors = {"GET": [404], "PATCH": [404, 409], "DELETE": [404]}

    def get(self, request: Request, id: str) -> Response:
        team = access_team(self.actor, id)
        return self.answer(s.show_team(team), version=team.version)

    def patch(self, request: Request, id: str) -> Response:
        """Renames, closes or reopens a team."""
        team = access_team(self.actor, id)
        version = self.expected_version(team.version)
        changed = change_team(self.actor, team.pk, self.validated(), expected_version=version)
        return self.answer(s.show_team(changed), version=changed.version)

    def delete(self, request: Request, id: str) -> Response:
        """Deactivates: tickets keep naming it."""
        team = access_team(self.actor, id)
        deactivate_team(self.actor, team.pk, expected_version=self.expected_version(team.version))
        return Response(status=204)
