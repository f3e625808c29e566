"""Naming colleagues in internal notes: they become followers, and find the note among their mentions.

A mention is ``@`` and the e-mail address of an active member of the tenant's staff, as in ``@amir@example.org``. It
reads as what it is in plain text, in the API and in e-mails, and cannot mean two people.
"""

from collections.abc import Mapping

from accounts.actor import Actor
from accounts.models import email_key
from accounts.repository import UserRepository
from accounts.roles import STAFF_ROLES, Action
from ticketing import clock
from ticketing.errors import InvalidInput, Message
from ticketing.mongo import ObjectId
from ticketing.mongo.client import transactional
from ticketing.mongo.models import TenantQuerySet
from ticketing.mongo.repository import Document
from tickets.conversation.markdown import mentioned_addresses
from tickets.events.repository import NewEvent
from tickets.mentions.models import Mention
from tickets.mentions.repository import MentionRepository
from tickets.rules import MAX_FOLLOWERS, participants
from tickets.writer import Change, store_change

MAX_MENTIONS = 20


def find_mentioned(actor: Actor, body: str) -> dict[str, ObjectId]:
    """The active staff whom a note names, by the address as it was written there. Raises InvalidInput for too many."""
    keys = {address: email_key(address) for address in mentioned_addresses(body)}
    if not keys:
        return {}
    if len(keys) > MAX_MENTIONS:
        raise InvalidInput.of("body", Message("names more than {limit} people", limit=MAX_MENTIONS), "max_length")
    where = {"email_key": {"$in": list(keys.values())}, "is_active": True, "role": {"$in": [*map(str, STAFF_ROLES)]}}
    staff = UserRepository(actor.tenant_id).find(where, fields=["email_key"])
    ids = {user["email_key"]: user["_id"] for user in staff}
    return {address: ids[key] for address, key in keys.items() if key in ids}


@transactional
def note_mentions(actor: Actor, ticket: Document, comment: Document) -> Document:
    """Tells those whom a new or edited note names, makes them followers as far as there is room, and forgets whom it
    names no more. Returns the ticket as it is now.
    """
    mentions, now = MentionRepository(actor.tenant_id), clock.now()
    named = [id_ for id_ in comment["mention_ids"] if id_ != actor.user_id]
    before = mentions.named_in(comment["_id"], ticket["_id"])
    dropped = [id_ for id_ in before if id_ not in named]
    if dropped:
        mentions.delete({"ticket_id": ticket["_id"], "comment_id": comment["_id"], "user_id": {"$in": dropped}})
    told = {"by_id": actor.user_id, "ticket_id": ticket["_id"], "comment_id": comment["_id"], "at": now}
    mentions.insert_many({**told, "user_id": id_, "seen_at": None} for id_ in named if id_ not in before)
    followers = [*ticket["follower_ids"], *(id_ for id_ in named if id_ not in ticket["follower_ids"])]
    followers = followers[: max(MAX_FOLLOWERS, len(ticket["follower_ids"]))]
    if followers == ticket["follower_ids"]:
        return ticket
    fields = {"follower_ids": followers, "participant_ids": participants(ticket["created_by_id"], followers)}
    changes: Mapping[str, tuple[list[ObjectId], list[ObjectId]]] = {"follower_ids": (ticket["follower_ids"], followers)}
    return store_change(actor, ticket, Change(fields, events=[NewEvent("ticket.followers_changed", changes)]), now)


def see_mentions(actor: Actor, ticket_id: ObjectId) -> int:
    """The actor has seen the ticket, and with it the notes on it that name him; tells how many were new to him."""
    actor.check(Action.COMMENTS_READ_INTERNAL)
    where = {"ticket_id": ticket_id, "user_id": actor.user_id, "seen_at": None}
    return MentionRepository(actor.tenant_id).update_all(where, {"seen_at": clock.now()})


def see_mention(actor: Actor, mention_id: ObjectId) -> None:
    """The actor has seen one of his mentions, whether he opened the ticket or not. Raises NotAllowed."""
    actor.check(Action.COMMENTS_READ_INTERNAL)
    where = {"_id": mention_id, "user_id": actor.user_id, "seen_at": None}
    MentionRepository(actor.tenant_id).update_where(where, {"seen_at": clock.now()})


def count_unseen(actor: Actor, *, cap: int) -> int:
    """How many of the actor's mentions are new to him, counting no further than ``cap``. Raises NotAllowed."""
    actor.check(Action.COMMENTS_READ_INTERNAL)
    return MentionRepository(actor.tenant_id).count({"user_id": actor.user_id, "seen_at": None}, cap=cap)


def visible_mentions(actor: Actor) -> TenantQuerySet:
    """The actor's own mentions. Raises NotAllowed."""
    actor.check(Action.COMMENTS_READ_INTERNAL)
    mentions: TenantQuerySet = Mention.objects.filter(user_id=actor.user_id)
    return mentions
