"""Who uses and changes which canned replies: one's own, those of one's teams, and those of all staff."""

from django.db.models import Q

from accounts.actor import Actor
from accounts.roles import Action
from ticketing.errors import NotAllowed, NotFound
from ticketing.mongo import ObjectId, parse_object_id
from ticketing.mongo.models import TenantQuerySet
from ticketing.mongo.repository import Document
from tickets.canned_replies.models import CannedReply
from tickets.canned_replies.repository import CannedReplyRepository


def visible_canned_replies(actor: Actor) -> TenantQuerySet:
    """Those that the actor may use. Raises NotAllowed."""
    actor.check(Action.TICKETS_EDIT_ALL)
    shared = Q(owner=None) if can_share_with_all(actor) else Q(owner=None, team=None)
    replies: TenantQuerySet = CannedReply.objects.filter(Q(owner=actor.user_id) | shared | _of_teams(actor))
    return replies


def access_canned_reply(actor: Actor, reference: str | ObjectId) -> Document:
    """One that the actor may use. Raises NotFound, for a missing and an invisible one alike, and NotAllowed."""
    actor.check(Action.TICKETS_EDIT_ALL)
    id_ = reference if isinstance(reference, ObjectId) else parse_object_id(reference)
    found = CannedReplyRepository(actor.tenant_id).find_one({"_id": id_})
    if found is None or not _may_use(actor, found):
        raise NotFound("The canned reply does not exist")
    return found


def access_canned_reply_to_edit(actor: Actor, reference: str | ObjectId) -> Document:
    """Like ``access_canned_reply``, for a change: one's own, one's team's, or any shared one for admins."""
    found = access_canned_reply(actor, reference)
    if not can_edit(actor, found):
        raise NotAllowed("Only admins change what all staff use")
    return found


def can_edit(actor: Actor, reply: Document) -> bool:
    """Whether the actor, who may use the reply, may change it."""
    return reply["owner_id"] is not None or reply["team_id"] is not None or can_share_with_all(actor)


def can_share_with_all(actor: Actor) -> bool:
    """Whether the actor writes for all staff, and for teams that he is not in."""
    return actor.can(Action.SETTINGS_MANAGE)


def teams_of(actor: Actor) -> list[ObjectId]:
    return [] if actor.user is None else list(actor.user.team_ids)


def _may_use(actor: Actor, reply: Document) -> bool:
    if reply["owner_id"] is not None:
        return bool(reply["owner_id"] == actor.user_id)
    return reply["team_id"] is None or reply["team_id"] in teams_of(actor) or can_share_with_all(actor)


def _of_teams(actor: Actor) -> Q:
    return Q(owner=None, team__in=teams_of(actor))
