"""What the lists of people, teams and keys can be filtered and ordered by."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q

from accounts.models import email_key
from accounts.roles import TENANT_ROLES
from accounts.services import LONGEST_EMAIL
from ticketing.api.filters import ChoicesFilter, FlagFilter, IdsFilter, StrictFilterSet, TimeFilter, WordsFilter

_BY_CREATION = {
    "-created_at": (("created_at", -1), ("_id", -1)),
    "created_at": (("created_at", 1), ("_id", 1)),
}


class _TeamsFilter(IdsFilter):
    """Members of any of the teams."""

    def condition(self, value: Sequence[Any]) -> Q:
        return Q(team_ids__overlap=list(value))


class _EmailsFilter(WordsFilter):
    """``email=ada@acme.example``: whoever has one of the addresses, as sign-in compares them."""

    def parse(self, text: str) -> str:
        return email_key(super().parse(text))


class UserFilters(StrictFilterSet):
    orderings = _BY_CREATION

    email = _EmailsFilter("email_key", max_length=LONGEST_EMAIL)
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
