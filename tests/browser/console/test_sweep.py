"""Every page of the console, as each role sees it: accessible, also at 390 px and in the dark."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import OPTIONS, shoot
from tests.browser.console.axe import bring_axe, violations_of, violations_of_colours
from tests.browser.console.conftest import Enter
from tests.browser.console.focus import problems_of_focus
from tests.browser.console.pages import ROLES, Answered, user_of, whole_pages
from tests.isolation.world import World
from ticketing import error_pages
from ticketing.console import site

pytestmark = [pytest.mark.browser, pytest.mark.django_db]
_POLICIES = (site.CONTENT_SECURITY_POLICY, error_pages.CONTENT_SECURITY_POLICY)
_NAMES_OF_ICONS = """() => [...document.querySelectorAll(".material-symbols-outlined")]
  .filter((icon) => icon.checkVisibility() && !icon.closest("[aria-hidden=true]"))
  .map((icon) => icon.textContent.trim())"""
# Pages for whoever has not signed in, and those that tell of an error, have nowhere to lead but in.
_WITH_NAVIGATION = "body:not(.login):has(#page)"


# Unfold asks which scheme there is once, when a page begins or somebody chooses "as the machine has it".
_FOLLOW_THE_SCHEME = """async () => {
  const data = window.Alpine?.$data(document.documentElement);
  if (data?.adminTheme !== "auto") return;
  data.adminTheme = "light";
  await Alpine.nextTick();
  data.adminTheme = "auto";
  await Alpine.nextTick();
}"""
_GO_TO_THE_BEGINNING = """() => {
  document.activeElement?.blur();
  for (const each of [document.scrollingElement, ...document.querySelectorAll("nav")]) each.scrollTo(0, 0);
}"""
_PARTS = 3  # of a role's pages, so that no test takes much longer than the others


@pytest.mark.parametrize("part", range(_PARTS))
@pytest.mark.parametrize("role", ROLES)
def test_every_page(world: World, enter: Enter, role: str, part: int) -> None:
    """Everything at both sizes, each in another scheme; then what the other scheme changes: the colours alone."""
    page = enter(user_of(world, role), look="desktop-light")
    bring_axe(page)
    problems = []
    for answer in whole_pages(role, world)[part::_PARTS]:
        url, name = answer.address.url, f"page-{role}-{answer.address.name}"
        found = [*_problems_of_answer(answer)]
        _show(page, "desktop-light")
        page.goto(url)
        for size, scheme, other in (("desktop", "light", "dark"), ("phone", "dark", "light")):
            _show(page, f"{size}-{scheme}")
            found += [*_problems_of_page(page)]
            shoot(page, f"{name}-{size}-{scheme}", full=True)
            _show(page, f"{size}-{other}")
            found += violations_of_colours(page)
            shoot(page, f"{name}-{size}-{other}", full=True)
            found += problems_of_focus(page)
        problems += [f"{url}: {each}" for each in found]
    assert not problems, "\n".join(problems)


def _show(page: Page, look: str) -> None:
    size, scheme = look.split("-")
    page.set_viewport_size(OPTIONS[size])
    page.emulate_media(color_scheme=scheme)
    page.evaluate(_FOLLOW_THE_SCHEME)
    page.evaluate(_GO_TO_THE_BEGINNING)


def _problems_of_answer(answer: Answered) -> Iterator[str]:
    if answer.status != answer.address.status:
        yield f"answers {answer.status}, not {answer.address.status}"
    if answer.policy not in _POLICIES:
        yield f"has the policy {answer.policy}"


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
