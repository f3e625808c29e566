"""Holds, erasures and retention on the console."""

import re
from datetime import timedelta

import pytest

from tests.cast import Cast, actor_of
from tests.console.conftest import Browser
from ticketing.mongo.client import get_database
from tickets.privacy import erasure
from tickets.privacy.erasure import request_erasure
from tickets.privacy.holds import place_hold

pytestmark = pytest.mark.django_db


def test_erasing_takes_the_address_as_confirmation(
    cast: Cast, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "REQUESTS_END_WITHIN", timedelta())
    client = browser(cast.ada)
    page = client.get(f"/console/accounts/user/{cast.carla.pk}/change/").content.decode()
    [link] = re.findall(r'href="(/console/tickets/erasure/add/[^"]+)"', page)
    form = client.get(link).content.decode()
    assert "Carla Customer" in form
    assert "cannot be undone" in form
    part = form.partition('id="erasure_form"')[2].partition("<dialog")[0]
    buttons = re.findall(r"<button[^>]*>([^<]*)</button>", part)
    assert [each.strip() for each in buttons] == ["Erase for good"]
    data = {"user": str(cast.carla.pk), "email": "carl@example.test"}
    refused = client.post(link, data)
    assert (refused.status_code, "Is not the address of the account" in refused.content.decode()) == (200, True)
    assert get_database()["erasures"].count_documents({}) == 0
    assert client.post(link, data | {"email": cast.carla.email, "content": "on"}).status_code == 302
    assert get_database()["erasures"].find_one()["content"]
    assert get_database()["users"].find_one({"_id": cast.carla.pk})["name"].startswith("erased-")
    listed = client.get("/console/tickets/erasure/").content.decode()
    assert get_database()["erasures"].find_one()["pseudonym"] in listed
    again = client.get(f"/console/accounts/user/{cast.carla.pk}/change/").content.decode()
    assert "/console/tickets/erasure/add/" not in again


def test_an_erased_account_is_only_looked_at(cast: Cast, browser: Browser) -> None:
    client, address = browser(cast.ada), f"/console/accounts/user/{cast.carla.pk}"
    page = client.get(f"{address}/change/").content.decode()
    assert ("New invitation link" in page, 'name="email"' in page) == (True, True)
    request_erasure(actor_of(cast.ada), cast.carla.pk)
    page = client.get(f"{address}/change/").content.decode()
    assert "@erased.invalid" in page
    assert not re.search(r'New invitation link|Sign out everywhere|name="(email|name|is_active)"|Save', page)
    assert [client.post(f"{address}/{each}/").status_code for each in ("change", "invitation", "sign-out")] == [403] * 3


def test_the_page_for_erasing_does_not_lead_to_itself(cast: Cast, browser: Browser) -> None:
    client = browser(cast.ada)
    for path in ("tickets/erasure", "tickets/legalhold"):
        assert "addlink" in client.get(f"/console/{path}/").content.decode()
        assert "addlink" not in client.get(f"/console/{path}/add/").content.decode()


def test_a_hold_is_placed_seen_and_lifted(cast: Cast, browser: Browser, ticket: dict[str, object]) -> None:
    client = browser(cast.ada)
    for path in (f"tickets/ticket/{ticket['_id']}", f"accounts/user/{cast.carla.pk}", f"tenants/tenant/{cast.acme.pk}"):
        page = client.get(f"/console/{path}/change/").content.decode()
        assert "/console/tickets/legalhold/add/?target=" in page
    data = {"target": "ticket", "reference": str(ticket["number"]), "reason": "A lawsuit"}
    assert client.post("/console/tickets/legalhold/add/", data).status_code == 302
    hold = get_database()["legal_holds"].find_one()
    assert (hold["target_id"], hold["placed_by_id"]) == (ticket["_id"], cast.ada.pk)
    listed = client.get("/console/tickets/legalhold/").content.decode()
    assert "A lawsuit" in listed
    assert f'href="/console/tickets/ticket/{ticket["_id"]}/change/">' in listed.partition("A lawsuit")[2]
    assert client.get(f"/console/tickets/legalhold/{hold['_id']}/change/").status_code == 200
    form = client.get(f"/console/tickets/erasure/add/?user={cast.carla.pk}").content.decode()
    assert str(hold["_id"]) in form
    chosen = {"action": "lift", "_selected_action": [str(hold["_id"])]}
    client.post("/console/tickets/legalhold/", chosen)
    assert get_database()["legal_holds"].find_one()["lifted_at"] is not None


def test_a_hold_without_its_target_is_refused_at_the_field(cast: Cast, browser: Browser) -> None:
    answer = browser(cast.ada).post("/console/tickets/legalhold/add/", {"target": "user", "reason": "A lawsuit"})
    assert "Say on which person" in answer.content.decode()
    assert get_database()["legal_holds"].count_documents({}) == 0


def test_agents_see_a_hold_in_the_history_and_no_link(cast: Cast, browser: Browser, ticket: dict[str, object]) -> None:
    place_hold(actor_of(cast.ada), target="ticket", reference=str(ticket["number"]), reason="A lawsuit")
    client = browser(cast.amir)
    assert "hold placed" in client.get(f"/console/tickets/ticket/{ticket['_id']}/history/").content.decode()
    assert "legalhold" not in client.get(f"/console/tickets/ticket/{ticket['_id']}/change/").content.decode()


def test_retention_is_set_and_previewed(cast: Cast, browser: Browser) -> None:
    client = browser(cast.ada)
    address = f"/console/tenants/tenant/{cast.acme.pk}/change/"
    page = client.get(address).content.decode()
    assert "/console/tickets/erasure/retention/" in page
    assert "Everything is kept for ever" in client.get("/console/tickets/erasure/retention/").content.decode()
    before = {"brand_name": "", "brand_color": "#2563eb", "time_zone": "UTC", "locale": "en", "registration": "closed"}
    before |= {"registration_domains": "", "retention_ticket_days": "0", "retention_user_days": "0"}
    data = {"version": 1, **before, **{f"initial-{name}": value for name, value in before.items()}}
    assert client.post(address, data | {"retention_ticket_days": "-1"}).status_code == 200
    assert client.post(address, data | {"retention_ticket_days": "30"}).status_code == 302
    assert get_database()["tenants"].find_one({"_id": cast.acme.pk})["retention_ticket_days"] == 30
    preview = client.get("/console/tickets/erasure/retention/").content.decode()
    assert "Closed tickets that lose" in preview
    assert "Everything is kept" not in preview
