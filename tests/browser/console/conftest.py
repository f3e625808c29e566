"""One Chromium for a process, and a tenant whose pages have something to show."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connections
from playwright.sync_api import Browser, Page, expect, sync_playwright

from accounts.models import User
from tests.browser.conftest import ARGUMENTS, NewPage
from tests.browser.console.story import tell
from tests.isolation.snapshot import Snapshot
from tests.isolation.world import World, build_world, cookie_of

Enter = Callable[..., Page]
TIMEOUT = 30_000  # milliseconds: an open ticket asks every eight seconds what is new
# Every flow is walked in these two; the sweep looks at each page in all four.
LOOKS = ("desktop-light", "phone-dark")
in_each_look = pytest.mark.parametrize("look", LOOKS)
_worlds: list[World] = []


@pytest.fixture(scope="session")
def chrome(chromium: str) -> Iterator[Browser]:
    """Instead of a browser for each test: to start one costs more than most of these tests do."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        expect.set_options(timeout=TIMEOUT)
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: a worker that has nothing left takes over what the other one has not begun."""
    items.sort(key=lambda item: "test_sweep" not in item.nodeid)


@pytest.fixture(scope="package")
def _documents(_seeded_ids: None, django_db_blocker: Any) -> Iterator[None]:
    """What is in the database stays from test to test: the world takes back what one has written, which costs less
    than to write everything anew."""
    with django_db_blocker.unblock():
        before = Snapshot.take()
        yield
        before.undo()
        wrapper = connections["default"]
        wrapper.connection = None
        wrapper.__dict__.pop("database", None)


@pytest.fixture
def _django_db_helper(_documents: None) -> Iterator[None]:
    yield
    cache.clear()


@pytest.fixture
def world(db: None) -> World:
    """The world of the isolation walks, and in its acme a story worth looking at."""
    if not _worlds:
        world = build_world()
        tell(world)
        world.snapshot = type(world.snapshot).take()
        _worlds.append(world)
    _worlds[0].snapshot.undo()
    return _worlds[0]


def open_side_bar(page: Page) -> None:
    """On a phone the ways to other pages lie behind a button."""
    assert page.viewport_size
    if page.viewport_size["width"] < 1280:  # where there is room for it, the same button hides it
        page.get_by_role("button", name="Side bar", exact=True).click()


@pytest.fixture
def look() -> str:
    """The size of the window and the scheme that the test's pages have."""
    return LOOKS[0]


@pytest.fixture
def enter(new_page: NewPage, look: str) -> Enter:
    """Opens a page on which somebody has signed in: ``enter(user, "/console/")``; with another look than the test's
    by ``look="phone-dark"``."""

    def enter(user: User | None, address: str = "", *, look: str = look) -> Page:
        host = "localhost" if user and user.tenant_id is None else "acme.localhost"
        page = new_page(host, *look.split("-"))
        page.set_default_timeout(TIMEOUT)
        if user:
            name, _, value = cookie_of(user).partition("=")
            page.context.add_cookies([{"name": name, "value": value, "domain": host, "path": "/"}])
        if address:
            page.goto(address)
        return page

    return enter
