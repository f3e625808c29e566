"""Keeping a part of the queue under a name, for oneself or for a team."""

from collections.abc import Mapping
from typing import Any

from accounts.access import access_team
from accounts.actor import Actor
from ticketing import clock
from ticketing.errors import InvalidInput, NotFound
from ticketing.mongo import ObjectId
from ticketing.mongo.client import transactional
from ticketing.mongo.repository import Document
from tickets.saved_views import rules
from tickets.saved_views.access import access_view_to_edit, can_share_with, owner_of
from tickets.saved_views.repository import SavedViewRepository


@transactional
def save_view(actor: Actor, *, name: str, query: str, team: str = "") -> Document:
    """Keeps a list's part of a URL under a name and returns it; with a team's id all of the team see it.

    Raises InvalidInput naming the field, NotAllowed, LimitExceeded.
    """
    owner_id = owner_of(actor)
    repository = SavedViewRepository(actor.tenant_id)
    document = {
        "owner_id": owner_id,
        "team_id": _team(actor, team),
        "name": rules.clean_view_name(name),
        "query": rules.clean_query(query),
        "created_at": clock.now(),
        "version": 1,
    }
    rules.check_room(repository.count({"owner_id": owner_id}, cap=rules.MAX_OF_OWNER))
    return repository.insert(document)


@transactional
def change_view(actor: Actor, reference: str, wanted: Mapping[str, Any]) -> Document:
    """Changes ``name``, ``query`` or ``team`` (an id, or empty for nobody else) of a view and returns it.

    Raises NotFound, NotAllowed, InvalidInput.
    """
    view = access_view_to_edit(actor, reference)
    changes: dict[str, Any] = {}
    if "name" in wanted:
        changes["name"] = rules.clean_view_name(wanted["name"])
    if "query" in wanted:
        changes["query"] = rules.clean_query(wanted["query"])
    if "team" in wanted:
        stays = wanted["team"] == str(view["team_id"] or "")
        changes["team_id"] = view["team_id"] if stays else _team(actor, wanted["team"])
    return SavedViewRepository(actor.tenant_id).update(view["_id"], changes, expected_version=view["version"])


@transactional
def delete_view(actor: Actor, reference: str) -> Document:
    """Removes a view and returns what it was. Raises NotFound, NotAllowed."""
    view = access_view_to_edit(actor, reference)
    SavedViewRepository(actor.tenant_id).delete({"_id": view["_id"]})
    return view


def _team(actor: Actor, team: str) -> ObjectId | None:
    if not team:
        return None
    try:
        found = access_team(actor, team)
    except NotFound:
        found = None
    if found is None or not found.is_active or not can_share_with(actor, found.pk):
        raise InvalidInput.of("team", "is not an active team that you are in", "not_found")
    return ObjectId(found.pk)
