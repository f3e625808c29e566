"""The queue's views and filters. All of them narrow by indexed columns; all of them are parameters of the URL."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.console.acting import actor_of
from ticketing import clock
from ticketing.console.filters import LinkFilter, SelectFilter, TextFilter
from ticketing.mongo import ObjectId, parse_object_id
from tickets.console.choices import agent_choices, known_name, team_choices
from tickets.models import Priority, Status
from tickets.rules import fold_tag
from tickets.workflow.rules import UNRESOLVED

ME, NOBODY = "me", "none"
TEAM = "team-"
RECENT_DAYS = 14
_LONGEST_AGE = 36500


@dataclass(frozen=True, slots=True)
class QueueView:
    """A named part of the queue; ``assignee`` is ME, NOBODY or empty for anybody, ``team`` an id or empty for any.

    A recent one has the tickets in which something has happened in the last RECENT_DAYS.
    """

    name: str
    title: Any
    icon: str
    statuses: tuple[str, ...] = ()
    assignee: str = ""
    team: str = ""
    is_following: bool = False
    is_recent: bool = False

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], *, statuses: bool = True) -> QuerySet[Any]:
        """The view's tickets; those in any status where its own ``statuses`` do not count."""
        if statuses and self.statuses:
            queryset = queryset.filter(status__in=self.statuses)
        if self.assignee:
            queryset = queryset.filter(assigned_to(request, self.assignee))
        if self.team:
            queryset = queryset.filter(team_id=_id(self.team))
        if self.is_following:
            queryset = queryset.filter(participant_ids__contains=[actor_of(request).user_id])
        if self.is_recent:
            queryset = queryset.filter(updated_at__gte=clock.now() - timedelta(days=RECENT_DAYS))
        return queryset


VIEWS = {
    view.name: view
    for view in (
        QueueView("mine", _("My open tickets"), "person", UNRESOLVED, ME),
        QueueView("unassigned", _("Unassigned"), "person_off", UNRESOLVED, NOBODY),
        QueueView("open", _("All open"), "inbox", UNRESOLVED),
        QueueView("following", _("Following"), "notifications", UNRESOLVED, is_following=True),
        QueueView("resolved", _("Recently resolved"), "task_alt", (Status.RESOLVED.value,), is_recent=True),
        QueueView("all", _("All tickets"), "stacks"),
    )
}


def view_of(request: HttpRequest) -> QueueView:
    """The view that the URL names; all tickets for a search without one, else all open ones."""
    name = request.GET.get("view", "")
    if name.startswith(TEAM):
        return team_view(request, name.removeprefix(TEAM))
    return VIEWS.get(name) or VIEWS["all" if request.GET.get("q") else "open"]


def team_view(request: HttpRequest, team: str) -> QueueView:
    """The open tickets of a team."""
    title = dict(team_choices(request)).get(team, _("Team"))
    return QueueView(f"{TEAM}{team}", title, "groups", UNRESOLVED, team=team)


def team_views(request: HttpRequest) -> list[QueueView]:
    """A view for each of the person's teams, by name."""
    teams = {str(id_) for id_ in getattr(request.user, "team_ids", ())}
    return [team_view(request, id_) for id_, _name in team_choices(request) if id_ in teams]


def assigned_to(request: HttpRequest, value: str) -> Q:
    """What ``me``, ``none`` or an id asks of a ticket's assignee."""
    if value == NOBODY:
        return Q(assigned_to_id__isnull=True)
    actor = actor_of(request)
    return Q(assigned_to_id=actor.user_id if value == ME else _id(value))


class ViewFilter(LinkFilter):
    title, parameter_name = _("view"), "view"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The view's tickets; a status that is asked for replaces the view's statuses."""
        return view_of(request).narrow(request, queryset, statuses=not request.GET.get("status"))


class SavedViewFilter(LinkFilter):
    """Says which saved view the other parameters came from; they alone narrow."""

    title, parameter_name = _("saved view"), "saved"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset


class StatusFilter(SelectFilter):
    title, parameter_name = _("Status"), "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return Status.choices


class PriorityFilter(SelectFilter):
    title, parameter_name = _("Priority"), "priority"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return Priority.choices


class AssigneeFilter(SelectFilter):
    title, parameter_name = _("Assignee"), "assignee"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(ME, _("Me")), (NOBODY, _("Nobody")), *agent_choices(request)]

    def label_of(self, value: str) -> Any:
        return known_name(self.request, parse_object_id(value)) or _("Somebody who is not here")

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(assigned_to(request, value))


class TeamFilter(SelectFilter):
    title, parameter_name = _("Team"), "team"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(NOBODY, _("No team")), *team_choices(request)]

    def label_of(self, value: str) -> Any:
        return _("An inactive team")

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(team_id=None if value == NOBODY else _id(value))


class AgeFilter(SelectFilter):
    """A number of days: older than that, or with a minus younger."""

    title, parameter_name = _("Age"), "age"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("1", _("Older than a day")),
            ("3", _("Older than 3 days")),
            ("7", _("Older than a week")),
            ("30", _("Older than 30 days")),
            ("-1", _("Younger than a day")),
            ("-7", _("Younger than a week")),
        ]

    def label_of(self, value: str) -> Any:
        days = _days(value)
        if days is None:
            return value
        if value.startswith("-"):
            return ngettext("Younger than %(days)d day", "Younger than %(days)d days", days) % {"days": days}
        return ngettext("Older than %(days)d day", "Older than %(days)d days", days) % {"days": days}

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        days = _days(value)
        if days is None:
            return queryset.none()
        since = clock.now() - timedelta(days=days)
        return queryset.filter(**{"created_at__gte" if value.startswith("-") else "created_at__lt": since})


class CategoryFilter(TextFilter):
    title, parameter_name = _("Category"), "category"


class TagFilter(TextFilter):
    title, parameter_name = _("Tag"), "tag"

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(tags__contains=[fold_tag(value)])


class RequesterFilter(LinkFilter):
    title, parameter_name = _("Requester"), "requester"

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(created_by_id=_id(value))


def _days(age: str) -> int | None:
    """The days of an age with or without its minus; None for what is no age."""
    days = age.removeprefix("-")
    is_age = days.isascii() and days.isdecimal() and len(days) < 6 and int(days) <= _LONGEST_AGE
    return int(days) if is_age else None


def _id(value: str) -> ObjectId:
    """The id in a URL; one that is none stands for an id that nothing has."""
    return parse_object_id(value) or ObjectId("0" * 24)
