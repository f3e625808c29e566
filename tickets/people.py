"""The people that tickets name: looked up for a whole page at once."""

from collections.abc import Iterable

from accounts.actor import Actor
from accounts.repository import UserRepository
from accounts.roles import Action
from ticketing.errors import InvalidInput
from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Document


def find_people(actor: Actor, ids: Iterable[ObjectId | None]) -> dict[ObjectId, Document]:
    """``_id``, ``name``, ``email`` and ``role`` of these users in one round trip; None and unknown ids are left out."""
    return UserRepository(actor.tenant_id).find_by_ids(ids, fields=["name", "email", "role"])


def get_requester_id(actor: Actor, email: str) -> ObjectId:
    """The active account with this address, for staff opening a ticket for it. Raises NotAllowed, InvalidInput."""
    actor.check(Action.TICKETS_CREATE_FOR_OTHERS)
    found = UserRepository(actor.tenant_id).find_by_email(email)
    if found is None or not found["is_active"]:
        raise InvalidInput.of("requester_email", "is not the address of an active account of this tenant", "not_found")
    requester_id: ObjectId = found["_id"]
    return requester_id
