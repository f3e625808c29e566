"""Two agents on one ticket, each in a browser: what one does the other sees, and nobody loses what he types."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import shoot
from tests.browser.console.axe import violations_of
from tests.browser.console.conftest import Enter, in_each_look, open_side_bar
from tests.cast import actor_of
from tests.isolation.world import World
from ticketing.mongo import ObjectId
from tickets.conversation.services import add_comment
from tickets.merging.services import merge_ticket, unmerge_ticket
from tickets.services import change_ticket, open_ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db]
TEXT = "A long and careful answer"


@pytest.fixture
def pages(world: World, enter: Enter) -> tuple[Page, Page]:
    address = f"/console/tickets/ticket/{world.own.ticket}/change/"
    amir, ada = enter(world.cast.amir, address), enter(world.cast.ada, address)
    return amir, ada


@in_each_look
def test_who_else_is_here(pages: tuple[Page, Page], look: str) -> None:
    amir, ada = pages
    expect(amir.get_by_text("Ada Acme").and_(amir.locator("[data-here] li"))).to_be_visible()
    amir.get_by_label("Your text").press_sequentially(TEXT)
    expect(ada.locator("[data-here] li.is-writing")).to_contain_text("Amir Acme")
    shoot(ada, f"together-writing-{look}")


@in_each_look
def test_what_a_colleague_does_appears(pages: tuple[Page, Page], look: str) -> None:
    amir, ada = pages
    amir.get_by_label("Your text").fill(TEXT)
    ada.get_by_label("Priority").select_option("Urgent")
    ada.get_by_label("Internal note").check()
    ada.get_by_label("Your text").fill("She called again.")
    ada.get_by_label("Your text").press("Control+Enter")
    note = amir.get_by_role("listitem").filter(has_text="She called again.")
    expect(note).to_be_visible(timeout=40_000)
    expect(amir.get_by_label("Priority")).to_have_value("urgent")
    expect(amir.locator(".ticket-badges")).to_contain_text("Urgent")
    expect(amir.get_by_label("Your text")).to_have_value(TEXT)
    shoot(amir, f"together-news-{look}")


def test_a_ticket_that_a_colleague_closes_keeps_the_text(pages: tuple[Page, Page], world: World) -> None:
    amir, ada = pages
    amir.get_by_label("Your text").fill(TEXT)
    change_ticket(actor_of(world.cast.ada), ObjectId(world.own.ticket), {"status": "closed"})
    for page in pages:
        page.evaluate("document.dispatchEvent(new CustomEvent('ticket:changed'))")
        expect(page.get_by_text("This ticket is closed, which is final.")).to_be_visible()
        expect(page.get_by_role("button", name="Send", exact=True)).to_be_hidden()
    expect(amir.get_by_label("Your text")).to_have_value(TEXT)
    expect(amir.get_by_label("Your text")).not_to_be_editable()
    expect(ada.get_by_label("Your text")).to_be_hidden()
    shoot(amir, "together-closed")


@in_each_look
def test_nothing_is_overwritten_silently(pages: tuple[Page, Page], look: str) -> None:
    """Both choose a status; the second is told what the first chose before his own is stored."""
    amir, ada = pages
    amir.get_by_label("Status").select_option("On hold")
    amir.get_by_label("Your text").fill(TEXT)
    ada.get_by_label("Status").select_option("Pending")
    ada.locator("#ticket-properties").get_by_role("button", name="Save", exact=True).click()
    expect(ada.locator(".ticket-badges")).to_contain_text("Pending")
    amir.locator("#ticket-properties").get_by_role("button", name="Save", exact=True).click()
    expect(amir.get_by_text("Ada Acme").filter(has_text="Pending").first).to_be_visible()
    expect(amir.get_by_label("Status")).to_have_value("on_hold")
    expect(amir.get_by_label("Your text")).to_have_value(TEXT)
    assert violations_of(amir) == []
    shoot(amir, f"together-conflict-{look}")
    amir.locator("#ticket-properties").get_by_role("button", name="Save", exact=True).click()
    expect(amir.locator(".ticket-badges")).to_contain_text("On hold")


@in_each_look
def test_a_mention_reaches_the_colleague(pages: tuple[Page, Page], world: World, look: str) -> None:
    amir, ada = pages
    ada.goto("/console/")
    amir.get_by_label("Internal note").check()
    box = amir.get_by_label("Your text")
    box.press_sequentially("Please look, @Ada")
    expect(amir.get_by_role("listbox").get_by_role("option", name="Ada Acme")).to_be_visible()
    assert violations_of(amir) == []
    shoot(amir, f"mention-options-{look}")
    box.press("Enter")
    box.press("Control+Enter")
    expect(amir.locator(".thread .mention").last).to_be_visible(timeout=40_000)
    expect(amir.locator("#ticket-people")).to_contain_text("Ada Acme")
    open_side_bar(ada)
    ada.get_by_role("link", name="Mentions").click()
    expect(ada.get_by_text("Printer on fire").first).to_be_visible()
    shoot(ada, f"mentions-{look}")


def test_what_leaves_the_ticket_leaves_the_open_page(world: World, enter: Enter) -> None:
    amir = actor_of(world.cast.amir)
    ticket, duplicate = (open_ticket(amir, title=title, description="Hot.") for title in ("Smoke", "More smoke"))
    add_comment(amir, ticket["_id"], "I have a look.")
    add_comment(amir, duplicate["_id"], "Since noon.")
    page = enter(world.cast.amir, f"/console/tickets/ticket/{ticket['_id']}/change/")
    before = page.locator(".thread-entry").all_inner_texts()
    merge_ticket(amir, duplicate["_id"], str(ticket["_id"]))
    page.evaluate("document.dispatchEvent(new CustomEvent('ticket:changed'))")
    expect(page.get_by_text("Since noon.")).to_be_visible()
    unmerge_ticket(amir, duplicate["_id"])
    page.evaluate("document.dispatchEvent(new CustomEvent('ticket:changed'))")
    expect(page.get_by_text("Since noon.")).to_have_count(0)
    assert page.locator(".thread-entry").count() == len(before)
