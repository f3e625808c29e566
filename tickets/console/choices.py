"""Whom a ticket can be given to, as choices of forms and filters: read once for a request."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest

from accounts.access import visible_teams
from accounts.console.acting import actor_of
from accounts.models import User, email_key
from accounts.roles import STAFF_ROLES
from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Document
from tickets.people import find_people_staff_and_teams

Choices = list[tuple[str, str]]
# Longer lists do not make good menus.
_MOST = 500
_SUGGESTED, _SHORTEST = 10, 2


def agent_choices(request: HttpRequest) -> Choices:
    """The tenant's active staff by name."""
    staff = User.objects.filter(role__in=[str(role) for role in STAFF_ROLES], is_active=True)
    return _once(request, "_agent_choices", staff)


def team_choices(request: HttpRequest) -> Choices:
    """The tenant's active teams by name."""
    teams = visible_teams(actor_of(request)).filter(is_active=True)
    return _once(request, "_team_choices", teams)


def people_and_choices(request: HttpRequest, ids: Iterable[ObjectId | None]) -> dict[ObjectId, Document]:
    """These people and the staff by their ids; the same query serves ``agent_choices`` and ``team_choices`` too."""
    people = find_people_staff_and_teams(actor_of(request), ids, at_most=_MOST)
    _keep(request, "_agent_choices", people.staff)
    _keep(request, "_team_choices", people.teams)
    request._people = people.by_id  # type: ignore[attr-defined]
    return people.by_id


def known_name(request: HttpRequest, id_: ObjectId | None) -> str:
    """The name of somebody whom ``people_and_choices`` has read for this request; empty for anybody else."""
    people: dict[ObjectId | None, Document] = getattr(request, "_people", {})
    return people[id_]["name"] if id_ in people else ""


def find_staff() -> list[dict[str, str]]:
    """``email`` and ``name`` of the tenant's active staff by name, for whoever is to be mentioned."""
    staff = User.objects.filter(role__in=[str(role) for role in STAFF_ROLES], is_active=True)[:_MOST]
    found = [{"email": row["email"], "name": row["name"]} for row in staff.documents("email", "name")]
    return sorted(found, key=lambda person: person["name"].casefold())


def find_addresses(beginning: str) -> list[dict[str, str]]:
    """``email`` and ``name`` of the first few active accounts whose address begins so."""
    key = email_key(beginning)
    if len(key) < _SHORTEST or "\0" in key:
        return []
    found = User.objects.filter(email_key__startswith=key, is_active=True).order_by("email_key")[:_SUGGESTED]
    return [{"email": row["email"], "name": row["name"]} for row in found.documents("email", "name")]


def _once(request: HttpRequest, name: str, rows: Any) -> Choices:
    choices: Choices | None = getattr(request, name, None)
    return _keep(request, name, rows[:_MOST].documents("name")) if choices is None else choices


def _keep(request: HttpRequest, name: str, rows: Iterable[Document]) -> Choices:
    choices = sorted(((str(row["_id"]), row["name"]) for row in rows), key=lambda choice: choice[1].casefold())
    setattr(request, name, choices)
    return choices
