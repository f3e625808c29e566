"""The people that tickets name: looked up for a whole page at once."""

from collections.abc import Iterable
from dataclasses import dataclass

from accounts.actor import Actor
from accounts.repository import UserRepository
from accounts.roles import Action
from ticketing.errors import InvalidInput
from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Document


def find_people(actor: Actor, ids: Iterable[ObjectId | None]) -> dict[ObjectId, Document]:
    """``_id``, ``name``, ``email`` and ``role`` of these users; None and unknown ids are left out.

    One round trip, or none where there is nobody to look up but the actor, whom signing in has read.
    """
    themselves = _known(actor)
    others = [id_ for id_ in ids if id_ not in themselves]
    return UserRepository(actor.tenant_id).find_by_ids(others, fields=["name", "email", "role"]) | themselves


@dataclass(frozen=True, slots=True)
class People:
    """Those who were asked for and the active staff by their ids, and the active staff and teams to choose from."""

    by_id: dict[ObjectId, Document]
    staff: list[Document]
    teams: list[Document]


def find_people_staff_and_teams(actor: Actor, ids: Iterable[ObjectId | None], *, at_most: int) -> People:
    """These people, and at most so many active staff and teams, in one round trip. Raises NotAllowed."""
    actor.check(Action.TEAMS_READ)
    wanted = sorted({id_ for id_ in ids if id_ is not None})
    users, staff, teams = UserRepository(actor.tenant_id).find_with_staff_and_teams(wanted, at_most=at_most)
    return People({user["_id"]: user for user in (*staff, *users)}, staff, teams)


def find_requester(actor: Actor, user_id: ObjectId) -> Document | None:
    """What staff may know of somebody who asks for help; None for whoever has no account (any more)."""
    actor.check(Action.TICKETS_READ_ALL)
    fields = ["name", "email", "role", "is_active", "last_login_at", "created_at", "erased_at"]
    return UserRepository(actor.tenant_id).find_one({"_id": user_id}, fields=fields)


def get_follower_id(actor: Actor, email: str) -> ObjectId:
    """The active account with this address, to follow a ticket. Raises NotAllowed, InvalidInput."""
    actor.check(Action.TICKETS_FOLLOW)
    return _active_account(actor, email, "email")


def get_requester_id(actor: Actor, email: str) -> ObjectId:
    """The active account with this address, for staff opening a ticket for it. Raises NotAllowed, InvalidInput."""
    actor.check(Action.TICKETS_CREATE_FOR_OTHERS)
    return _active_account(actor, email, "requester_email")


def _known(actor: Actor) -> dict[ObjectId, Document]:
    user = actor.user
    if user is None or user.tenant_id != actor.tenant_id:
        return {}
    return {user.pk: {"_id": user.pk, "name": user.name, "email": user.email, "role": user.role}}


def _active_account(actor: Actor, email: str, field: str) -> ObjectId:
    found = UserRepository(actor.tenant_id).find_by_email(email)
    if found is None or not found["is_active"]:
        raise InvalidInput.of(field, "is not the address of an active account of this tenant", "not_found")
    user_id: ObjectId = found["_id"]
    return user_id
