"""The box in which agents answer, in a real browser: nothing typed is lost, and what was sent can be taken back."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import shoot
from tests.browser.console.axe import violations_of
from tests.browser.console.conftest import Enter, in_each_look
from tests.cast import PASSWORD, actor_of
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
    assert violations_of(page) == []
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


@in_each_look
def test_two_versions_of_a_text_wait_until_their_writer_has_chosen(
    world: World, page: Page, enter: Enter, look: str
) -> None:
    box, other = page.get_by_label("Your text"), page.locator("[data-other]")
    box.fill("From here")
    expect(page.get_by_text("Saved as a draft")).to_be_visible()
    elsewhere = enter(world.cast.amir, address_of(world))
    elsewhere.get_by_label("Your text").fill("From elsewhere")
    expect(elsewhere.get_by_text("Saved as a draft")).to_be_visible()
    box.fill("From here, longer")
    expect(other).to_contain_text("From elsewhere")
    assert violations_of(page) == []
    shoot(page, f"composer-two-versions-{look}")
    box.press("Control+Enter")
    expect(page.get_by_text("There are two versions of this text.")).to_be_visible()
    assert CommentRepository(world.cast.acme.pk).count({"body": {"$regex": "^From"}}) == 0
    box.fill("From here, longer still")

    page.reload()
    expect(box).to_have_value("From elsewhere")
    expect(other).to_contain_text("From here, longer still")
    box.fill("From elsewhere, longer")
    page.reload()
    expect(box).to_have_value("From elsewhere, longer")
    expect(other).to_contain_text("From here, longer still")
    page.get_by_role("button", name="Show that one instead").click()
    expect(other).to_contain_text("From elsewhere, longer")
    page.get_by_role("button", name="Keep what is in the box").click()
    expect(other).to_be_hidden()
    expect(page.get_by_text("Saved as a draft")).to_be_visible()
    page.reload()
    expect(box).to_have_value("From here, longer still")


# A file as it comes with a drop or out of the clipboard.
_GIVE = """([type, name]) => {
  const data = new DataTransfer();
  data.items.add(new File(["It burns"], name, { type: "text/plain" }));
  const [Kind, member] = type === "drop" ? [DragEvent, "dataTransfer"] : [ClipboardEvent, "clipboardData"];
  const given = new Kind(type, { bubbles: true, cancelable: true, [member]: data });
  document.querySelector("[data-reply] textarea[name=reply]").dispatchEvent(given);
}"""


@in_each_look
def test_files_are_dropped_and_pasted(world: World, page: Page) -> None:
    page.evaluate(_GIVE, ["drop", "dropped.txt"])
    page.evaluate(_GIVE, ["paste", "pasted.txt"])
    expect(page.locator(".reply-uploads [name=upload_ids]")).to_have_count(2)
    page.get_by_label("Your text").fill(TEXT)
    page.get_by_label("Your text").press("Control+Enter")
    page.get_by_role("button", name="Send now").click()
    entry = page.locator(".thread-entry").filter(has_text="not oil")
    expect(entry.get_by_text("dropped.txt")).to_be_visible()
    expect(entry.get_by_text("pasted.txt")).to_be_visible()


@in_each_look
def test_an_answer_does_not_go_without_a_file_that_failed(world: World, page: Page, look: str) -> None:
    page.route("**/uploads", lambda route: route.fulfill(status=409, json={"detail": "The desk is full."}))
    page.get_by_label("Your text").fill(TEXT)
    page.evaluate(_GIVE, ["drop", "dropped.txt"])
    expect(page.get_by_text("The desk is full.")).to_be_visible()
    page.get_by_label("Your text").press("Control+Enter")
    expect(page.get_by_text("A file has not arrived.")).to_be_visible()
    assert violations_of(page) == []
    shoot(page, f"composer-file-failed-{look}")
    page.get_by_role("button", name="Remove dropped.txt").click()
    page.get_by_label("Your text").press("Control+Enter")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    assert violations_of(page) == []


def test_saving_the_fields_waits_for_files_under_way(world: World, page: Page) -> None:
    page.evaluate("() => { XMLHttpRequest.prototype.send = () => {}; }")
    page.evaluate(_GIVE, ["drop", "dropped.txt"])
    expect(page.get_by_label("Sent so far")).to_be_visible()
    page.get_by_label("Priority").select_option("Low")
    page.locator("#ticket-properties").get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Some files have not arrived yet.")).to_be_visible()
    expect(page.get_by_label("Sent so far")).to_be_visible()
    page.get_by_role("button", name="Remove dropped.txt").click()
    page.locator("#ticket-properties").get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible()


def test_a_platform_that_is_away_is_asked_ever_more_seldom(page: Page) -> None:
    page.clock.install()
    page.reload()
    page.evaluate(
        """() => {
            window.saves = 0;
            Console.send = (url) => {
                if (url.endsWith("/draft/")) window.saves += 1;
                return Promise.reject(Console.error(0, { detail: "(offline)" }));
            };
        }"""
    )
    page.get_by_label("Your text").fill(TEXT)
    page.clock.run_for(60_000)
    assert 3 <= page.evaluate("saves") <= 6
    page.evaluate("dispatchEvent(new Event('online'))")
    assert page.evaluate("saves") <= 7


def test_what_the_server_refuses_stays_in_the_box(world: World, page: Page, enter: Enter) -> None:
    page.evaluate(
        """() => {
            const send = Console.send;
            const refused = () => Promise.reject(Console.error(403, { detail: "(refused)" }));
            Console.send = (url, given) => (given?.form ? refused() : send(url, given));
        }"""
    )
    page.get_by_label("Your text").fill(TEXT)
    expect(page.get_by_text("Kept in this browser")).to_be_visible()
    elsewhere = enter(world.cast.amir, address_of(world))
    elsewhere.get_by_label("Your text").fill("From elsewhere")
    expect(elsewhere.get_by_text("Saved as a draft")).to_be_visible()
    with page.expect_response("**/draft/"):
        page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    page.evaluate("() => new Promise(requestAnimationFrame)")
    expect(page.get_by_label("Your text")).to_have_value(TEXT)


@in_each_look
def test_a_draft_outlives_the_sign_in(world: World, page: Page) -> None:
    page.get_by_label("Your text").fill(TEXT)
    expect(page.get_by_text("Saved as a draft")).to_be_visible()
    with page.expect_navigation():
        page.evaluate("document.querySelector('form[action*=logout]').requestSubmit()")
    page.goto("/console/login/")
    page.get_by_label("E-mail").fill(world.cast.amir.email)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("form button[type=submit]").click()
    expect(page.locator("#nav-sidebar")).to_be_attached()
    page.goto(address_of(world))
    expect(page.get_by_label("Your text")).to_have_value(TEXT)
