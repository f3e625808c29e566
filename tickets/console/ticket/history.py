"""The history in words."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ticketing.console.refusals import in_words
from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Document
from tickets.models import Priority, Status
from tickets.rules import FIELD_NAMES

Names = Mapping[ObjectId, str]

_LABELS: dict[str, Mapping[Any, Any]] = {"status": dict(Status.choices), "priority": dict(Priority.choices)}
# What happened with another ticket, by the part that its data name that one in.
_OTHER_TICKET = {
    ("ticket.merged", "from"): gettext_lazy("merged #%(number)d into this ticket"),
    ("ticket.merged", "into"): gettext_lazy("merged this ticket into #%(number)d"),
    ("ticket.unmerged", "from"): gettext_lazy("took the merge into #%(number)d back"),
    ("ticket.unmerged", "into"): gettext_lazy("took the merge of #%(number)d into this ticket back"),
    ("ticket.split", "from"): gettext_lazy("made this ticket of a comment on #%(number)d"),
    ("ticket.split", "into"): gettext_lazy("made #%(number)d of a comment"),
    ("ticket.linked", "ticket_id"): gettext_lazy("linked #%(number)d"),
    ("ticket.unlinked", "ticket_id"): gettext_lazy("took the link to #%(number)d away"),
}
_SHOWN = 60


def named_ids(events: Iterable[Document]) -> list[ObjectId]:
    """The ids that the events mention, for one look-up of their names."""
    values = [value for event in events for pair in event["changes"].values() for value in pair]
    flat = [each for value in values for each in (value if isinstance(value, list) else [value])]
    return [value for value in flat if isinstance(value, ObjectId)]


def describe(event: Document, names: Names) -> str:
    """What happened, without who and when."""
    data = event["data"]
    if event["type"] == "ticket.created":
        return _("opened the ticket")
    if event["type"] == "comment.added":
        return _("wrote an internal note") if event["data"].get("visibility") == "internal" else _("answered")
    if event["type"] == "attachment.added":
        return _("attached %(name)s") % {"name": event["data"].get("name", "")}
    if event["type"] == "comment.edited":
        return _("edited a comment")
    other = next((text for (kind, role), text in _OTHER_TICKET.items() if kind == event["type"] and role in data), None)
    if other is not None:
        return str(other) % {"number": data["number"]}
    if event["changes"]:
        return "; ".join(_change(field, old, new, names) for field, (old, new) in event["changes"].items())
    return str(event["type"]).replace(".", " ").replace("_", " ")


def author(event: Document) -> str:
    """Who did it, and by which way if not by hand."""
    actor = event["actor"]
    name = actor.get("name") or _("The platform")
    return f"{name} ({actor['key']})" if actor.get("key") else str(name)


def _change(field: str, old: Any, new: Any, names: Names) -> str:
    name = FIELD_NAMES.get(field) or FIELD_NAMES.get(field.removesuffix("_id"))
    label = in_words(name) if name else field.replace("_", " ")
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
