"""A duplicate is merged and taken back, tickets are linked, a comment becomes a ticket; also on a phone."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import shoot
from tests.browser.console.axe import violations_of
from tests.browser.console.conftest import Enter, in_each_look
from tests.cast import actor_of
from tests.isolation.world import World
from ticketing.mongo.repository import Document
from tickets.conversation.services import add_comment
from tickets.services import open_ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db]
TICKETS = "/console/tickets/ticket/"


@pytest.fixture
def duplicate(world: World) -> Document:
    ticket = open_ticket(actor_of(world.cast.carla), title="The printer smokes", description="Since *noon*.")
    add_comment(actor_of(world.cast.carla), ticket["_id"], "The door of room 4 is stuck, too.")
    return ticket


def page_of(ticket: Document) -> str:
    return f"{TICKETS}{ticket['_id']}/change/"


@in_each_look
def test_a_duplicate_is_merged_and_taken_back(world: World, enter: Enter, duplicate: Document, look: str) -> None:
    page = enter(world.cast.amir, page_of(duplicate))
    page.get_by_role("link", name="Merge into…").press("Enter")
    dialog = page.get_by_role("dialog", name="Merge into another ticket")
    search = dialog.get_by_label("Number, or words of the ticket that goes on")
    expect(search).to_be_focused()
    assert violations_of(page) == []
    shoot(page, f"merge-choose-{look}")
    search.fill("VPN drops")
    search.press("Enter")
    dialog.get_by_role("link", name="VPN drops every hour").press("Enter")
    expect(dialog.get_by_text("Carla Customer")).to_contain_text("will see #")
    assert violations_of(page) == []
    shoot(page, f"merge-preview-{look}")
    dialog.get_by_role("button", name="Merge", exact=True).press("Enter")

    expect(page.get_by_role("heading", name="VPN drops every hour")).to_be_visible()
    expect(page.get_by_text("was merged into this ticket.")).to_be_visible()
    expect(page.get_by_text("The door of room 4 is stuck, too.")).to_be_visible()
    assert violations_of(page) == []
    shoot(page, f"merge-done-{look}", full=True)
    page.goto(page_of(duplicate))
    expect(page.get_by_text("its conversation goes on there")).to_be_visible()
    shoot(page, f"merge-merged-{look}", full=True)
    assert violations_of(page) == []
    page.get_by_role("link", name="Go to #").click()
    page.go_back()
    page.get_by_role("button", name="Take the merge back").click()
    expect(page.get_by_text("The merge was taken back")).to_be_visible()
    expect(page.get_by_text("The door of room 4 is stuck, too.")).to_be_visible()
    _fits(page)


@in_each_look
def test_the_dialog_gives_the_focus_back(world: World, enter: Enter, duplicate: Document) -> None:
    page = enter(world.cast.amir, page_of(duplicate))
    link = page.get_by_role("link", name="Merge into…")
    link.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(link).to_be_focused()


@in_each_look
def test_links_change_in_place_and_leave_the_text_alone(
    world: World, enter: Enter, duplicate: Document, look: str
) -> None:
    page = enter(world.cast.amir, page_of(duplicate))
    page.get_by_label("Your text").fill("Half an answer")
    number = page.get_by_label("Link the ticket number")
    related = page.get_by_role("region", name="Related tickets")
    number.fill(f"#{world.own.number}")
    number.press("Enter")
    expect(related.get_by_role("link", name=f"#{world.own.number}", exact=True)).to_be_visible()
    expect(page.get_by_label("Your text")).to_have_value("Half an answer")
    assert violations_of(page) == []
    shoot(page, f"related-{look}", full=True)
    related.get_by_role("button", name=f"Take the link to #{world.own.number} away").click()
    expect(related.get_by_text("Not linked to any ticket yet.")).to_be_visible()
    expect(page.get_by_label("Your text")).to_have_value("Half an answer")


@in_each_look
def test_a_comment_becomes_a_ticket(world: World, enter: Enter, duplicate: Document, look: str) -> None:
    page = enter(world.cast.amir, page_of(duplicate))
    page.get_by_role("link", name="Split into a new ticket").click()
    title = page.get_by_label("Title")
    expect(title).to_have_value("The door of room 4 is stuck, too.")
    assert violations_of(page) == []
    _fits(page)
    shoot(page, f"split-{look}")
    title.fill("The door of room 4")
    page.get_by_role("button", name="Make the ticket").click()
    expect(page.get_by_role("heading", name="The door of room 4")).to_be_visible()
    page.goto(page_of(duplicate))
    expect(page.get_by_role("link", name="split into #")).to_be_visible()
    expect(page.get_by_role("link", name="Split into a new ticket")).to_have_count(0)


def _fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
