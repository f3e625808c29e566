"""The queue's views and filters. All of them narrow by indexed columns; all of them are parameters of the URL."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.console.acting import actor_of
from ticketing.console.filters import LinkFilter, SelectFilter, TextFilter
from ticketing.mongo import ObjectId, parse_object_id
from tickets.console.choices import agent_choices, team_choices
from tickets.models import Priority, Status
from tickets.rules import fold_tag
from tickets.workflow.rules import UNRESOLVED

ME, NOBODY = "me", "none"


@dataclass(frozen=True, slots=True)
class QueueView:
    """A named part of the queue; ``assignee`` is ME, NOBODY or empty for anybody."""

    name: str
    title: Any
    icon: str
    statuses: tuple[str, ...] = ()
    assignee: str = ""


VIEWS = {
    view.name: view
    for view in (
        QueueView("mine", _("My open tickets"), "person", UNRESOLVED, ME),
        QueueView("unassigned", _("Unassigned"), "person_off", UNRESOLVED, NOBODY),
        QueueView("open", _("All open"), "inbox", UNRESOLVED),
        QueueView("resolved", _("Recently resolved"), "task_alt", (Status.RESOLVED.value,)),
        QueueView("all", _("All tickets"), "stacks"),
    )
}


def view_of(request: HttpRequest) -> QueueView:
    """The view that the URL names; all tickets for a search without one, else all open ones."""
    return VIEWS.get(request.GET.get("view", "")) or VIEWS["all" if request.GET.get("q") else "open"]


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
        view = view_of(request)
        if view.statuses and not request.GET.get("status"):
            queryset = queryset.filter(status__in=view.statuses)
        return queryset.filter(assigned_to(request, view.assignee)) if view.assignee else queryset


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

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(assigned_to(request, value))


class TeamFilter(SelectFilter):
    title, parameter_name = _("Team"), "team"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return team_choices(request)

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(team_id=_id(value))


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


def _id(value: str) -> ObjectId:
    """The id in a URL; one that is none stands for an id that nothing has."""
    return parse_object_id(value) or ObjectId("0" * 24)
