"""The queue: views, filters, search, pages, bulk actions; bounded in queries, closed to customers and other tenants."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.actor import Via
from tenants.services import change_settings
from tests.cast import actor_of
from tests.console.queries import counted_queries
from ticketing.mongo import ObjectId
from tickets.conversation.services import add_comment
from tickets.events.repository import EventRepository
from tickets.repository import TicketRepository
from tickets.services import change_ticket, open_ticket

QUEUE = "/console/tickets/ticket/"
SCRIPT = "<script>alert(1)</script>"


def numbers(answer: Any) -> list[int]:
    return [ticket.number for ticket in answer.context["cl"].result_list]


@pytest.fixture
def queue(cast):
    """Five tickets of Acme: 1 new, 2 Amir's open, 3 Ada's pending, 4 resolved, 5 urgent with a tag and a category."""
    amir, carla = actor_of(cast.amir), actor_of(cast.carla)
    tickets = [open_ticket(carla, title=f"Ticket number {number}") for number in range(1, 5)]
    change_ticket(amir, tickets[1]["_id"], {"status": "open", "assigned_to": cast.amir.pk})
    change_ticket(amir, tickets[2]["_id"], {"status": "pending", "assigned_to": cast.ada.pk})
    change_ticket(amir, tickets[3]["_id"], {"status": "resolved"})
    tickets.append(
        open_ticket(
            amir,
            title="Vesuvius erupts",
            priority="urgent",
            tags=["lava"],
            category="Volcanoes",
            requester=cast.carl.pk,
        )
    )
    return tickets


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {1, 2, 3, 5}),
        ("view=open", {1, 2, 3, 5}),
        ("view=mine", {2}),
        ("view=unassigned", {1, 5}),
        ("view=resolved", {4}),
        ("view=all", {1, 2, 3, 4, 5}),
        ("status=resolved", {4}),
        ("view=all&status=pending", {3}),
        ("priority=urgent", {5}),
        ("assignee=me", {2}),
        ("assignee=none", {1, 5}),
        ("assignee=rubbish", set()),
        ("category=Volcanoes", {5}),
        ("tag=LAVA", {5}),
        ("status=nonsense", set()),
        ("q=erupts", {5}),
        ("q=ticket+number", {1, 2, 3, 4}),
        ("q=%234", {4}),
        ("q=3", {3}),
        ("q=ticket&status=resolved", {4}),
        ("q=?!", set()),
        ("view=nonsense", {1, 2, 3, 5}),
    ],
)
def test_views_filters_and_search(cast, browser, queue, query, expected):
    answer = browser(cast.amir).get(f"{QUEUE}?{query}")
    assert answer.status_code == 200
    assert set(numbers(answer)) == expected


def test_filters_by_id(cast, browser, queue):
    client = browser(cast.amir)
    assert numbers(client.get(f"{QUEUE}?assignee={cast.ada.pk}")) == [3]
    assert numbers(client.get(f"{QUEUE}?requester={cast.carl.pk}")) == [5]
    assert numbers(client.get(f"{QUEUE}?assignee={cast.gus.pk}")) == []


def test_orders_by_the_two_times_only(cast, browser, queue):
    client = browser(cast.amir)
    freshest_first = numbers(client.get(f"{QUEUE}?view=all"))
    assert numbers(client.get(f"{QUEUE}?view=all&o=7")) == freshest_first
    assert numbers(client.get(f"{QUEUE}?view=all&o=-7")) == freshest_first[::-1]
    assert numbers(client.get(f"{QUEUE}?view=all&o=6")) == [5, 4, 3, 2, 1]
    assert numbers(client.get(f"{QUEUE}?view=all&o=-6")) == [1, 2, 3, 4, 5]


def test_pages_by_cursor(cast, browser, queue, monkeypatch):
    from tickets.console.admin import TicketAdmin

    monkeypatch.setattr(TicketAdmin, "list_per_page", 2)
    client = browser(cast.amir)
    seen, address = [], f"{QUEUE}?view=all&o=-6"
    pages = []
    while address:
        page = client.get(address)
        pages.append(page)
        seen += numbers(page)
        following = page.context["cl"].next_page_url
        address = f"{QUEUE}{following}" if following else ""
    assert seen == [1, 2, 3, 4, 5]
    back = client.get(QUEUE + pages[2].context["cl"].previous_page_url)
    assert numbers(back) == [3, 4]
    assert client.get(f"{QUEUE}?after=nonsense").status_code == 302


def test_shows_names_and_escapes_everything(cast, browser):
    amir = actor_of(cast.amir)
    open_ticket(amir, title=f"Hello {SCRIPT}", tags=[SCRIPT[:40]], requester=cast.carl.pk, assigned_to=cast.ada.pk)
    page = browser(cast.amir).get(f"{QUEUE}?q=hello&category={SCRIPT}&tag={SCRIPT}").content.decode()
    assert SCRIPT not in page
    page = browser(cast.amir).get(QUEUE).content.decode()
    assert "&lt;script&gt;" in page
    assert SCRIPT not in page
    assert "Carl Customer" in page
    assert "Ada Acme" in page


def test_tells_times_in_the_tenants_zone(cast, browser, queue):
    change_settings(cast.acme, {"time_zone": "Asia/Kolkata"}, expected_version=cast.acme.version, by="tests")
    for user, zone in ((cast.amir, "IST"), (cast.gus, "UTC")):
        open_ticket(actor_of(user), title="When was it?")
        assert f' {zone}">' in browser(user).get(QUEUE).content.decode()
    assert timezone.get_current_timezone_name() == "UTC"


@pytest.mark.parametrize("query", ["", "view=mine&priority=low&tag=x", "q=ticket"])
def test_takes_a_bounded_number_of_queries(cast, browser, queue, query):
    client = browser(cast.amir)
    client.get(QUEUE)
    with counted_queries() as few:
        client.get(f"{QUEUE}?{query}")
    for number in range(10):
        open_ticket(actor_of(cast.carla), title=f"Ticket more {number}")
    with counted_queries() as many:
        client.get(f"{QUEUE}?{query}")
    assert len(few) == len(many) <= 8, many


def test_customers_and_other_tenants_see_nothing_of_it(cast, browser, queue):
    assert browser(cast.carla).get(QUEUE).status_code == 302
    assert numbers(browser(cast.gus).get(f"{QUEUE}?view=all")) == []


def test_bulk_actions_go_through_the_services_and_tell_who_refused(cast, browser, queue):
    client = browser(cast.amir)
    closed = change_ticket(actor_of(cast.amir), queue[3]["_id"], {"status": "closed"})
    selected = [str(queue[0]["_id"]), str(closed["_id"])]
    answer = client.post(f"{QUEUE}?view=all", {"action": "assign_to_me", "_selected_action": selected}, follow=True)
    told = [str(message) for message in answer.context["messages"]]
    assert told[0] == "1 was changed."
    assert told[1].startswith("#4 Ticket number 4: The ticket is closed")
    repository = TicketRepository(cast.acme.pk)
    assert repository.get(queue[0]["_id"])["assigned_to_id"] == cast.amir.pk
    events = EventRepository(cast.acme.pk).find({"ticket_id": queue[0]["_id"], "type": "ticket.assigned"})
    assert [event["actor"]["via"] for event in events] == [Via.CONSOLE]


@pytest.mark.parametrize(
    ("action", "column", "value"),
    [
        ("set_priority_high", "priority", "high"),
        ("set_priority_low", "priority", "low"),
        ("resolve", "status", "resolved"),
    ],
)
def test_other_bulk_actions(cast, browser, queue, action, column, value):
    selected = [str(ticket["_id"]) for ticket in queue[:3]]
    browser(cast.amir).post(QUEUE, {"action": action, "_selected_action": selected})
    stored = TicketRepository(cast.acme.pk).find({"number": {"$lte": 3}})
    assert [ticket[column] for ticket in stored] == [value] * 3


def test_bulk_actions_do_not_reach_other_tenants_or_take_nonsense(cast, browser, queue):
    client = browser(cast.gus)
    for selected in (str(queue[0]["_id"]), str(ObjectId()), "nonsense"):
        answer = client.post(f"{QUEUE}?view=all", {"action": "resolve", "_selected_action": selected})
        assert answer.status_code == 302
    assert TicketRepository(cast.acme.pk).get(queue[0]["_id"])["version"] == 1
    assert client.post(QUEUE, {"action": "delete_selected", "_selected_action": str(queue[0]["_id"])}).status_code in (
        200,
        302,
    )
    assert TicketRepository(cast.acme.pk).count({}) == 5


def test_across_all_pages_is_refused_when_it_is_too_much(cast, browser, queue, monkeypatch):
    monkeypatch.setattr("ticketing.console.admin.MAX_SELECTED", 2)
    given = {"action": "resolve", "select_across": "1", "_selected_action": [str(queue[0]["_id"])]}
    browser(cast.amir).post(f"{QUEUE}?view=all", given)
    assert TicketRepository(cast.acme.pk).count({"status": "resolved"}) == 1


def test_an_internal_note_is_found_by_agents(cast, browser, queue):
    add_comment(actor_of(cast.amir), queue[0]["_id"], "The warranty is void", "internal")
    assert numbers(browser(cast.amir).get(f"{QUEUE}?q=warranty")) == [1]
