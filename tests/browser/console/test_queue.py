"""An agent's queue: views that are kept and shared, and changes of many tickets at once."""

import re

import pytest
from playwright.sync_api import Page, expect

from accounts.services import change_user
from accounts.teams import create_team
from tests.browser.conftest import shoot
from tests.browser.console.axe import violations_of
from tests.browser.console.conftest import Enter, in_each_look
from tests.cast import actor_of
from tests.isolation.world import World
from tickets.services import open_ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db]
QUEUE = "/console/tickets/ticket/"


@in_each_look
def test_a_view_is_saved_shared_and_remembered(world: World, enter: Enter, look: str) -> None:
    cast = world.cast
    team = create_team(actor_of(cast.ada), name="First line")
    for user in (cast.amir, cast.ada):
        change_user(actor_of(cast.ada), user.pk, {"team_ids": [team.pk]})
    page = enter(cast.amir, f"{QUEUE}?view=all&priority=high")
    expect(page.locator(".queue-count").first).to_be_attached()  # the counts come after the page
    page.get_by_text("Views", exact=True).click()
    page.get_by_label("Name", exact=True).fill("Hot ones")
    page.get_by_label("Share with").select_option("First line")
    shoot(page, f"queue-save-view-{look}")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("link", name="Hot ones").first).to_be_visible()
    expect(page.get_by_role("link", name="VPN drops every hour")).to_be_visible()
    page.goto(QUEUE)  # the last view is where one begins
    expect(page.get_by_role("link", name="VPN drops every hour")).to_be_visible()
    expect(page.get_by_role("link", name="New laptop for Greta")).to_have_count(0)

    colleague = enter(cast.ada, QUEUE)
    colleague.get_by_role("link", name="Hot ones").first.click()
    expect(colleague.get_by_role("link", name="VPN drops every hour")).to_be_visible()

    page.get_by_text("Views", exact=True).click()
    page.get_by_role("link", name="Manage views").click()
    page.locator("input[name=name][value='Hot ones']").fill("Very hot ones")
    shoot(page, f"queue-manage-views-{look}")
    page.get_by_role("button", name="Save “Hot ones”").click()
    page.get_by_role("link", name="Delete “Very hot ones”").click()
    expect(page.get_by_text("The team loses it too.")).to_be_visible()
    assert violations_of(page) == []
    page.get_by_role("button", name="Delete for good").click()
    page.goto(QUEUE)
    expect(page.locator(".data-row").first).to_be_visible()
    expect(page.get_by_role("link", name="Very hot ones")).to_have_count(0)


@in_each_look
def test_many_tickets_are_changed_and_changed_back(world: World, enter: Enter, look: str) -> None:
    page = enter(world.cast.amir, f"{QUEUE}?view=all")
    before = _badges(page)
    for row in page.get_by_label("Select record").all():
        row.check()
    page.get_by_label("Select action to run").select_option("Change…")
    page.get_by_role("button", name="Run").click()
    page.get_by_label("Status").select_option("On hold")
    page.get_by_label("Priority").select_option("Urgent")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("Nothing is changed yet.")).to_be_visible()
    expect(page.get_by_text("Refuses, because").first).to_be_attached()  # a closed ticket stays as it is
    assert violations_of(page) == []
    shoot(page, f"bulk-preview-{look}", full=True)
    page.get_by_role("button", name="Change ").click()
    expect(page.get_by_text("were changed.")).to_be_visible()
    shoot(page, f"bulk-result-{look}", full=True)
    undo = page.url
    page.goto(f"{QUEUE}?view=all")
    assert _badges(page) != before
    page.goto(undo)
    page.get_by_role("button", name="Undo the change").click()
    expect(page.get_by_text("All of it is undone.")).to_be_visible()
    page.goto(f"{QUEUE}?view=all")
    assert _badges(page) == before


# What is sent third waits until the test lets it go: the first begins the change, then go batches of twenty.
_HOLD_THE_SECOND_BATCH = """() => {
  const send = Console.send;
  const held = new Promise((resolve) => (window.letGo = resolve));
  let sent = 0;
  Console.send = async (...given) => {
    sent += 1;
    if (sent === 3) await held;
    return send(...given);
  };
}"""


@in_each_look
def test_a_long_change_tells_how_far_it_is_stops_and_is_found_again(world: World, enter: Enter, look: str) -> None:
    for number in range(45):
        open_ticket(actor_of(world.cast.amir), title=f"Flood {number}", tags=["flood"])
    page = enter(world.cast.amir, f"{QUEUE}?view=all&tag=flood")
    page.get_by_label("Select record").first.check()
    page.get_by_label("Select action to run").select_option("Set priority: Urgent…")
    page.get_by_role("button", name="Run").click()
    page.get_by_label("All 45 of the list").check()
    page.get_by_role("button", name="Preview again").click()
    expect(page.get_by_text("45 tickets will change.")).to_be_visible()
    page.evaluate(_HOLD_THE_SECOND_BATCH)
    page.get_by_role("button", name="Change 45 tickets").click()
    expect(page.get_by_text("20 of 45")).to_be_visible()
    expect(page.get_by_label("Changing")).to_have_js_property("value", 20)
    assert violations_of(page) == []
    shoot(page, f"bulk-progress-{look}")
    page.get_by_role("button", name="Stop").click()
    page.evaluate("letGo()")
    expect(page.get_by_text("40 tickets were changed.")).to_be_visible()

    page.goto(QUEUE)
    page.get_by_text("Views", exact=True).click()
    page.get_by_role("link", name="Undo a change of many tickets").click()
    page.get_by_role("link", name="40 tickets").click()
    page.get_by_role("button", name="Undo the change of 40 tickets").click()
    expect(page.get_by_text("All of it is undone.")).to_be_visible()
    page.goto(f"{QUEUE}?view=all&tag=flood&priority=urgent")
    expect(page.locator(".data-row")).to_have_count(0)


# The batch that is sent third is lost once.
_LOSE_THE_SECOND_BATCH = """() => {
  const send = Console.send;
  let sent = 0;
  Console.send = (...given) => {
    sent += 1;
    return sent === 3 ? Promise.reject(Console.error(400, { detail: "(lost)" })) : send(...given);
  };
}"""


def test_a_change_that_was_interrupted_goes_on_where_it_was(world: World, enter: Enter) -> None:
    for number in range(25):
        open_ticket(actor_of(world.cast.amir), title=f"Flood {number}", tags=["flood"])
    page = enter(world.cast.amir, f"{QUEUE}?view=all&tag=flood")
    for row in page.get_by_label("Select record").all():
        row.check()
    page.get_by_label("Select action to run").select_option("Set priority: Urgent…")
    page.get_by_role("button", name="Run").click()
    page.evaluate(_LOSE_THE_SECOND_BATCH)
    page.get_by_role("button", name="Change 25 tickets").click()
    expect(page.get_by_role("alert").filter(has_text="(lost)")).to_contain_text("20 of 25")
    expect(page.get_by_role("link", name="20 of 25")).to_be_visible()
    assert violations_of(page) == []
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("25 tickets were changed.")).to_be_visible()


@in_each_look
def test_sorting_and_pages(world: World, enter: Enter, look: str) -> None:
    for number in range(110):
        open_ticket(actor_of(world.cast.amir), title=f"Flood {number:03}", tags=["flood"])
    page = enter(world.cast.amir, f"{QUEUE}?view=all&tag=flood&o=-6")
    titles = page.locator(".ticket-link")
    expect(titles.first).to_contain_text("Flood 000")
    page.get_by_role("link", name="Next").click()
    expect(titles.first).to_contain_text("Flood 050")
    page.get_by_role("link", name="Next").click()
    expect(titles).to_have_count(10)
    page.get_by_role("link", name="Previous").click()
    expect(titles.first).to_contain_text("Flood 050")
    shoot(page, f"queue-second-page-{look}")


def test_a_column_is_sorted_by_its_head(world: World, enter: Enter) -> None:
    page = enter(world.cast.amir, f"{QUEUE}?view=all")
    page.get_by_role("columnheader", name="Age").get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(r"[?&]o=-?6"))
    expect(page.locator(".data-row").first).to_be_visible()
    ages = [each.get_attribute("datetime") for each in page.locator(".data-row .field-age time").all()]
    assert len(ages) > 3
    assert ages in (sorted(ages), sorted(ages, reverse=True))


def test_single_keys_are_turned_off_in_this_browser(world: World, enter: Enter) -> None:
    page = enter(world.cast.amir, f"{QUEUE}?view=all")
    page.keyboard.press("?")
    page.get_by_label("Single keys are on in this browser").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    expect(page.locator(".data-row").first).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement === document.body")


def test_the_keyboard_is_enough(world: World, enter: Enter) -> None:
    """On the desktop alone: a phone has no keyboard."""
    page = enter(world.cast.ada, f"{QUEUE}?view=all")
    keys = page.keyboard
    keys.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    shoot(page, "shortcuts")
    keys.press("Escape")
    keys.press("/")
    expect(page.get_by_label("Search", exact=True)).to_be_focused()
    keys.type("laptop j k")  # letters in a field are letters
    expect(page.get_by_label("Search", exact=True)).to_have_value("laptop j k")
    keys.press("Escape")
    for key in "jjjk":
        keys.press(key)
    second = page.locator(".data-row .ticket-link").nth(1)
    expect(second).to_be_focused()
    title = second.inner_text()
    keys.press("a")
    expect(page.locator("[data-told]")).to_contain_text("Assignee")
    page.locator("[data-told]").get_by_role("button", name="Undo").click()
    expect(page.locator("[data-told]")).to_contain_text("Undone.")
    second.focus()
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(title.split(" ", 1)[-1].strip())
    page.wait_for_load_state()
    keys.press("r")
    expect(page.get_by_label("Your text")).to_be_focused()
    keys.press("Escape")
    keys.press("n")
    expect(page.get_by_label("Internal note")).to_be_checked()
    keys.press("Escape")
    keys.press("g")
    keys.press("q")
    expect(page.locator(".data-row")).not_to_have_count(0)


def _badges(page: Page) -> dict[str, list[str]]:
    """By ticket: the list itself is in the order of what happened last."""
    rows = page.locator(".data-row").all()
    return {row.locator(".ticket-link").inner_text(): row.locator(".console-badge").all_inner_texts() for row in rows}
