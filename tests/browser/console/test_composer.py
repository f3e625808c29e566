"""The box in which agents answer, in a real browser: nothing typed is lost, and what was sent can be taken back."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import shoot
from tests.browser.console.conftest import Enter, in_each_look
from tests.cast import actor_of
from tests.isolation.world import World
from ticketing.mongo import ObjectId
from tickets.canned_replies.services import create_canned_reply
from tickets.conversation.repository import CommentRepository

pytestmark = [pytest.mark.browser, pytest.mark.django_db]
TEXT = "Use **water**, not oil"


@pytest.fixture
def page(world: World, enter: Enter) -> Page:
    create_canned_reply(actor_of(world.cast.amir), name="Greeting", body="Hi {{ requester.first_name }},")
    return enter(world.cast.amir, address_of(world))


def address_of(world: World) -> str:
    return f"/console/tickets/ticket/{world.own.ticket}/change/"


def answers(world: World) -> int:
    return CommentRepository(world.cast.acme.pk).count({"ticket_id": ObjectId(world.own.ticket), "body": TEXT})


@in_each_look
def test_a_draft_survives_a_reload_and_another_browser(world: World, page: Page, enter: Enter, look: str) -> None:
    page.get_by_label("Your text").fill(TEXT)
    expect(page.get_by_text("Saved as a draft")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Your text")).to_have_value(TEXT)
    elsewhere = enter(world.cast.amir, address_of(world), look="phone-dark")
    expect(elsewhere.get_by_label("Your text")).to_have_value(TEXT)
    elsewhere.locator("[data-reply]").scroll_into_view_if_needed()
    shoot(elsewhere, f"composer-draft-of-{look}")


@in_each_look
def test_what_the_server_has_not_got_comes_back_from_the_browser(page: Page) -> None:
    page.evaluate(
        """() => {
            Console.send = () => Promise.reject(Console.error(0, { detail: "(offline)" }));
            navigator.sendBeacon = () => false;
        }"""
    )
    page.get_by_label("Your text").fill(TEXT)
    expect(page.get_by_text("Kept in this browser")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Your text")).to_have_value(TEXT)
    expect(page.get_by_text("Saved as a draft")).to_be_visible()


def test_a_note_follows_a_note_until_the_reply_is_chosen(page: Page, enter: Enter, world: World) -> None:
    page.get_by_label("Internal note").check()
    page.get_by_label("Your text").fill(TEXT)
    page.get_by_label("Your text").press("Control+Enter")
    page.get_by_role("button", name="Send now").click()
    expect(page.locator(".thread-entry").filter(has_text="not oil")).to_be_visible()
    for _ in range(2):
        expect(page.get_by_label("Internal note")).to_be_checked()
        page.reload()
    page.get_by_label("Reply to the customer").check()
    page.reload()
    expect(page.get_by_label("Reply to the customer")).to_be_checked()
    expect(enter(world.cast.amir, address_of(world)).get_by_label("Reply to the customer")).to_be_checked()


@in_each_look
def test_sends_after_ten_seconds_and_takes_back_before(world: World, page: Page, look: str) -> None:
    box = page.get_by_label("Your text")
    box.fill(TEXT)
    box.press("Control+Enter")
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    shoot(page, f"composer-waiting-{look}")
    page.get_by_role("button", name="Undo").click()
    expect(box).to_have_value(TEXT)
    assert answers(world) == 0
    page.get_by_text("Send and set a status").locator("..").click()
    shoot(page, f"composer-menu-{look}")
    page.get_by_role("button", name="Send and set to Pending").click()
    page.get_by_role("button", name="Send now").click()
    expect(page.locator(".thread-entry").filter(has_text="not oil")).to_be_visible()
    expect(page.locator("#id_status")).to_have_value("pending")
    expect(box).to_have_value("")
    assert answers(world) == 1


@in_each_look
def test_preview_canned_replies_and_files(world: World, page: Page, look: str) -> None:
    page.get_by_role("button", name="Canned replies").click()
    page.get_by_label("Filter canned replies").fill("gree")
    shoot(page, f"composer-canned-{look}")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your text")).to_have_value("Hi Carla,")
    page.get_by_label("Your text").fill(TEXT)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("region", name="Preview").locator("strong")).to_have_text("water")
    page.get_by_role("button", name="Write").click()
    file = {"name": "log.txt", "mimeType": "text/plain", "buffer": b"It burns"}
    page.locator("[name=attachments]").set_input_files([file])
    expect(page.locator(".reply-uploads [name=upload_ids]")).to_have_count(1)
    shoot(page, f"composer-files-{look}")
    page.reload()
    expect(page.get_by_role("button", name="Remove log.txt")).to_be_visible()
    page.get_by_label("Your text").press("Control+Enter")
    page.get_by_role("button", name="Send now").click()
    expect(page.locator(".thread-entry").filter(has_text="not oil").get_by_text("log.txt")).to_be_visible()
