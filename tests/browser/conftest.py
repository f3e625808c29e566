"""A real Chromium in front of a live server on the test's database."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

ARTIFACTS = Path(__file__).parents[2] / "test-artifacts"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
OPTIONS = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}

NewPage = Callable[..., Page]


@pytest.fixture
def chrome(chromium: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    # Playwright runs an event loop in this thread, which makes Django refuse the database to it.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def new_page(chrome: Browser, live_server: Any) -> Iterator[NewPage]:
    """Makes pages on a tenant's host name. At the end no request may have left this host, and no script failed."""
    pages: list[Page] = []
    strangers: list[str] = []
    complaints: list[str] = []

    def new(host: str, size: str = "desktop", scheme: str = "light") -> Page:
        port = urlsplit(live_server.url).port
        page = chrome.new_page(
            base_url=f"http://{host}:{port}", viewport=OPTIONS[size], color_scheme=scheme, reduced_motion="reduce"
        )
        page.set_default_timeout(15_000)
        page.on("request", lambda request: strangers.append(request.url) if _is_strange(request.url) else None)
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on("console", lambda said: complaints.append(f"{page.url}: {said.text}") if _is_error(said) else None)
        pages.append(page)
        return page

    yield new
    for page in pages:
        page.close()
    assert strangers == []
    assert complaints == []


def shoot(page: Page, name: str, *, full: bool = False) -> None:
    """Keeps a picture of the page as an artefact of the run."""
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"{name}.png", full_page=full, animations="disabled")


def _is_error(said: ConsoleMessage) -> bool:
    """Chromium's own words on an answer are no error of a script where it is a page's own, an icon's that is none, or a
    refusal that the page deals with: signed out, in the way of another, or too late."""
    asked = said.location["url"]
    is_expected = asked.endswith("/favicon.ico") or (said.page is not None and said.page.url == asked)
    is_refusal = any(f"status of {status} " in said.text for status in (401, 409, 412))
    return said.type == "error" and not (said.text.startswith("Failed to load") and (is_expected or is_refusal))


def _is_strange(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https", "ws", "wss") and not f".{parts.hostname}".endswith(".localhost")
