"""Writing canned replies, and filling one in for a ticket."""

from collections.abc import Mapping
from typing import Any

from accounts.access import access_team
from accounts.actor import Actor
from accounts.roles import Action
from accounts.rules import clean_name
from ticketing import clock
from ticketing.errors import InvalidInput, LimitExceeded, Message, NotAllowed, NotFound
from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Document
from tickets.canned_replies import rules
from tickets.canned_replies.access import (
    access_canned_reply,
    access_canned_reply_to_edit,
    can_share_with_all,
    teams_of,
    visible_canned_replies,
)
from tickets.canned_replies.repository import CannedReplyRepository
from tickets.people import find_people

ME, EVERYBODY = "me", "everybody"
BEGINNING = 140


def create_canned_reply(actor: Actor, *, name: str, body: str, audience: str = ME) -> Document:
    """Stores a text for the actor himself (ME), for all staff (EVERYBODY) or for the team with the id ``audience``.

    Raises InvalidInput naming the field, NotAllowed, AlreadyExists for a name that is taken there, LimitExceeded.
    """
    actor.check(Action.TICKETS_EDIT_ALL)
    whose, now = _audience(actor, audience), clock.now()
    document = {"name": clean_name(name, rules.MAX_NAME), "body": rules.clean_body(body), **whose}
    replies = CannedReplyRepository(actor.tenant_id)
    of_one = whose["owner_id"] is not None
    limit, kept = (
        (rules.MAX_OF_OWNER, {"owner_id": actor.user_id}) if of_one else (rules.MAX_SHARED, {"owner_id": None})
    )
    if replies.count(kept, cap=limit) >= limit:
        text = "There are {limit} canned replies of this kind already; remove one first"
        raise LimitExceeded(Message(text, limit=limit))
    return replies.insert({**document, "created_at": now, "updated_at": now, "version": 1})


def change_canned_reply(
    actor: Actor, reference: str | ObjectId, wanted: Mapping[str, Any], *, expected_version: int | None = None
) -> Document:
    """Changes ``name``, ``body`` or ``audience`` and returns the reply. Raises as ``create_canned_reply`` does, and
    NotFound, StaleVersion."""
    found = access_canned_reply_to_edit(actor, reference)
    changes: dict[str, Any] = {"updated_at": clock.now()}
    if "name" in wanted:
        changes["name"] = clean_name(wanted["name"], rules.MAX_NAME)
    if "body" in wanted:
        changes["body"] = rules.clean_body(wanted["body"])
    if "audience" in wanted:
        changes |= _audience(actor, wanted["audience"])
    version = found["version"] if expected_version is None else expected_version
    return CannedReplyRepository(actor.tenant_id).update(found["_id"], changes, expected_version=version)


def delete_canned_reply(actor: Actor, reference: str | ObjectId) -> None:
    """Removes it for good. Raises NotFound, NotAllowed."""
    found = access_canned_reply_to_edit(actor, reference)
    CannedReplyRepository(actor.tenant_id).delete({"_id": found["_id"]})


def list_canned_replies(actor: Actor) -> list[Document]:
    """``_id``, ``name`` and ``body`` of all that the actor may use, by name; their number is limited."""
    most = rules.MAX_OF_OWNER + rules.MAX_SHARED
    rows = visible_canned_replies(actor).order_by("name", "pk")[:most].documents("name", "body")
    return [{"_id": row["_id"], "name": row["name"], "beginning": row["body"][:BEGINNING]} for row in rows]


def fill_canned_reply(actor: Actor, reference: str | ObjectId, ticket: Document) -> str:
    """The text for a ticket that the actor has accessed. Raises NotFound."""
    reply = access_canned_reply(actor, reference)
    requester = find_people(actor, [ticket["created_by_id"]]).get(ticket["created_by_id"], {}).get("name", "")
    values = {
        "requester.name": requester,
        "requester.first_name": requester.partition(" ")[0],
        "ticket.number": str(ticket["number"]),
        "ticket.title": ticket["title"],
        "agent.name": actor.user.name if actor.user else "",
        "tenant.name": actor.tenant.brand_name or actor.tenant.name,
    }
    return rules.fill(reply["body"], values)


def audience_of(reply: Document) -> str:
    """Whom it is for, in the terms of ``create_canned_reply``."""
    if reply["owner_id"] is not None:
        return ME
    return EVERYBODY if reply["team_id"] is None else str(reply["team_id"])


def _audience(actor: Actor, audience: str) -> dict[str, ObjectId | None]:
    if audience == ME:
        if actor.user is None or actor.user.tenant_id != actor.tenant_id:
            raise NotAllowed("Only the tenant's own staff keep texts for themselves")
        return {"owner_id": actor.user_id, "team_id": None}
    if audience == EVERYBODY:
        if not can_share_with_all(actor):
            raise InvalidInput.of("audience", "only admins write for all staff", "not_allowed")
        return {"owner_id": None, "team_id": None}
    try:
        team = access_team(actor, audience)
    except NotFound:
        team = None
    if team is None or not (team.pk in teams_of(actor) or can_share_with_all(actor)):
        raise InvalidInput.of("audience", "is not a team of yours", "not_found")
    return {"owner_id": None, "team_id": team.pk}
