"""Lists of a few columns whose filters are choices: what the account lists share."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.access import visible_teams
from accounts.console.acting import actor_of
from accounts.models import User
from ticketing.console.filters import SelectFilter
from ticketing.mongo import parse_object_id


class ActiveFilter(SelectFilter):
    title, parameter_name = _("State"), "active"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Active")), ("no", _("Inactive"))]

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(is_active=value == "yes")


class TeamFilter(SelectFilter):
    title, parameter_name = _("Team"), "team"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        teams = visible_teams(actor_of(request)).order_by("name")
        return [(str(row["_id"]), row["name"]) for row in teams.documents("name")]

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        team_id = parse_object_id(value)
        return queryset.filter(team_ids__overlap=[team_id]) if team_id else queryset.none()


class RoleFilter(SelectFilter):
    title, parameter_name = _("Role"), "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return User.ROLES[:-1]
