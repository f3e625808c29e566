"""What the lists of people, teams and keys can be filtered and ordered by."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q

from accounts.roles import TENANT_ROLES
from ticketing.api.filters import ChoicesFilter, FlagFilter, IdsFilter, StrictFilterSet, TimeFilter

_BY_CREATION = {
    "-created_at": (("created_at", -1), ("_id", -1)),
    "created_at": (("created_at", 1), ("_id", 1)),
}


class _TeamsFilter(IdsFilter):
    """Members of any of the teams."""

    def condition(self, value: Sequence[Any]) -> Q:
        return Q(team_ids__overlap=list(value))


class UserFilters(StrictFilterSet):
    orderings = _BY_CREATION

    role = ChoicesFilter("role", TENANT_ROLES)
    is_active = FlagFilter("is_active")
    team = _TeamsFilter("team_ids")
    created_at__gte = TimeFilter("created_at", "gte")
    created_at__lt = TimeFilter("created_at", "lt")


class TeamFilters(StrictFilterSet):
    orderings = {"name": (("name", 1),)}

    is_active = FlagFilter("is_active")


class ApiKeyFilters(StrictFilterSet):
    orderings = _BY_CREATION
