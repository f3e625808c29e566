"""Whether what is stored agrees with itself: history, counters, statistics and files, told by name and number.

It reads the collections themselves, and replays the history, so that it does not believe what it has to check.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from benchmarks.results import Figure
from deploy.trials.journal import Mark, none_of
from deploy.trials.platform import Platform

Document = dict[str, Any]

REPLAYED = ("title", "status", "priority", "category", "type", "tags", "assigned_to_id", "team_id")
_COUNTED = (
    ("comments", "comment_count", "internal_note_count"),
    ("attachments", "attachment_count", "internal_attachment_count"),
)


class Books:
    """What is stored, read once; nobody may be writing meanwhile."""

    def __init__(self, platform: Platform) -> None:
        database = platform.database
        self.tickets = {each["_id"]: each for each in database["tickets"].find()}
        self.events: dict[Any, list[Document]] = defaultdict(list)
        for event in database["events"].find().sort([("version", 1), ("position", 1)]):
            self.events[event["ticket_id"]].append(event)
        self.rows = {name: list(database[name].find()) for name, *_ in _COUNTED}
        self.tenants = list(database["tenants"].find())
        self.uploads = list(database["uploads"].find())

    def faults(self, section: str) -> list[Figure]:
        """Everything that may not be."""
        found = {
            "changes of tickets without an event": self._versions_without_events(),
            "events without their change": self._events_without_changes(),
            "fields that differ from a replay of the history": self._differences_from_replay(),
            "events out of order": self._events_out_of_order(),
            "ticket numbers given twice": self._numbers_given_twice(),
            "counters of tickets that differ from a recount": self._wrong_counters(),
            "counts of stored bytes that differ from a recount": self._wrong_bytes(),
        }
        for what, faults in found.items():
            for fault in faults[:5]:
                print(f"  {what}: {fault}")
        how = f"{len(self.tickets):,} tickets with {sum(map(len, self.events.values())):,} events, all read"
        return [none_of(section, what, len(faults), how) for what, faults in found.items()] + [
            self._statistics(section),
            *self._files(section),
        ]

    def marks(self) -> Counter[Mark]:
        """The writes that the history and the rows tell of."""
        found: Counter[Mark] = Counter()
        for event in (each for events in self.events.values() for each in events):
            found.update(_marks_of(event))
        for comment in self.rows["comments"]:
            if comment["_id"] not in self.tickets:  # a merged ticket's own words become a comment
                found[Mark("comment", comment["body"])] += 1
        found.update(Mark("attachment", row["name"]) for row in self.rows["attachments"])
        return found

    def _versions_without_events(self) -> list[str]:
        return [
            f"#{ticket['number']} {sorted(missing)}"
            for ticket in self.tickets.values()
            if (missing := set(range(1, ticket["version"] + 1)) - {each["version"] for each in self._of(ticket)})
        ]

    def _events_without_changes(self) -> list[str]:
        known = {name: {row["_id"] for row in rows} for name, rows in self.rows.items()}
        wrong = []
        for ticket_id, events in self.events.items():
            ticket = self.tickets.get(ticket_id)
            for event in events:
                data = event["data"]
                named = {
                    "comment.added": ("comments", "comment_id"),
                    "attachment.added": ("attachments", "attachment_id"),
                }
                collection, key = named.get(event["type"], ("", ""))
                if (
                    ticket is None
                    or event["version"] > ticket["version"]
                    or (collection and data[key] not in known[collection])
                    or (event["type"] == "ticket.merged" and not self._is_merged(ticket, data))
                ):
                    wrong.append(f"{event['type']} {event['version']} of {ticket_id}")
        return wrong

    def _is_merged(self, ticket: Document, data: Document) -> bool:
        if "into" in data:
            return bool(ticket["merged_into_id"] == data["into"])
        return data["from"] in ticket["merged_ids"]

    def _differences_from_replay(self) -> list[str]:
        """Each change begins where the one before it ended, and the last one ended at what is stored."""
        wrong = []
        for ticket in self.tickets.values():
            values: Document = {}
            for event in self._of(ticket):
                if event["type"] == "ticket.created":
                    values = {name: event["data"][name] for name in ("title", "status", "priority")}
                for name, (before, after) in event["changes"].items():
                    if values.setdefault(name, before) != before:
                        wrong.append(f"#{ticket['number']} {name} at version {event['version']}: a lost update")
                    values[name] = after
            wrong += [
                f"#{ticket['number']} {name}: {values[name]!r} by its history, {ticket[name]!r} stored"
                for name in REPLAYED
                if name in values and values[name] != ticket[name]
            ]
        return wrong

    def _events_out_of_order(self) -> list[str]:
        return [
            f"#{ticket['number']} version {after['version']}"
            for ticket in self.tickets.values()
            for before, after in zip(self._of(ticket), self._of(ticket)[1:], strict=False)
            if after["at"] < before["at"]
        ]

    def _numbers_given_twice(self) -> list[str]:
        numbers = Counter((each["tenant_id"], each["number"]) for each in self.tickets.values())
        return [str(number) for number, times in numbers.items() if times > 1]

    def _wrong_counters(self) -> list[str]:
        counted: Counter[tuple[Any, str]] = Counter()
        for collection, public, internal in _COUNTED:
            for row in self.rows[collection]:
                counted[row["ticket_id"], internal if row["visibility"] == "internal" else public] += 1
        names = [name for _, public, internal in _COUNTED for name in (public, internal)]
        return [
            f"#{ticket['number']} {name}: {ticket[name]}, counted {counted[ticket['_id'], name]}"
            for ticket in self.tickets.values()
            for name in names
            if ticket[name] != counted[ticket["_id"], name]
        ]

    def _wrong_bytes(self) -> list[str]:
        counted: Counter[Any] = Counter()
        for row in self.rows["attachments"]:
            counted[row["tenant_id"]] += row["size"]
        return [
            f"{each['slug']}: {each['storage_bytes']}, counted {counted[each['_id']]}"
            for each in self.tenants
            if each["storage_bytes"] != counted[each["_id"]]
        ]

    def _statistics(self, section: str) -> Figure:
        from tickets.stats.services import differences

        wrong = {each["slug"]: found for each in self.tenants if (found := differences(each["_id"]))}
        print(*(f"  statistics of {slug}: {found}" for slug, found in wrong.items()), sep="\n", end="")
        cells = sum(map(len, wrong.values()))
        return none_of(section, "cells of statistics that differ from a recount", cells, "as manage.py verify_stats")

    def _files(self, section: str) -> list[Figure]:
        """What lies in the storage against what rows know, before and after the sweep that a job does daily."""
        from tickets.attachments.sweeping import find_missing_files, sweep_files

        ids = [each["_id"] for each in self.tenants]
        at_once = timedelta(0)
        swept = sum(len(sweep_files(id_, older_than=at_once)) for id_ in ids)
        left = sum(len(sweep_files(id_, older_than=at_once, dry_run=True)) for id_ in ids)
        missing = [key for id_ in ids for key in find_missing_files(id_)]
        known = [row["storage_key"] for row in self.rows["attachments"]]
        swept_away = len(set(known) & set(missing))
        how = f"{len(known):,} attachments; the sweep removed {swept} of writes that were cut off"
        return [
            none_of(section, "files without a row, after the sweep", left, how),
            none_of(section, "attachments without their file", swept_away, how),
        ]

    def _of(self, ticket: Document) -> list[Document]:
        return self.events[ticket["_id"]]


def _marks_of(event: Document) -> Iterable[Mark]:
    data, changes = event["data"], event["changes"]
    if event["type"] == "ticket.created":
        yield Mark("ticket", data["title"])
    if event["type"] == "ticket.merged" and "from" in data:
        yield Mark("merge", str(data["from"]))
    if "title" in changes:
        yield Mark("change", changes["title"][1])
    if "tags" in changes:
        before, after = changes["tags"]
        for tag in set(after) - set(before):
            yield Mark("bulk", f"{tag} {event['ticket_id']}")
