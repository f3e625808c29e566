"""Opening, changing, assigning and following tickets. Every way in (API, console, e-mail, importers) calls these."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from accounts.actor import Actor, Via
from accounts.repository import TeamRepository, UserRepository
from accounts.roles import STAFF_ROLES, Action
from ticketing import clock
from ticketing.errors import InvalidInput, Message, NotAllowed, StaleVersion
from ticketing.mongo import ObjectId
from ticketing.mongo.client import transactional
from ticketing.mongo.repository import Document
from tickets import rules
from tickets.access import access_ticket, access_ticket_to_edit, check_edit, visible_version
from tickets.conversation.markdown import render_markdown
from tickets.conversation.repository import CommentRepository, thread_filter
from tickets.events.repository import NewEvent
from tickets.models import Channel, Priority, Status, Type
from tickets.repository import TicketRepository
from tickets.search.rules import language_of, search_terms
from tickets.workflow.services import workflow_of
from tickets.writer import Change, store_change, store_new_ticket

_CHANNELS = {Via.API: Channel.API, Via.CONSOLE: Channel.CONSOLE, Via.EMAIL: Channel.EMAIL, Via.IMPORT: Channel.IMPORT}

# Which event tells of a changed field; all other fields share ticket.updated.
_EVENT_OF_FIELD = {
    "status": "ticket.status_changed",
    "priority": "ticket.priority_changed",
    "assigned_to_id": "ticket.assigned",
    "team_id": "ticket.assigned",
    "tags": "ticket.tags_changed",
    "follower_ids": "ticket.followers_changed",
}


@transactional
def open_ticket(
    actor: Actor,
    *,
    title: str,
    description: str = "",
    priority: str = Priority.NORMAL.value,
    category: str = "",
    type: str = Type.QUESTION.value,
    tags: Sequence[str] = (),
    requester: ObjectId | None = None,
    assigned_to: ObjectId | None = None,
    team: ObjectId | None = None,
    followers: Sequence[ObjectId] = (),
) -> Document:
    """Opens a ticket and returns it. ``requester`` is whom staff opens it for (none: the actor).

    Tags, assignment and followers are staff's to set. Raises InvalidInput naming the field, NotAllowed.
    """
    actor.check(Action.TICKETS_CREATE)
    _check_staff_fields(actor, {"tags": tags, "assigned_to": assigned_to, "team": team, "followers": followers})
    if assigned_to or team:
        actor.check(Action.TICKETS_ASSIGN)
    created_by = _requester(actor, requester)
    content = rules.Content(rules.clean_title(title), rules.clean_text(description, "description"))
    wanted = {
        "priority": rules.check_choice("priority", priority, Priority.values),
        "category": rules.clean_category(category),
        "type": rules.check_choice("type", type, Type.values),
        "tags": rules.clean_tags(tags),
        "assigned_to_id": _assignee(actor, assigned_to),
        "team_id": _team(actor, team),
        "follower_ids": _followers(actor, followers),
    }
    ticket = new_ticket_document(
        TicketRepository(actor.tenant_id).next_number(),
        content,
        created_by,
        str(_CHANNELS.get(actor.via, Channel.API)),
        language_of(actor.tenant.locale),
    )
    ticket |= wanted
    ticket["participant_ids"] = rules.participants(created_by, ticket["follower_ids"])
    data = {"title": content.title, "status": ticket["status"], "priority": ticket["priority"]}
    return store_new_ticket(actor, ticket, [NewEvent("ticket.created", data=data)])


@transactional
def change_ticket(
    actor: Actor, reference: str | ObjectId, wanted: Mapping[str, Any], *, expected_version: int | None = None
) -> Document:
    """Changes the given fields of a ticket and returns it; without a difference nothing is written.

    ``wanted`` may hold title, description, status, priority, category, type, tags, assigned_to, team (ids or None) and
    followers (ids). ``expected_version`` is the version the caller has seen. Raises InvalidInput, NotFound, NotAllowed,
    InvalidTransition, TicketClosed, StaleVersion.
    """
    return change_ticket_seen(actor, reference, lambda _ticket: (wanted, expected_version))


@transactional
def change_ticket_seen(
    actor: Actor, reference: str | ObjectId, decide: Callable[[Document], tuple[Mapping[str, Any], int | None]]
) -> Document:
    """``change_ticket`` for a caller whose wish depends on the ticket as it is: ``decide`` is given it, and returns
    ``wanted`` and ``expected_version``. Raises what ``decide`` does, too."""
    ticket = access_ticket_to_edit(actor, reference)
    wanted, expected_version = decide(ticket)
    check_version(actor, ticket, expected_version)
    now = clock.now()
    cleaned = _decide(actor, ticket, clean_fields(actor, wanted))
    if not cleaned:
        return ticket
    events = events_of(ticket, cleaned)
    if "status" in cleaned:
        cleaned |= rules.status_stamps(ticket, cleaned["status"], now)
    if "follower_ids" in cleaned:
        cleaned["participant_ids"] = rules.participants(ticket["created_by_id"], cleaned["follower_ids"])
    if "title" in cleaned or "description" in cleaned:
        cleaned |= _derived_from_texts(actor, ticket, cleaned)
    return store_change(actor, ticket, Change(cleaned, events=events), now)


def preview_change(actor: Actor, ticket: Document, wanted: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What ``change_ticket`` would make of a ticket that the actor has accessed: (before, after) by stored field.

    Writes nothing; without a difference it is empty. Raises as ``change_ticket`` does.
    """
    return preview_fields(actor, ticket, clean_fields(actor, wanted))


def preview_fields(actor: Actor, ticket: Document, cleaned: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """``preview_change`` for what ``clean_fields`` has returned; for many tickets it is cleaned once."""
    check_edit(actor, ticket)
    return {name: (ticket.get(name), value) for name, value in _decide(actor, ticket, cleaned).items()}


@transactional
def restore_fields(actor: Actor, ticket: Document, before: Mapping[str, Any]) -> Document:
    """Puts stored fields of an accessed ticket back to what they were before a change that is taken back.

    ``before`` may hold status (with the times and the count that entering it has changed), priority, assigned_to_id,
    team_id and tags. The workflow has no say, because nobody chooses a status here; the events say ``undo``. Raises
    NotAllowed, InvalidInput when an agent or a team is no longer active, TicketClosed for a ticket that was merged or
    redacted, StaleVersion.
    """
    actor.check(Action.TICKETS_EDIT_ALL)
    if ticket.get("merged_into_id") or ticket["redacted_at"]:
        raise rules.TicketClosed
    _assignee(actor, before.get("assigned_to_id"))
    _team(actor, before.get("team_id"))
    told = {name: value for name, value in before.items() if name not in rules.STAMPS}
    events = [NewEvent(event.type, event.changes, {"undo": True}) for event in events_of(ticket, told)]
    return store_change(actor, ticket, Change(dict(before), events=events), clock.now())


def assign_ticket(
    actor: Actor,
    reference: str | ObjectId,
    *,
    assigned_to: ObjectId | None,
    expected_version: int | None = None,
) -> Document:
    """Gives a ticket to an active agent of the tenant, or to nobody. Raises as ``change_ticket``."""
    return change_ticket(actor, reference, {"assigned_to": assigned_to}, expected_version=expected_version)


@transactional
def follow_ticket(actor: Actor, reference: str | ObjectId, *, following: bool = True) -> Document:
    """Adds the actor to the ticket's followers, or takes him out. Raises NotFound, NotAllowed, TicketClosed."""
    actor.check(Action.TICKETS_FOLLOW)
    themselves = [actor.user_id] if actor.user_id else []
    return change_followers(actor, reference, **{"add" if following else "remove": themselves})


@transactional
def change_followers(
    actor: Actor, reference: str | ObjectId, *, add: Sequence[ObjectId] = (), remove: Sequence[ObjectId] = ()
) -> Document:
    """Adds followers to a ticket and takes others out, whoever else follows it by now. Raises as ``change_ticket``."""
    ticket = access_ticket(actor, reference)
    stay = [id_ for id_ in ticket["follower_ids"] if id_ not in remove]
    return change_ticket(actor, ticket["_id"], {"followers": [*stay, *(id_ for id_ in add if id_ not in stay)]})


def check_version(actor: Actor, ticket: Document, expected: int | None) -> None:
    """Raises StaleVersion, with the current version, when the actor has seen another version than the stored one."""
    current = visible_version(actor, ticket)
    if expected is not None and expected != current:
        text = Message("The ticket is at version {current} now, not {expected}", current=current, expected=expected)
        raise StaleVersion(text, data={"current_version": current})


def allowed_transitions(actor: Actor, ticket: Document) -> list[str]:
    """The statuses that the actor may choose next."""
    return workflow_of(actor.tenant).allowed(ticket["status"], str(actor.role))


def new_ticket_document(
    number: int,
    content: rules.Content,
    created_by: ObjectId,
    channel: str,
    language: str = "",
    thread: Sequence[Mapping[str, Any]] = (),
) -> Document:
    """A complete new ticket with every field at its beginning; openers and importers fill in what they know.

    ``language`` is that of the search words (tickets.search.rules.language_of), which are those of ``thread``, too.
    """
    now = clock.now()
    return {
        "number": number,
        "title": content.title,
        "description": content.description,
        "description_html": render_markdown(content.description),
        "status": Status.NEW.value,
        "priority": Priority.NORMAL.value,
        "category": "",
        "type": Type.QUESTION.value,
        "tags": [],
        "channel": channel,
        "created_by_id": created_by,
        "assigned_to_id": None,
        "team_id": None,
        "follower_ids": [],
        "participant_ids": [created_by],
        "related_ids": [],
        "merged_ids": [],
        "merged_follower_ids": [],
        "merged_into_id": None,
        "status_before_merge": None,
        "comment_count": 0,
        "internal_note_count": 0,
        "attachment_count": 0,
        "internal_attachment_count": 0,
        "reopened_count": 0,
        "created_at": now,
        "updated_at": now,
        "public_updated_at": now,
        "first_responded_at": None,
        "resolved_at": None,
        "closed_at": None,
        "redacted_at": None,
        "version": 1,
        "public_version": 1,
        "external_id": None,
        **search_terms(number, content.title, content.description, thread, language),
    }


def clean_fields(actor: Actor, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The wanted fields of a change under their stored names. Raises InvalidInput and NotAllowed for any of them."""
    if not actor.can(Action.TICKETS_EDIT_ALL):
        rules.check_customer_fields(wanted)
    cleaners: dict[str, Callable[[Any], tuple[str, Any]]] = {
        "title": lambda value: ("title", rules.clean_title(value)),
        "description": lambda value: ("description", rules.clean_text(value, "description")),
        "status": lambda value: ("status", rules.check_choice("status", value, Status.values)),
        "priority": lambda value: ("priority", rules.check_choice("priority", value, Priority.values)),
        "category": lambda value: ("category", rules.clean_category(value)),
        "type": lambda value: ("type", rules.check_choice("type", value, Type.values)),
        "tags": lambda value: ("tags", rules.clean_tags(value)),
        "assigned_to": lambda value: ("assigned_to_id", _assignee(actor, value)),
        "team": lambda value: ("team_id", _team(actor, value)),
        "followers": lambda value: ("follower_ids", _followers(actor, value)),
    }
    if wanted.keys() & {"assigned_to", "team"}:
        actor.check(Action.TICKETS_ASSIGN)
    unknown = sorted(wanted.keys() - cleaners.keys())
    if unknown:
        raise InvalidInput.of(unknown[0], "is not a field that can be changed", "unknown_field")
    return dict(cleaners[name](value) for name, value in wanted.items())


def _decide(actor: Actor, ticket: Document, cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """What of it differs from the ticket, if the workflow lets the actor change that."""
    changes = rules.differences(ticket, cleaned)
    if "status" in changes:
        workflow_of(actor.tenant).check(ticket["status"], changes["status"], str(actor.role))
    elif changes:
        rules.check_open(ticket["status"])
    return changes


def events_of(ticket: Document, changes: Mapping[str, Any]) -> list[NewEvent]:
    """One event per kind of change, with old and new value of each field in it."""
    kinds: dict[str, dict[str, tuple[Any, Any]]] = {}
    for name, value in changes.items():
        kinds.setdefault(_EVENT_OF_FIELD.get(name, "ticket.updated"), {})[name] = (ticket.get(name), value)
    return [NewEvent(kind, fields) for kind, fields in kinds.items()]


def _derived_from_texts(actor: Actor, ticket: Document, changes: Mapping[str, Any]) -> dict[str, Any]:
    title = changes.get("title", ticket["title"])
    description = changes.get("description", ticket["description"])
    thread = CommentRepository(actor.tenant_id).find(
        thread_filter(ticket["_id"], internal=True), fields=["body", "visibility"]
    )
    terms = search_terms(ticket["number"], title, description, thread, language_of(actor.tenant.locale))
    return {"description_html": render_markdown(description), **terms}


def _check_staff_fields(actor: Actor, fields: Mapping[str, Any]) -> None:
    given = [name for name, value in fields.items() if value]
    if given and not actor.can(Action.TICKETS_EDIT_ALL):
        raise InvalidInput.of(given[0], "only staff may set this", "staff_only")


def _requester(actor: Actor, requester: ObjectId | None) -> ObjectId:
    if requester is None or requester == actor.user_id:
        if actor.user_id is None or actor.user is None or actor.user.tenant_id != actor.tenant_id:
            raise InvalidInput.of("requester", "say for whom the ticket is opened", "required")
        return actor.user_id
    if not actor.can(Action.TICKETS_CREATE_FOR_OTHERS):
        raise NotAllowed("Only staff may open a ticket for somebody else")
    found = UserRepository(actor.tenant_id).find_one({"_id": requester, "is_active": True}, fields=["role"])
    if found is None:
        raise InvalidInput.of("requester", "is not an active account of this tenant", "not_found")
    return requester


def _assignee(actor: Actor, user_id: ObjectId | None) -> ObjectId | None:
    if user_id is None:
        return None
    where = {"_id": user_id, "is_active": True, "role": {"$in": [str(role) for role in STAFF_ROLES]}}
    if UserRepository(actor.tenant_id).find_one(where, fields=["_id"]) is None:
        raise InvalidInput.of("assigned_to", "is not an active agent of this tenant", "not_found")
    return user_id


def _team(actor: Actor, team_id: ObjectId | None) -> ObjectId | None:
    if team_id is None:
        return None
    if TeamRepository(actor.tenant_id).find_one({"_id": team_id, "is_active": True}, fields=["_id"]) is None:
        raise InvalidInput.of("team", "is not an active team of this tenant", "not_found")
    return team_id


def _followers(actor: Actor, user_ids: Sequence[ObjectId]) -> list[ObjectId]:
    followers = list(dict.fromkeys(user_ids))
    if len(followers) > rules.MAX_FOLLOWERS:
        raise InvalidInput.of("followers", Message("are more than {limit}", limit=rules.MAX_FOLLOWERS), "max_length")
    known = UserRepository(actor.tenant_id).find_by_ids(followers, fields=["_id"])
    if len(known) != len(followers):
        raise InvalidInput.of("followers", "contain somebody who is not of this tenant", "not_found")
    return followers
