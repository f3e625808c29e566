"""A day's work in a real browser: the agent's in the console, the customer's in the browsable API."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.teams import create_team
from tests.browser.conftest import NewPage, shoot
from tests.cast import PASSWORD, actor_of
from tickets.conversation.services import add_comment
from tickets.services import change_ticket, open_ticket

pytestmark = pytest.mark.browser


@pytest.fixture
def helpdesk(cast: Any) -> Any:
    """Acme with a morning's tickets."""
    carla, amir, ada = actor_of(cast.carla), actor_of(cast.amir), actor_of(cast.ada)
    create_team(ada, name="First line")
    printer = open_ticket(
        carla,
        title="The printer on floor 3 prints only hearts",
        description="Since **Monday** every page comes out with hearts:\n\n- on A4\n- on A3\n\n`PC LOAD LOVE` it says.",
        priority="high",
    )
    change_ticket(amir, printer["_id"], {"tags": ["printer", "floor-3"], "category": "Hardware"})
    add_comment(amir, printer["_id"], "Carla sounded cross on the phone.", "internal")
    titles = [
        "VPN drops every hour",
        "New laptop for Greta",
        "Password forgotten again",
        "Where is the coffee machine?",
    ]
    for number, title in enumerate(titles):
        ticket = open_ticket(actor_of(cast.carl), title=title, priority=["normal", "low", "urgent", "normal"][number])
        if number % 2:
            change_ticket(ada, ticket["_id"], {"assigned_to": cast.ada.pk, "status": "open"})
    change_ticket(ada, ticket["_id"], {"status": "resolved"})
    return cast


def sign_in(page: Page, address: str, email: str) -> None:
    page.goto(address)
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_navigation():  # scripts of the next page have run then
        page.get_by_role("button", name="Sign in").click()


def test_the_agents_path(helpdesk: Any, new_page: NewPage) -> None:
    page = new_page("acme.localhost")
    page.goto("/console/")
    expect(page.get_by_role("heading", name="Acme")).to_be_visible()
    shoot(page, "1-sign-in")
    sign_in(page, "/console/", "agent@example.test")

    expect(page.get_by_text("My open tickets").first).to_be_visible()
    shoot(page, "2-overview")

    page.get_by_role("link", name="All open").first.click()
    expect(page.get_by_role("link", name="VPN drops every hour")).to_be_visible()
    shoot(page, "3-queue")

    page.get_by_label("Priority").select_option("High")
    expect(page.get_by_role("link", name="VPN drops every hour")).to_have_count(0)
    page.wait_for_load_state()
    assert "priority=high" in page.url
    shoot(page, "4-queue-filtered")

    page.get_by_role("link", name="The printer on floor 3").click()
    expect(page.locator(".thread").get_by_text("PC LOAD LOVE")).to_be_visible()
    shoot(page, "5-ticket", full=True)

    page.get_by_label("Internal note").check()
    page.get_by_label("Your text").fill("Somebody installed the *Valentine* driver.")
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_role("button", name="Send now").click()
    note = page.get_by_role("listitem").filter(has_text="Valentine")
    expect(note.get_by_text("Internal note")).to_be_visible()

    page.get_by_label("Reply to the customer").check()
    page.get_by_label("Your text").fill("I have installed **another driver**. Does it print now?")
    page.get_by_label("Status").select_option("Pending")
    page.get_by_label("Assignee").select_option("Amir Acme")
    page.get_by_label("Your text").press("Control+Enter")
    page.get_by_role("button", name="Send now").click()
    expect(page.get_by_role("listitem").filter(has_text="another driver")).to_be_visible()
    expect(page.locator(".ticket-badges")).to_contain_text("Pending")

    page.get_by_text("History", exact=True).click()
    expect(page.locator(".ticket-history")).to_contain_text("changed the status from Open to Pending")
    shoot(page, "6-ticket-answered", full=True)


def test_two_agents_on_one_ticket(helpdesk: Any, new_page: NewPage) -> None:
    amir, ada = new_page("acme.localhost"), new_page("acme.localhost")
    for page, email in ((amir, "agent@example.test"), (ada, "admin@example.test")):
        sign_in(page, "/console/tickets/ticket/1/change/", email)
        expect(page.get_by_label("Your text")).to_be_visible()
    amir.get_by_label("Your text").fill("A long and careful answer")
    ada.get_by_label("Priority").select_option("Urgent")
    ada.get_by_role("button", name="Save", exact=True).click()
    expect(ada.get_by_text("Saved.")).to_be_visible()

    amir.get_by_role("button", name="Send", exact=True).click()
    expect(amir.get_by_text("Ada Acme changed the priority from High to Urgent")).to_be_visible()
    expect(amir.get_by_label("Your text")).to_have_value("A long and careful answer")
    expect(amir.get_by_label("Priority")).to_have_value("urgent")
    shoot(amir, "7-stale", full=True)
    amir.get_by_role("button", name="Send", exact=True).or_(amir.get_by_role("button", name="Send anyway")).last.click()
    amir.get_by_role("button", name="Send now").click()
    expect(amir.get_by_role("listitem").filter(has_text="A long and careful answer")).to_be_visible()
    expect(amir.locator(".ticket-badges")).to_contain_text("Urgent")


def test_bulk_actions(helpdesk: Any, new_page: NewPage) -> None:
    page = new_page("acme.localhost")
    sign_in(page, "/console/tickets/ticket/?view=unassigned", "agent@example.test")
    rows = page.get_by_label("Select record")
    expect(rows).not_to_have_count(0)
    for row in rows.all():
        row.check()
    page.get_by_label("Select action to run").select_option("Assign to me…")
    shoot(page, "8-bulk")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("Nothing is changed yet.")).to_be_visible()
    page.get_by_role("button", name="Change ").click()
    expect(page.get_by_text("were changed.")).to_be_visible()
    page.goto("/console/tickets/ticket/?view=mine")
    expect(page.get_by_role("link", name="VPN drops every hour")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone(helpdesk: Any, new_page: NewPage, scheme: str) -> None:
    page = new_page("acme.localhost", "phone", scheme)
    sign_in(page, "/console/tickets/ticket/?view=open", "agent@example.test")
    expect(page.get_by_role("link", name="VPN drops every hour")).to_be_visible()
    for name, address in (("queue", "?view=open"), ("ticket", "1/change/")):
        page.goto(f"/console/tickets/ticket/{address}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        shoot(page, f"9-{name}-phone-{scheme}", full=True)
    page.set_viewport_size({"width": 1280, "height": 800})
    shoot(page, f"9-ticket-desktop-{scheme}")


def test_the_admins_and_the_operators_pages(helpdesk: Any, new_page: NewPage) -> None:
    page = new_page("acme.localhost")
    sign_in(page, "/console/accounts/user/", "admin@example.test")
    for name, address in (
        ("users", "accounts/user/"),
        ("user", f"accounts/user/{helpdesk.amir.pk}/change/"),
        ("key", "accounts/apikey/add/"),
        ("settings", f"tenants/tenant/{helpdesk.acme.pk}/change/"),
        ("new-ticket", "tickets/ticket/add/"),
    ):
        page.goto(f"/console/{address}")
        shoot(page, f"10-{name}", full=True)
    operator = new_page("localhost")
    sign_in(operator, "/console/tenants/tenant/", "olga@platform.test")
    operator.get_by_role("link", name="Globex").first.click()
    operator.get_by_role("button", name="Enter as operator").click()
    expect(operator.get_by_text("You are in Globex as operator.")).to_be_visible()
    shoot(operator, "11-operator")
    operator.get_by_role("button", name="Leave").click()
    expect(operator.get_by_role("link", name="Globex")).to_be_visible()


def test_the_customers_path(helpdesk: Any, new_page: NewPage) -> None:
    page = new_page("acme.localhost")
    page.goto("/api/v1/")
    shoot(page, "12-api-entry")
    page.get_by_role("link", name="Sign in").first.click()
    page.get_by_label("E-mail").fill("carla@example.test")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.goto("/api/v1/tickets")
    expect(page.get_by_text("The printer on floor 3").first).to_be_visible()
    expect(page.get_by_text("VPN drops every hour")).to_have_count(0)
    shoot(page, "13-api-tickets", full=True)
    form = page.locator("section.form form")
    form.locator("[name=title]").fill("My chair squeaks")
    form.locator("[name=description]").fill("Only when I **think**.")
    form.get_by_role("button", name="Send").click()
    expect(page.get_by_text("My chair squeaks").first).to_be_visible()

    page.goto("/api/v1/tickets")
    page.get_by_role("link", name="My chair squeaks").click()
    expect(page.get_by_text("Only when I think.")).to_be_visible()
    shoot(page, "14-api-ticket", full=True)
    page.goto(f"{page.url}/comments")
    form = page.locator("section.form form")
    form.locator("[name=body]").fill("It stopped.")
    form.get_by_role("button", name="Send").click()
    page.goto("/api/v1/tickets/1/comments")
    expect(page.get_by_text("cross on the phone")).to_have_count(0)
    shoot(page, "15-api-comments", full=True)
    page.goto("/api/v1/")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()
