"""What a tenant's admin does: people, settings, the audit log; and what everybody sets for himself."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import shoot
from tests.browser.console.axe import violations_of
from tests.browser.console.conftest import Enter, in_each_look, open_side_bar
from tests.isolation.world import World
from tickets.transfer.exports import make_pending_export

pytestmark = [pytest.mark.browser, pytest.mark.django_db]


@in_each_look
def test_somebody_is_invited_promoted_and_deactivated(world: World, enter: Enter, look: str) -> None:
    page = enter(world.cast.ada, "/console/accounts/user/add/")
    page.get_by_label("E-mail").fill("nina@acme.test")
    page.locator("#id_name").fill("Nina New")
    page.get_by_label("Role").select_option("Agent")
    page.get_by_role("button", name="Save").first.click()
    invitation = page.locator("#shown-once")
    expect(invitation).to_be_visible()
    assert "/console/invitation/#" in invitation.input_value()
    assert violations_of(page) == []
    shoot(page, f"invitation-{look}")

    guest = enter(None, invitation.input_value())
    for field in guest.locator("input[type=password]").all():
        field.fill("a quite long passphrase")
    guest.get_by_role("button", name="Set the password").click()
    expect(guest.locator("input[type=password]")).to_have_count(1)  # of the sign-in, where the way leads

    page.goto("/console/accounts/user/?q=nina")
    page.get_by_role("link", name="Nina New").click()
    page.get_by_label("Role").select_option("Admin")
    page.get_by_role("button", name="Save", exact=True).first.click()
    page.goto("/console/accounts/user/?role=admin")
    page.get_by_role("link", name="Nina New").click()
    page.get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Nina")
    page.get_by_label("Active").uncheck()
    page.get_by_role("button", name="Save", exact=True).first.click()
    page.goto("/console/accounts/user/?active=no")
    expect(page.get_by_role("link", name="Nina New")).to_be_visible()

    page.goto("/console/tenants/auditentry/")
    expect(page.get_by_text("nina@acme.test").or_(page.get_by_text("Nina New")).first).to_be_visible()
    shoot(page, f"audit-{look}", full=True)


@in_each_look
def test_the_settings_show_how_they_will_look_and_refuse_what_is_wrong(world: World, enter: Enter, look: str) -> None:
    page = enter(world.cast.ada, f"/console/tenants/tenant/{world.own.tenant}/change/")
    preview = page.locator(".branding-look").first
    page.get_by_label("Name that customers see").fill("Acme Helpdesk")
    page.get_by_label("Colour").fill("#ffee00")
    expect(preview).to_contain_text("Acme Helpdesk")
    expect(page.locator("[data-branding-told]")).not_to_be_empty()
    assert violations_of(page) == []
    shoot(page, f"settings-preview-{look}")
    page.get_by_label("E-mail domains").fill("not a domain")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".errorlist, [role=alert]").first).to_be_visible()
    expect(page.get_by_label("Name that customers see")).to_have_value("Acme Helpdesk")
    shoot(page, f"settings-refused-{look}", full=True)
    page.get_by_label("E-mail domains").fill("")
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto("/console/")
    open_side_bar(page)
    expect(page.get_by_role("link", name="Acme Helpdesk").first).to_be_visible()
    assert violations_of(page) == []  # yellow is darkened until white can be read on it
    shoot(page, f"settings-yellow-{look}")


@pytest.mark.parametrize("look", ["desktop-dark", "phone-light"])
def test_german_and_the_agents_time_zone(world: World, enter: Enter, look: str) -> None:
    page = enter(world.cast.amir, "/console/profile/")
    page.get_by_label("Language").select_option("de")
    page.get_by_label("Time zone").select_option("Pacific/Kiritimati")
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto("/console/")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.get_by_role("heading", name="Jetzt offen")).to_be_visible()
    shoot(page, f"german-overview-{look}", full=True)
    page.goto(f"/console/tickets/ticket/{world.own.ticket}/change/")
    expect(page.get_by_label("Priorität")).to_be_visible()
    moment = page.locator(".thread time").first
    local = (world.cast.amir.created_at + timedelta(hours=14)).strftime("%d.")
    assert local.lstrip("0") in (moment.get_attribute("title") or "")
    assert violations_of(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    shoot(page, f"german-ticket-{look}", full=True)


@in_each_look
def test_a_canned_reply_is_written_changed_and_removed(world: World, enter: Enter, look: str) -> None:
    page = enter(world.cast.amir, "/console/tickets/cannedreply/add/")
    page.get_by_label("Name").fill("Greeting")
    page.get_by_role("button", name="Save").first.click()
    expect(page.locator(".errorlist, [role=alert]").first).to_be_visible()
    assert violations_of(page) == []
    shoot(page, f"canned-reply-refused-{look}")
    page.locator("#id_body").fill("Hi {{ requester.first_name }},")
    page.get_by_role("button", name="Save").first.click()
    page.get_by_role("link", name="Greeting").click()
    page.get_by_label("Name").fill("Welcome")
    page.get_by_role("button", name="Save").first.click()
    page.get_by_role("link", name="Welcome").click()
    page.get_by_role("link", name="Remove", exact=True).click()
    assert violations_of(page) == []
    page.get_by_role("button", name="Remove for good").click()
    expect(page.get_by_text("“Welcome” was removed.")).to_be_visible()


@in_each_look
def test_a_team_gets_a_member_and_an_integration_a_key(world: World, enter: Enter, look: str) -> None:
    page = enter(world.cast.ada, "/console/accounts/team/add/")
    page.get_by_label("Name").fill("Night shift")
    page.get_by_role("button", name="Save").first.click()
    page.get_by_role("link", name="Night shift").click()
    page.get_by_label("Amir Acme").check()
    page.get_by_role("button", name="Save").first.click()
    page.get_by_role("link", name="Night shift").click()
    expect(page.get_by_role("region", name="Members")).to_contain_text("Amir Acme")

    page.goto("/console/accounts/apikey/add/")
    page.get_by_label("Name").fill("Warehouse")
    page.get_by_label("tickets:read").check()
    page.get_by_role("button", name="Save").first.click()
    expect(page.locator("#shown-once")).to_be_visible()
    assert violations_of(page) == []
    page.get_by_role("link", name="Done").click()
    row = page.locator(".data-row").filter(has_text="Warehouse")
    row.get_by_label("Select record").check()
    page.get_by_label("Select action to run").select_option("Revoke…")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("Warehouse (")).to_be_visible()
    assert violations_of(page) == []
    shoot(page, f"api-key-revoke-{look}")
    page.get_by_role("button", name="Revoke for good").click()
    expect(row.get_by_text("Revoked")).to_be_visible()


@in_each_look
def test_everything_is_exported_and_somebody_erased(world: World, enter: Enter, look: str) -> None:
    page = enter(world.cast.ada, "/console/tickets/export/")
    for button in page.get_by_role("button", name="Remove").all():  # those of the world
        button.click()
    page.get_by_role("button", name="Export everything").click()
    expect(page.locator("progress")).to_be_visible()
    assert violations_of(page) == []
    make_pending_export(world.cast.acme)
    expect(page.get_by_role("link", name="Download").first).to_be_visible()  # the page asks every three seconds
    shoot(page, f"export-done-{look}")

    page.goto(f"/console/tickets/erasure/add/?user={world.cast.carl.pk}")
    page.get_by_label("E-mail address of the account").fill("wrong@example.test")
    page.get_by_role("button", name="Erase for good").click()
    expect(page.locator(".errorlist, [role=alert]").first).to_be_visible()
    assert violations_of(page) == []
    shoot(page, f"erasure-refused-{look}", full=True)
    page.get_by_label("E-mail address of the account").fill(world.cast.carl.email)
    page.get_by_role("button", name="Erase for good").click()
    expect(page.locator("#shown-once, .data-row").first).to_be_visible()
