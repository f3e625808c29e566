"""Every page of the console, as each role sees it: accessible, also at 390 px and in the dark."""

from collections.abc import Iterator

import pytest
from django.http import HttpResponse
from playwright.sync_api import Page

from tests.browser.conftest import shoot
from tests.browser.console.axe import violations_of
from tests.browser.console.conftest import Enter
from tests.browser.console.focus import problems_of_focus
from tests.browser.console.pages import ROLES, Address, answers_of, user_of
from tests.isolation.world import World
from ticketing import error_pages
from ticketing.console import site

pytestmark = [pytest.mark.browser, pytest.mark.django_db]
_POLICIES = (site.CONTENT_SECURITY_POLICY, error_pages.CONTENT_SECURITY_POLICY)
# Where Tab leads depends on the size alone, and how the focus looks on the colours: each size and each scheme is in it.
_WALKED_BY_TAB = ("desktop-light", "phone-dark")
_NAMES_OF_ICONS = """() => [...document.querySelectorAll(".material-symbols-outlined")]
  .filter((icon) => icon.checkVisibility() && !icon.closest("[aria-hidden=true]"))
  .map((icon) => icon.textContent.trim())"""
# Pages for whoever has not signed in, and those that tell of an error, have nowhere to lead but in.
_WITH_NAVIGATION = "body:not(.login):has(#page)"


@pytest.mark.parametrize("look", ["desktop-light", "desktop-dark", "phone-light", "phone-dark"])
@pytest.mark.parametrize("role", ROLES)
def test_every_page(world: World, enter: Enter, role: str, look: str) -> None:
    page = enter(user_of(world, role))
    problems = []
    for address, answer in answers_of(role, world):
        problems += [f"{address.url}: {each}" for each in _problems_of_answer(answer, address)]
        page.goto(address.url)
        problems += [f"{address.url}: {each}" for each in _problems_of_page(page)]
        if look in _WALKED_BY_TAB:
            problems += [f"{address.url}: {each}" for each in problems_of_focus(page)]
        shoot(page, f"page-{role}-{address.name}-{look}", full=True)
    assert not problems, "\n".join(problems)


def _problems_of_answer(answer: HttpResponse, address: Address) -> Iterator[str]:
    if answer.status_code != address.status:
        yield f"answers {answer.status_code}, not {address.status}"
    if (policy := answer.headers.get("Content-Security-Policy")) not in _POLICIES:
        yield f"has the policy {policy}"


def _problems_of_page(page: Page) -> Iterator[str]:
    yield from violations_of(page)
    for name, selector in (("main", "main, [role=main]"), ("h1", "h1:not(.thread-text *)")):
        if (number := page.locator(selector).count()) != 1:
            yield f"has {number} {name}"
    if page.locator(_WITH_NAVIGATION).count() and not page.locator("nav, [role=navigation]").count():
        yield "has no navigation"
    yield from (f"reads out the name of the icon {name!r}" for name in page.evaluate(_NAMES_OF_ICONS))
    if (width := page.evaluate("document.documentElement.scrollWidth")) > page.evaluate("innerWidth"):
        yield f"is {width} px wide"
