"""The side bar: what each ModelAdmin offers, under the headings it names."""

from collections.abc import Iterable
from dataclasses import dataclass

OVERVIEW = "g d"
QUEUE = "g q"


@dataclass(frozen=True, slots=True)
class Item:
    """One link. ``icon`` is the name of a Material symbol; ``group`` the heading it stands under.

    ``shortcut`` is a key for it (see keyboard.js). ``count`` names a figure beside the title, which the address
    ``count_url`` knows: it answers ``{"counts": {name: shown}}``, is asked once for all links that name it, after the
    page has come, and an empty text shows nothing.
    """

    group: str
    title: str
    link: str
    icon: str
    active: bool = False
    shortcut: str = ""
    count: str = ""
    count_url: str = ""

    @property
    def is_queue(self) -> bool:
        """Whether it leads to the list in which pages without a search of their own search."""
        return self.shortcut == QUEUE


@dataclass(frozen=True, slots=True)
class Group:
    """Links under one heading."""

    title: str
    items: list[Item]


def grouped(items: Iterable[Item]) -> list[Group]:
    """The items under their headings, both in the order in which they come."""
    groups: dict[str, Group] = {}
    for item in items:
        groups.setdefault(item.group, Group(item.group, [])).items.append(item)
    return list(groups.values())
