"""The dashboard: every figure leads to the list that it counts, and its files hold no formula."""

import csv
import io
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from accounts.services import change_user
from accounts.teams import create_team
from tests.browser.conftest import shoot
from tests.browser.console.conftest import Enter, in_each_look
from tests.cast import actor_of
from tests.isolation.world import World
from tickets.services import change_ticket
from tickets.stats.services import fold_all

pytestmark = [pytest.mark.browser, pytest.mark.django_db]
FORMULAS = ("=", "+", "-", "@", "\t", "\r")
# A figure is the link's own text, or stands in bold in it, or in the cell beside it.
_FIGURES = """() => [...document.querySelectorAll("main a[href*='/console/tickets/ticket/?']")].map((link) => {
  const beside = link.closest("th")?.nextElementSibling;
  return [link.href, (link.querySelector("b") ?? beside ?? link).textContent.trim()];
})"""


@in_each_look
def test_each_figure_leads_to_what_it_counts(world: World, enter: Enter, look: str) -> None:
    page = enter(world.cast.ada, "/console/")
    page.get_by_text("As a table").click()
    shoot(page, f"dashboard-{look}", full=True)
    counted = {url: int(text) for url, text in page.evaluate(_FIGURES) if text.isdecimal() and int(text)}
    assert len(counted) > 12
    for url, number in counted.items():
        page.goto(url)
        assert page.locator(".data-row").count() == number, url


@in_each_look
def test_the_period_and_the_team_stay_in_the_address(world: World, enter: Enter, look: str) -> None:
    page = enter(world.cast.amir, "/console/")
    page.locator("select[name=period]").select_option(index=0)
    page.locator("select[name=team]").select_option("zxacmeteam")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**team=*")
    expect(page.locator("select[name=team]").locator("option:checked")).to_have_text("zxacmeteam")
    page.goto("/console/?period=custom&from=2030-01-01&to=2020-01-01")
    expect(page.get_by_role("alert")).to_be_visible()
    shoot(page, f"dashboard-refused-period-{look}")


def test_no_cell_of_a_file_is_a_formula(world: World, enter: Enter, tmp_path: Path) -> None:
    cast, ada = world.cast, actor_of(world.cast.ada)
    for position, name in enumerate(("=HYPERLINK(1)", "+1", "-1+1", "@SUM(A1)")):
        team = create_team(ada, name=name)
        ticket = world.own.ticket if position == 0 else world.own.others_ticket
        change_ticket(ada, ticket, {"team": team.pk})
    change_user(ada, cast.amir.pk, {"name": "=cmd|' /C calc'!A1"})
    fold_all(cast.acme.pk)
    page = enter(cast.ada, "/console/")
    cells = [
        cell
        for link in page.locator("main a[href*='csv'], main a:has-text('CSV')").all()
        for cell in _cells(page, link)
    ]
    assert any("cmd|" in cell for cell in cells)
    assert [cell for cell in cells if cell.startswith(FORMULAS)] == []


def _cells(page: Page, link: Locator) -> list[str]:
    with page.expect_download() as download:
        link.click()
    text = Path(download.value.path()).read_text("utf-8-sig")
    return [cell for row in csv.reader(io.StringIO(text)) for cell in row]
