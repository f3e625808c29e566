"""axe-core's checks of accessibility, run in the page that a browser shows."""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

SCRIPT = Path(__file__).parents[3] / "build" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "rules": {"target-size": {"enabled": True}},  # WCAG 2.2 AA, which axe leaves out unless asked
    "resultTypes": ["violations"],
}
# What a page's colours alone decide.
OF_COLOURS = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
    "resultTypes": ["violations"],
}


def violations_of(page: Page) -> list[str]:
    """What breaks WCAG 2.0, 2.1 or 2.2 at level A or AA: the rule, the element, and axe's words for it."""
    return _run(page, OPTIONS)


def violations_of_colours(page: Page) -> list[str]:
    """The same, for a page of which nothing but the scheme has changed since ``violations_of``."""
    return _run(page, OF_COLOURS)


def bring_axe(page: Page) -> None:
    """Gives every page to come the checks, which costs less than giving them to each when it is there."""
    page.add_init_script(_script())


def _run(page: Page, options: dict[str, Any]) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(_script())
    found: list[dict[str, Any]] = page.evaluate("options => axe.run(options)", options)["violations"]
    return [_told(rule, node) for rule in found for node in rule["nodes"]]


def _told(rule: dict[str, Any], node: dict[str, Any]) -> str:
    summary = " ".join(node["failureSummary"].split())
    return f"{rule['id']}: {node['html'][:160]} ({' '.join(map(str, node['target']))}): {summary}"


@cache
def _script() -> str:
    assert SCRIPT.is_file(), f"{SCRIPT} is missing: `make browser-test` fetches it"
    return SCRIPT.read_text()
