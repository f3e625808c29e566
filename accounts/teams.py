"""Teams: groups of staff that tickets are given to. A team is deactivated, never deleted: tickets name it."""

from collections.abc import Collection, Mapping
from typing import Any

from accounts import rules
from accounts.actor import Actor
from accounts.models import Team
from accounts.repository import TeamRepository, UserRepository
from accounts.roles import Action
from accounts.services import change_user
from tenants.rules import differences
from tenants.services import record
from ticketing.clock import now
from ticketing.errors import AlreadyExists, InvalidInput, StaleVersion
from ticketing.mongo import ObjectId
from ticketing.mongo.client import transactional

LONGEST_NAME = 80


@transactional
def create_team(actor: Actor, *, name: str) -> Team:
    """A new, active team. Raises InvalidInput, NotAllowed, AlreadyExists."""
    actor.check(Action.TEAMS_MANAGE)
    name = rules.clean_name(name, LONGEST_NAME)
    _check_free(actor, name)
    team = {"name": name, "is_active": True, "version": 1, "created_at": now()}
    stored = TeamRepository(actor.tenant_id).insert(team)
    record("team.created", by=actor.by, tenant_id=actor.tenant_id, team=str(stored["_id"]))
    return Team.from_document(stored)


@transactional
def change_team(
    actor: Actor,
    team_id: ObjectId,
    changes: Mapping[str, Any],
    *,
    expected_version: int | None = None,
    joining: Collection[ObjectId] = (),
    leaving: Collection[ObjectId] = (),
) -> Team:
    """Changes ``name`` or ``is_active``. Members keep an inactive team, but no new ticket or member can be given to it.

    ``joining`` and ``leaving`` are the people who come into the team and go out of it.
    Raises NotFound, InvalidInput, NotAllowed, AlreadyExists, StaleVersion.
    """
    actor.check(Action.TEAMS_MANAGE)
    teams = TeamRepository(actor.tenant_id)
    before = teams.get(team_id)
    if expected_version not in (None, before["version"]):
        raise StaleVersion(data={"current_version": before["version"]})
    for field in changes.keys() - {"name", "is_active"}:
        raise InvalidInput.of(field, "cannot be changed", "unknown_field")
    _change_members(actor, team_id, joining, leaving)
    cleaned: dict[str, Any] = {}
    if "name" in changes:
        cleaned["name"] = rules.clean_name(changes["name"], LONGEST_NAME)
    if "is_active" in changes:
        cleaned["is_active"] = rules.clean_flag("is_active", changes["is_active"])
    cleaned = {field: value for field, value in cleaned.items() if value != before[field]}
    if not cleaned:
        return Team.from_document(before)
    if "name" in cleaned:
        _check_free(actor, cleaned["name"])
    after = teams.update(team_id, cleaned, expected_version=before["version"])
    told = differences(before, cleaned)
    record("team.changed", by=actor.by, tenant_id=actor.tenant_id, team=str(team_id), changes=told)
    return Team.from_document(after)


def deactivate_team(actor: Actor, team_id: ObjectId, *, expected_version: int | None = None) -> Team:
    """Takes a team out of use. Raises as ``change_team``."""
    return change_team(actor, team_id, {"is_active": False}, expected_version=expected_version)


def _change_members(
    actor: Actor, team_id: ObjectId, joining: Collection[ObjectId], leaving: Collection[ObjectId]
) -> None:
    people = UserRepository(actor.tenant_id)
    for user_id in dict.fromkeys((*joining, *leaving)):
        others = [id_ for id_ in people.get(user_id)["team_ids"] if id_ != team_id]
        change_user(actor, user_id, {"team_ids": [*others, team_id] if user_id in joining else others})


def _check_free(actor: Actor, name: str) -> None:
    if TeamRepository(actor.tenant_id).find_one({"name": name}, fields=["_id"]):
        raise AlreadyExists.of("name", "there is a team of this name", "already_exists")
