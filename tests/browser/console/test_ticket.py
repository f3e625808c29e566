"""A ticket is opened for somebody, looked at with its requester, saved over a colleague's change, and closed."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import shoot
from tests.browser.console.axe import violations_of
from tests.browser.console.conftest import Enter, in_each_look
from tests.cast import actor_of
from tests.isolation.world import World
from ticketing.mongo import ObjectId
from tickets.services import change_ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db]
TICKETS = "/console/tickets/ticket/"


@in_each_look
def test_a_ticket_is_opened_for_a_customer(world: World, enter: Enter, look: str) -> None:
    page = enter(world.cast.amir, f"{TICKETS}add/")
    page.get_by_label("Requester's e-mail").fill("nobody@example.test")
    page.get_by_label("Title").fill("The lift is stuck")
    page.get_by_label("Priority").select_option("Urgent")
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_text("not the address of an active account")).to_be_visible()
    expect(page.get_by_label("Title")).to_have_value("The lift is stuck")
    assert violations_of(page) == []
    shoot(page, f"new-ticket-refused-{look}")
    page.get_by_label("Requester's e-mail").fill(world.cast.carl.email)
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_role("heading", name="The lift is stuck")).to_be_visible()

    card = page.get_by_role("region", name="Requester")
    expect(card).to_contain_text(world.cast.carl.email)
    card.get_by_role("link", name="Where is the coffee machine?").click()
    expect(page.get_by_role("heading", name="Where is the coffee machine?")).to_be_visible()


@in_each_look
def test_a_colleagues_change_is_told_and_the_own_one_kept(world: World, enter: Enter, look: str) -> None:
    address = f"{TICKETS}{world.own.ticket}/change/"
    page = enter(world.cast.amir, address)
    expect(page.get_by_label("Priority")).to_have_value("high")
    page.evaluate("() => { Console.send = () => new Promise(() => {}); }")  # nothing new reaches the page
    change_ticket(actor_of(world.cast.ada), ObjectId(world.own.ticket), {"category": "Printers"})
    page.get_by_label("Priority").select_option("Low")
    page.get_by_role("button", name="Save", exact=True).click()
    told = page.get_by_text("This was changed while you had it open")
    expect(told).to_contain_text("Ada Acme")
    expect(page.get_by_label("Priority")).to_have_value("low")
    expect(page.get_by_label("Category")).to_have_value("Printers")
    assert violations_of(page) == []
    shoot(page, f"ticket-stale-{look}", full=True)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible()


@in_each_look
def test_closing_asks_first(world: World, enter: Enter, look: str) -> None:
    page = enter(world.cast.amir, f"{TICKETS}{world.own.ticket}/change/")
    page.locator("#id_status").select_option("Closed")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Nobody can reopen a closed ticket")).to_be_visible()
    assert violations_of(page) == []
    shoot(page, f"ticket-close-asked-{look}", full=True)
    page.get_by_role("button", name="Close for good").click()
    expect(page.get_by_text("This ticket is closed, which is final.")).to_be_visible()


def test_keys_of_the_ticket_page(world: World, enter: Enter) -> None:
    page = enter(world.cast.amir, f"{TICKETS}{world.own.ticket}/change/")
    page.keyboard.press("a")
    expect(page.locator("#id_assigned_to")).to_have_value(str(world.cast.amir.pk))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text("Search")
    assert violations_of(page) == []
    page.keyboard.press("Escape")
    for address in ("/console/", f"{TICKETS}{world.own.ticket}/change/"):
        page.goto(address)
        page.keyboard.press("/")
        expect(page.get_by_label("Search", exact=True)).to_be_focused()
        expect(page).to_have_url(re.compile("view=open"))


@in_each_look
def test_followers_come_and_go_and_the_number_is_copied(world: World, enter: Enter) -> None:
    page = enter(world.cast.amir, f"{TICKETS}{world.own.ticket}/change/")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    followers = page.get_by_role("region", name="Followers")
    page.get_by_label("Add a follower by e-mail").fill(world.cast.carl.email)
    followers.get_by_role("button", name="Add", exact=True).click()
    followers.get_by_role("button", name="Remove Carl Customer").click()
    expect(followers.get_by_text("Carl Customer")).to_have_count(0)
    for button in page.locator("[data-copy]").all():
        wanted = button.get_attribute("data-copy") or ""
        button.click()
        expect(page.get_by_text("Copied")).to_be_attached()
        assert page.evaluate("navigator.clipboard.readText()").endswith(wanted)
