"""The side bar: what each ModelAdmin offers, under the headings it names."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.html import conditional_escape

Group = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """One link. ``icon`` is the name of a Material symbol; ``group`` the heading it stands under."""

    group: str
    title: str
    link: str
    icon: str
    active: bool = False


def grouped(items: Iterable[Item]) -> list[Group]:
    """The items under their headings, both in the order in which they come, as unfold's templates take them."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        groups.setdefault(item.group, []).append(
            {
                "title": conditional_escape(item.title),  # the template marks it safe
                "link": item.link,
                "icon": item.icon,
                "active": item.active,
                "has_permission": True,
            }
        )
    return [{"title": title, "items": entries} for title, entries in groups.items()]
