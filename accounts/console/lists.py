"""Lists of a few columns whose filters are choices: what the account lists share."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from ticketing.console.filters import SelectFilter


class ActiveFilter(SelectFilter):
    title, parameter_name = _("State"), "active"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Active")), ("no", _("Inactive"))]

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(is_active=value == "yes")


class RoleFilter(SelectFilter):
    title, parameter_name = _("Role"), "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return User.ROLES[:-1]
