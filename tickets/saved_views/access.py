"""Who sees and changes which saved views: the only way by which a caller obtains one."""

from accounts.actor import Actor
from accounts.roles import Action
from ticketing.errors import NotAllowed, NotFound
from ticketing.mongo import ObjectId, parse_object_id
from ticketing.mongo.repository import Document
from tickets.saved_views.repository import SavedViewRepository

_MOST = 100  # a longer menu is none


def visible_views(actor: Actor) -> list[Document]:
    """The actor's own views and those shared with one of his teams, by name; of too many others the first ones."""
    repository, by_name = SavedViewRepository(actor.tenant_id), (("name", 1), ("_id", 1))
    found = repository.find(_visible(actor), sort=by_name, limit=_MOST)
    if len(found) < _MOST:
        return found
    own = repository.find({"owner_id": actor.user_id}, sort=by_name, limit=_MOST)
    others = [view for view in found if view["owner_id"] != actor.user_id]
    return sorted([*own, *others[: _MOST - len(own)]], key=lambda view: (view["name"], view["_id"]))


def access_view(actor: Actor, reference: str) -> Document:
    """A view that the actor sees. Raises NotFound."""
    id_ = parse_object_id(reference)
    view = SavedViewRepository(actor.tenant_id).find_one({"$and": [{"_id": id_}, _visible(actor)]}) if id_ else None
    if view is None:
        raise NotFound("The view does not exist")
    return view


def access_view_to_edit(actor: Actor, reference: str) -> Document:
    """Like ``access_view``, for its owner, or an admin where it is shared. Raises NotAllowed."""
    view = access_view(actor, reference)
    if not can_edit_view(actor, view):
        raise NotAllowed("Only who saved the view, or an admin, may change it")
    return view


def can_edit_view(actor: Actor, view: Document) -> bool:
    """Whether the actor, who sees the view, may rename, share and delete it."""
    return view["owner_id"] == actor.user_id or actor.can(Action.TEAMS_MANAGE)


def can_share_with(actor: Actor, team_id: ObjectId) -> bool:
    """Whether views may be shared with the team: one's own, and for admins any."""
    return actor.can(Action.TEAMS_MANAGE) or (actor.user is not None and team_id in actor.user.team_ids)


def owner_of(actor: Actor) -> ObjectId:
    """The person that a new view belongs to. Raises NotAllowed for whoever is not of the tenant."""
    actor.check(Action.TICKETS_READ_ALL)
    if actor.user is None or actor.user.tenant_id != actor.tenant_id:
        raise NotAllowed("Only the tenant's own staff keep views")
    return ObjectId(actor.user.pk)


def _visible(actor: Actor) -> Document:
    actor.check(Action.TICKETS_READ_ALL)
    teams = [] if actor.user is None else actor.user.team_ids
    shared = {"team_id": {"$ne": None} if actor.can(Action.TEAMS_MANAGE) else {"$in": list(teams)}}
    return {"$or": [{"owner_id": actor.user_id}, shared]}
