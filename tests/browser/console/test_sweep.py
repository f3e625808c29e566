"""Every page of the console, as each role sees it: accessible, also at 390 px and in the dark."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import APIResponse, Page

from tests.browser.conftest import OPTIONS, shoot
from tests.browser.console.axe import violations_of
from tests.browser.console.conftest import Enter
from tests.browser.console.focus import problems_of_focus
from tests.browser.console.pages import ROLES, Address, pages_of
from tests.isolation.world import World
from ticketing.console.site import CONTENT_SECURITY_POLICY

pytestmark = [pytest.mark.browser, pytest.mark.django_db]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
@pytest.mark.parametrize("role", ROLES)
def test_every_page(world: World, enter: Enter, role: str, size: str, scheme: str) -> None:
    page = enter(_user(world, role), size=size, scheme=scheme)
    problems = []
    for address in pages_of(role, world):
        response = page.request.get(address.url, max_redirects=0)
        if _is_page(response):
            problems += [f"{address.url}: {each}" for each in _problems_of_answer(response, address)]
            page.goto(address.url)
            problems += [f"{address.url}: {each}" for each in _problems_of_page(page, role, size)]
            shoot(page, f"page-{role}-{address.name}-{size}-{scheme}", full=True)
    assert not problems, "\n".join(problems)


def _user(world: World, role: str) -> Any:
    cast = world.cast
    return {"agent": cast.amir, "admin": cast.ada, "operator": cast.olga}.get(role)


def _is_page(response: APIResponse) -> bool:
    """Not a way to another page, a file, JSON, or a part that a script puts into a page."""
    return response.headers.get("content-type", "").startswith("text/html") and "<html" in response.text()


def _problems_of_answer(response: APIResponse, address: Address) -> Iterator[str]:
    if response.status != address.status:
        yield f"answers {response.status}, not {address.status}"
    if (policy := response.headers.get("content-security-policy")) != CONTENT_SECURITY_POLICY:
        yield f"has the policy {policy}"


def _problems_of_page(page: Page, role: str, size: str) -> Iterator[str]:
    yield from violations_of(page)
    for name, selector in (("main", "main, [role=main]"), ("h1", "h1")):
        if (number := page.locator(selector).count()) != 1:
            yield f"has {number} {name}"
    if role != "nobody" and page.locator("nav, [role=navigation]").count() == 0:
        yield "has no navigation"
    if (width := page.evaluate("document.documentElement.scrollWidth")) > OPTIONS[size]["width"]:
        yield f"is {width} px wide"
    yield from problems_of_focus(page)
