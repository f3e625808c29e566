"""What can be changed of many tickets at once."""

from collections.abc import Iterable, Mapping
from typing import Any

from ticketing.errors import InvalidInput, Message
from tickets.rules import STAMPS, clean_tags, fold_tag

MAX_TICKETS = 1000
MAX_BATCH = 100
UNDO_DAYS = 7
PLAIN = ("assigned_to", "team", "priority", "status")
_TAGS = ("add_tags", "remove_tags")
STORED = ("status", "priority", "assigned_to_id", "team_id", "tags")


def clean_wanted(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The wanted changes: ``assigned_to`` and ``team`` (id or None), ``priority``, ``status``, ``add_tags`` and
    ``remove_tags``; what is not to change is left out. Raises InvalidInput."""
    unknown = sorted(wanted.keys() - {*PLAIN, *_TAGS})
    if unknown:
        raise InvalidInput.of(unknown[0], "cannot be changed for many tickets at once", "unknown_field")
    tags = {name: sorted({fold_tag(tag) for tag in wanted.get(name, ())} - {""}) for name in _TAGS}
    both = sorted(set(tags["add_tags"]) & set(tags["remove_tags"]))
    if both:
        raise InvalidInput.of("remove_tags", Message("names {tag}, which is also to be added", tag=both[0]))
    cleaned = {name: value for name, value in wanted.items() if name in PLAIN} | {k: v for k, v in tags.items() if v}
    if not cleaned:
        raise InvalidInput("Choose what to change")
    return cleaned


def plain_fields(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The part that is the same for every ticket."""
    return {name: wanted[name] for name in PLAIN if name in wanted}


def tag_changes(wanted: Mapping[str, Any], tags: Iterable[str]) -> dict[str, list[str]]:
    """The tags that a ticket with these would have, if any are to change. Raises InvalidInput for too many."""
    if not wanted.keys() & set(_TAGS):
        return {}
    return {"tags": clean_tags((set(tags) | set(wanted.get("add_tags", ()))) - set(wanted.get("remove_tags", ())))}


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, dict[str, list[Any]]]:
    """What an item keeps of a change: [before, after] of each changed field, and of what the status has brought."""
    changed = {name: [before.get(name), after.get(name)] for name in STORED if before.get(name) != after.get(name)}
    stamps = {name: [before[name], after[name]] for name in STAMPS if "status" in changed}
    return {"changes": changed, "stamps": stamps}


def restorable(item: Mapping[str, Any], ticket: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The fields that still are what the bulk change wrote, as they were before it, and the names of those that are
    not any more."""
    restored: dict[str, Any] = {}
    kept = []
    for name, (before, after) in item["changes"].items():
        stamps = item["stamps"] if name == "status" else {}
        if ticket.get(name) != after or any(ticket[stamp] != pair[1] for stamp, pair in stamps.items()):
            kept.append(name)
            continue
        restored |= {name: before, **{stamp: pair[0] for stamp, pair in stamps.items()}}
    return restored, kept


def check_amount(tickets: int) -> None:
    """Raises InvalidInput for more tickets than one request changes."""
    if tickets > MAX_BATCH:
        raise InvalidInput.of("tickets", Message("are more than {limit}", limit=MAX_BATCH), "max_length")


def check_total(tickets: int) -> None:
    """Raises InvalidInput for more tickets than one bulk change has."""
    if tickets > MAX_TICKETS:
        raise InvalidInput.of("tickets", Message("are more than {limit} in all", limit=MAX_TICKETS), "max_length")
