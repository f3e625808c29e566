"""The history in words."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Document
from tickets.models import Priority, Status

Names = Mapping[ObjectId, str]

_LABELS: dict[str, Mapping[Any, Any]] = {"status": dict(Status.choices), "priority": dict(Priority.choices)}
_FIELDS = {
    "assigned_to_id": gettext_lazy("assignee"),
    "team_id": gettext_lazy("team"),
    "follower_ids": gettext_lazy("followers"),
}
_SHOWN = 60


def named_ids(events: Iterable[Document]) -> list[ObjectId]:
    """The ids that the events mention, for one look-up of their names."""
    values = [value for event in events for pair in event["changes"].values() for value in pair]
    flat = [each for value in values for each in (value if isinstance(value, list) else [value])]
    return [value for value in flat if isinstance(value, ObjectId)]


def describe(event: Document, names: Names) -> str:
    """What happened, without who and when."""
    if event["type"] == "ticket.created":
        return _("opened the ticket")
    if event["type"] == "comment.added":
        return _("wrote an internal note") if event["data"].get("visibility") == "internal" else _("answered")
    if event["type"] == "attachment.added":
        return _("attached %(name)s") % {"name": event["data"].get("name", "")}
    if event["type"] == "comment.edited":
        return _("edited a comment")
    if event["changes"]:
        return "; ".join(_change(field, old, new, names) for field, (old, new) in event["changes"].items())
    return str(event["type"]).replace(".", " ").replace("_", " ")


def author(event: Document) -> str:
    """Who did it, and by which way if not by hand."""
    actor = event["actor"]
    name = actor.get("name") or _("The platform")
    return f"{name} ({actor['key']})" if actor.get("key") else str(name)


def _change(field: str, old: Any, new: Any, names: Names) -> str:
    label = _FIELDS.get(field, field.replace("_", " "))
    if field in ("description", "title"):
        return _("changed the %(field)s") % {"field": label}
    told = {"field": label, "old": _value(field, old, names), "new": _value(field, new, names)}
    if not new:
        return _("removed the %(field)s %(old)s") % told
    if not old:
        return _("set the %(field)s to %(new)s") % told
    return _("changed the %(field)s from %(old)s to %(new)s") % told


def _value(field: str, value: Any, names: Names) -> str:
    if isinstance(value, list):
        return ", ".join(_value(field, each, names) for each in value)
    if isinstance(value, ObjectId):
        return names.get(value, _("somebody"))
    return str(_LABELS.get(field, {}).get(value, value))[:_SHOWN]
