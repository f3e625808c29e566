"""Lists of a few columns whose filters are choices: what the account lists share."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from ticketing.console.filters import SelectFilter
from ticketing.mongo.models import ServiceWrittenQuerySet


class ActiveFilter(SelectFilter):
    title, parameter_name = _("State"), "active"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Active")), ("no", _("Inactive"))]

    def narrow(self, request: HttpRequest, queryset: ServiceWrittenQuerySet, value: str) -> ServiceWrittenQuerySet:
        found: ServiceWrittenQuerySet = queryset.filter(is_active=value == "yes")
        return found


class RoleFilter(SelectFilter):
    title, parameter_name = _("Role"), "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return User.ROLES[:-1]
