"""Changing many tickets on the console: chosen, previewed, applied in batches or by one form, told, and undone."""

from typing import Any

import pytest

from accounts.actor import Via
from tests.cast import actor_of
from tests.console.queries import counted_queries
from ticketing.mongo import ObjectId
from tickets.bulk.repository import BulkChangeRepository
from tickets.events.repository import EventRepository
from tickets.repository import TicketRepository
from tickets.services import change_ticket, open_ticket

QUEUE = "/console/tickets/ticket/"
BULK, APPLY = f"{QUEUE}bulk/", f"{QUEUE}bulk/apply/"
FETCH = {"X-Requested-With": "fetch"}
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def tickets(cast: Any) -> list[Any]:
    """Three open tickets and a closed one."""
    found = [open_ticket(actor_of(cast.carla), title=f"Ticket {number} {SCRIPT}") for number in range(1, 5)]
    return [*found[:3], change_ticket(actor_of(cast.amir), found[3]["_id"], {"status": "closed"})]


def ids(tickets: list[Any]) -> str:
    return ",".join(str(ticket["_id"]) for ticket in tickets)


def stored(cast: Any, field: str) -> list[Any]:
    return [ticket[field] for ticket in TicketRepository(cast.acme.pk).find({}, sort=(("number", 1),))]


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("assign_to_me", "Assignee: –"),
        ("resolve", "Status: New"),
        ("set_priority_urgent", "Priority: Normal"),
    ],
)
def test_an_action_leads_to_its_preview(cast, browser, tickets, action, words):
    selected = [str(ticket["_id"]) for ticket in tickets]
    page = browser(cast.amir).post(f"{QUEUE}?view=all", {"action": action, "_selected_action": selected})
    shown = page.content.decode()
    assert page.status_code == 200
    assert [row.number for row in page.context["changing"]] == [1, 2, 3]
    assert [row.number for row in page.context["refusing"]] == [4]
    assert words in shown
    assert "closed" in page.context["refusing"][0].refusal
    assert SCRIPT not in shown
    assert stored(cast, "version") == [1, 1, 1, 2]


def test_the_preview_warns_of_what_cannot_be_undone(cast, browser, tickets):
    client = browser(cast.amir)
    for status, warns in (("closed", True), ("resolved", False)):
        page = client.post(BULK, {"tickets": ids(tickets[:2]), "query": "view=all", "status": status})
        assert ("this cannot be undone" in page.content.decode()) == warns


def test_what_to_change_is_chosen_previewed_and_applied_without_scripts(cast, browser, tickets):
    client = browser(cast.amir)
    selected = [str(ticket["_id"]) for ticket in tickets]
    page = client.post(f"{QUEUE}?view=all", {"action": "change_selected", "_selected_action": selected})
    assert (page.context["selected"], page.context["tickets"]) == (4, ids(tickets))
    wanted = {"status": "pending", "assigned_to": "me", "add_tags": "Lava, hot", "priority": "high"}
    page = client.post(BULK, {"tickets": ids(tickets), "query": "view=all", **wanted})
    to_apply = page.context["to_apply"]
    assert to_apply == ",".join(f"{ticket['_id']}:1" for ticket in tickets[:3])
    page = client.post(APPLY, {"tickets": to_apply, **dict(page.context["given"])}, follow=True)
    assert page.redirect_chain[0][0].startswith(BULK)
    assert [row.number for row in page.context["changed"]] == [1, 2, 3]
    assert stored(cast, "status") == ["pending"] * 3 + ["closed"]
    assert stored(cast, "tags")[0] == ["hot", "lava"]
    assert stored(cast, "assigned_to_id")[:3] == [cast.amir.pk] * 3
    events = EventRepository(cast.acme.pk).find({"ticket_id": tickets[0]["_id"], "type": "ticket.assigned"})
    assert [event["actor"]["via"] for event in events] == [Via.CONSOLE]
    page = client.post(page.context["undo_url"], follow=True)
    assert stored(cast, "status") == ["new"] * 3 + ["closed"]
    assert "All of it is undone." in page.content.decode()
    assert "undone" in client.get(BULK).content.decode()


def test_all_of_the_list_are_meant(cast, browser, tickets):
    given = {"tickets": ids(tickets[:1]), "query": "view=open", "scope": "all", "priority": "high"}
    page = browser(cast.amir).post(BULK, given)
    assert page.context["total"] == 3
    assert [row.number for row in page.context["changing"]] == [3, 2, 1]


def test_all_of_the_list_are_at_most_so_many(cast, browser, tickets, monkeypatch):
    monkeypatch.setattr("tickets.console.queue.bulk.MAX_TICKETS", 2)
    given = {"tickets": ids(tickets[:1]), "query": "view=open", "scope": "all", "priority": "high"}
    page = browser(cast.amir).post(BULK, given)
    assert "The first 2 of the list" in page.content.decode()
    assert len(page.context["changing"]) == 2


def test_a_script_sends_batches_and_undoes_in_batches(cast, browser, tickets):
    client = browser(cast.amir)
    begun = client.post(APPLY, {"tickets": "", "priority": "urgent"}, headers=FETCH).json()
    assert begun["tickets"] == []
    for batch in (tickets[:2], tickets[2:], tickets[2:]):
        answer = client.post(APPLY, {"bulk": begun["bulk"], "tickets": ids(batch)}, headers=FETCH).json()
        assert answer["bulk"] == begun["bulk"]
    assert [(told["changed"], told["refused"]) for told in answer["tickets"]] == [(True, False), (False, True)]
    assert answer["tickets"][0]["text"] == "#3: Priority: Normal → Urgent"
    assert stored(cast, "priority") == ["urgent"] * 3 + ["normal"]
    assert [row.number for row in client.get(begun["url"]).context["refused"]] == [4]
    left = [client.post(begun["undo_url"], {"limit": "2"}, headers=FETCH).json()["left"] for _ in range(3)]
    assert left == [1, 0, 0]
    assert stored(cast, "priority") == ["normal"] * 4
    assert stored(cast, "version")[0] == 3


def test_what_is_wrong_is_said_and_changes_nothing(cast, browser, tickets):
    client = browser(cast.amir)
    for wanted, told in (
        ({}, "Choose what to change"),
        ({"add_tags": "a", "remove_tags": "a"}, "which is also to be added"),
        ({"priority": "nonsense"}, "Select a valid choice"),
    ):
        page = client.post(BULK, {"tickets": ids(tickets), "query": "view=all", **wanted})
        assert told in page.content.decode()
    answer = client.post(APPLY, {"tickets": ids(tickets)}, headers=FETCH)
    assert (answer.status_code, answer.json()["detail"]) == (400, "Choose what to change")
    many = ",".join(str(ObjectId()) for _ in range(101))
    page = client.post(APPLY, {"tickets": many, "priority": "high"}, follow=True)
    assert "more than 100" in str(next(iter(page.context["messages"])))
    assert BulkChangeRepository(cast.acme.pk).count({}) == 0
    assert stored(cast, "version") == [1, 1, 1, 2]


def test_a_field_that_a_colleague_has_changed_since_the_preview_stays(cast, browser, tickets):
    client = browser(cast.amir)
    page = client.post(BULK, {"tickets": ids(tickets[:2]), "query": "", "assigned_to": "me"})
    change_ticket(actor_of(cast.ada), tickets[0]["_id"], {"assigned_to": cast.ada.pk})
    page = client.post(APPLY, {"tickets": page.context["to_apply"], "assigned_to": "me"}, follow=True)
    assert [row.refusal for row in page.context["refused"]] == ["Somebody has changed it meanwhile: assignee"]
    assert stored(cast, "assigned_to_id")[:2] == [cast.ada.pk, cast.amir.pk]
    change_ticket(actor_of(cast.ada), tickets[1]["_id"], {"assigned_to": cast.ada.pk})
    page = client.post(page.context["undo_url"], follow=True)
    assert "Not undone, because it was changed since: Assignee" in page.content.decode()
    assert stored(cast, "assigned_to_id")[1] == cast.ada.pk


def test_its_pages_take_a_bounded_number_of_queries(cast, browser, tickets):
    client = browser(cast.amir)
    answer = client.post(APPLY, {"tickets": ids(tickets), "assigned_to": "me"}, headers=FETCH).json()
    for path in (BULK, answer["url"]):
        with counted_queries() as sent:
            assert client.get(path).status_code == 200
        assert len(sent) <= 8, sent
    with counted_queries() as sent:
        client.post(BULK, {"tickets": ids(tickets), "query": "view=all", "assigned_to": str(cast.ada.pk)})
    assert len(sent) <= 12, sent


def test_it_does_not_reach_other_tenants_other_agents_or_customers(cast, browser, tickets):
    client = browser(cast.amir)
    url = client.post(APPLY, {"tickets": ids(tickets), "priority": "high"}, headers=FETCH).json()["url"]
    for stranger in (browser(cast.ada), browser(cast.gus)):
        assert stranger.get(url).status_code == 404
        assert stranger.post(f"{url}undo/").status_code == 404
    for path in (ids(tickets[:1]), str(ObjectId()), "nonsense"):
        selected = {"action": "resolve", "_selected_action": path}
        page = browser(cast.gus).post(f"{QUEUE}?view=all", selected)
        assert SCRIPT not in page.content.decode()
        answer = browser(cast.gus).post(APPLY, {"tickets": path, "status": "resolved"}, headers=FETCH)
        assert (answer.status_code, answer.json()["tickets"]) == (200, [])
    assert browser(cast.carla).get(BULK).status_code == 302
    assert browser(cast.olga).post(APPLY, {"tickets": ids(tickets)}).status_code == 403
    assert stored(cast, "status")[:3] == ["new"] * 3
