"""Texts that attack, stored in every field and sent in every parameter: on no page are they more than text."""

from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from accounts.keys import create_api_key
from accounts.services import change_user, create_user
from accounts.teams import create_team
from tenants.services import change_settings
from tests.browser.console.conftest import Enter
from tests.browser.console.injection import PAYLOADS, SHORT, attacks_on, watch
from tests.browser.console.pages import ROLES, user_of, whole_pages
from tests.cast import actor_of
from tests.isolation.registry_console import OF_EVERY_LIST, QUERIES
from tests.isolation.world import World, attach
from ticketing.mongo import ObjectId
from tickets.canned_replies.services import EVERYBODY, create_canned_reply
from tickets.conversation.services import add_comment
from tickets.drafts.services import save_draft
from tickets.privacy.holds import place_hold
from tickets.saved_views.services import save_view
from tickets.services import change_ticket, open_ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db]
_PARAMETERS = {*QUERIES, *OF_EVERY_LIST, "s", "next", "before", "page", "e", "_changelist_filters"}


@pytest.fixture
def attacked(world: World) -> World:
    """Acme after somebody has written attacks wherever a text can be written."""
    cast, everything = world.cast, "\n\n".join(PAYLOADS)
    carla, amir, ada = actor_of(cast.carla), actor_of(cast.amir), actor_of(cast.ada)
    team = create_team(ada, name=SHORT)
    for payload in PAYLOADS:
        open_ticket(carla, title=payload, description=everything)
    own = ObjectId(world.own.ticket)
    change_ticket(amir, own, {"title": PAYLOADS[1], "description": everything, "category": SHORT, "tags": [SHORT]})
    for payload in PAYLOADS:
        note = add_comment(amir, own, payload, "internal")
        add_comment(carla, own, payload)
    add_comment(ada, own, f"@{cast.amir.email} {PAYLOADS[1]} {PAYLOADS[4]}", "internal")
    attach(amir, own, f"{SHORT}.txt", comment_id=note["_id"], visibility="internal")
    attach(carla, own, f"{PAYLOADS[5]}.txt")
    change_ticket(amir, own, {"team": team.pk})
    for user in (cast.carla, cast.amir, cast.ada):
        change_user(ada, user.pk, {"name": PAYLOADS[1]})
    create_user(ada, email="injected@acme.test", name=PAYLOADS[4], role="agent", team_ids=[team.pk])
    create_api_key(ada, name=SHORT, scopes=["tickets:read"])
    for person in (amir, ada):
        save_view(person, name=SHORT, query="view=all&q=attacked")
    create_canned_reply(ada, name=SHORT, body=PAYLOADS[1], audience=EVERYBODY)
    save_draft(amir, own, body=everything, visibility="internal")
    place_hold(ada, target="user", reference=world.own.user, reason=PAYLOADS[1])
    tenant = cast.acme
    change_settings(tenant, {"brand_name": SHORT}, expected_version=tenant.version, by="tests")
    return world


@pytest.mark.parametrize("role", ROLES)
def test_stored(attacked: World, enter: Enter, role: str) -> None:
    page = enter(user_of(attacked, role))
    watch(page)
    found, shown = [], 0
    for each in whole_pages(role, attacked):
        page.goto(each.address.url)
        found += _told(page)
        shown += "data-attack" in page.content()
    assert not found, "\n".join(found)
    assert shown >= {"nobody": 1, "operator": 1}.get(role, 8)


def test_stored_and_opened(attacked: World, enter: Enter) -> None:
    """What a page fetches only when it is asked to."""
    page = enter(attacked.cast.amir)
    watch(page)
    page.goto(f"/console/tickets/ticket/{attacked.own.ticket}/change/")
    for summary in page.locator("summary:visible").all():
        summary.click()
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("region", name="Preview")).to_contain_text("attacked()")
    page.get_by_role("button", name="Canned replies").click()
    expect(page.get_by_role("dialog").get_by_role("option", name=SHORT)).to_be_visible()
    assert _told(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Write").click()
    page.get_by_label("Internal note").check()
    page.get_by_label("Your text").press_sequentially(" @ag")
    expect(page.get_by_role("listbox").get_by_role("option", name=PAYLOADS[1])).to_be_visible()
    assert _told(page) == []
    page.goto("/console/tickets/mention/")
    expect(page.get_by_text(f"@{attacked.cast.amir.email}").first).to_contain_text("attacked()")
    assert _told(page) == []
    page.goto("/console/tickets/ticket/?" + urlencode({"view": "all", "q": "attacked"}))
    assert page.locator(".ticket-link").count() >= len(PAYLOADS) // 2
    assert _told(page) == []


def test_stored_and_worked_with(attacked: World, enter: Enter) -> None:
    """Pages that only a form leads to, and what comes to an open page by itself."""
    own, amir = ObjectId(attacked.own.ticket), actor_of(attacked.cast.amir)
    address = f"/console/tickets/ticket/{own}/change/"
    page = enter(attacked.cast.ada)
    watch(page)
    page.goto("/console/tickets/ticket/?" + urlencode({"view": "all", "q": "attacked"}))
    for row in page.get_by_label("Select record").all():
        row.check()
    page.get_by_label("Select action to run").select_option("Change…")
    page.get_by_role("button", name="Run").click()
    page.get_by_label("Team").select_option(SHORT)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("Nothing is changed yet.")).to_be_visible()
    assert _told(page) == []
    page.get_by_role("button", name="Change ").click()
    expect(page.get_by_text("changed.").first).to_be_visible()
    assert _told(page) == []

    page.goto("/console/accounts/apikey/")
    page.locator(".data-row").filter(has_text=SHORT).get_by_label("Select record").check()
    page.get_by_label("Select action to run").select_option("Revoke…")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("button", name="Revoke for good")).to_be_visible()
    assert _told(page) == []
    page.goto("/console/tickets/ticket/views/")
    page.locator("a[href$='/delete/']").first.click()
    expect(page.get_by_role("button", name="Delete for good")).to_be_visible()
    assert _told(page) == []

    enter(attacked.cast.amir, address)
    page.goto(address)
    expect(page.locator("[data-here] li")).to_contain_text("attacked()")
    change_ticket(amir, own, {"title": PAYLOADS[3], "category": f"{SHORT}2"})
    page.evaluate("document.dispatchEvent(new CustomEvent('ticket:changed'))")
    expect(page.locator("[data-news] li").first).to_be_visible()
    assert _told(page) == []
    page.evaluate("() => { Console.send = () => new Promise(() => {}); }")
    change_ticket(amir, own, {"category": f"{SHORT}3"})
    page.get_by_label("Priority").select_option("Low")
    page.locator("#ticket-properties").get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("This was changed while you had it open")).to_be_visible()
    assert _told(page) == []


def test_a_name_that_somebody_gives_himself(world: World, enter: Enter) -> None:
    page = enter(world.cast.amir, "/console/profile/")
    watch(page)
    page.get_by_label("Name").fill(PAYLOADS[1])
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto(f"/console/tickets/ticket/{world.own.ticket}/change/")
    expect(page.get_by_text(PAYLOADS[1]).first).to_be_visible()
    assert _told(page) == []


@pytest.mark.parametrize("role", ROLES)
def test_reflected(world: World, enter: Enter, role: str) -> None:
    page = enter(user_of(world, role))
    watch(page)
    found = []
    for each in whole_pages(role, world):
        path = each.address.url.split("?")[0]
        everything = urlencode(dict.fromkeys(sorted(_PARAMETERS), PAYLOADS[5] + PAYLOADS[1]))
        page.goto(f"{path}?{everything}")
        found += _told(page)
    for name in sorted(_PARAMETERS):  # a list that refuses one parameter would show none of the others
        for path in _LISTS.get(role, []):
            page.goto(f"{path}?{urlencode({name: PAYLOADS[5] + PAYLOADS[1]})}")
            found += _told(page)
    assert not found, "\n".join(found)


_LISTS = {
    "agent": ["/console/tickets/ticket/"],
    "admin": ["/console/accounts/user/"],
    "nobody": ["/console/login/"],
}


def _told(page: Page) -> list[str]:
    return [f"{page.url}: {attack}" for attack in attacks_on(page)]
