"""The queue: views, filters, search, pages, bulk actions; bounded in queries, closed to customers and other tenants."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.services import change_user
from accounts.teams import change_team, create_team
from tenants.services import change_settings
from tests.cast import actor_of
from tests.console.queries import counted_queries
from ticketing import clock
from ticketing.mongo.client import get_database
from tickets.conversation.services import add_comment
from tickets.saved_views.access import visible_views
from tickets.saved_views.services import save_view
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
            followers=[cast.amir.pk],
        )
    )
    stored = get_database()["tickets"]
    for number, ticket in enumerate(tickets, 1):  # a transaction that was repeated has left a gap
        stored.update_one({"_id": ticket["_id"]}, {"$set": {"number": number}})
    stored.update_one({"number": 1}, {"$set": {"created_at": clock.now() - timedelta(days=5)}})
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
        ("view=following", {5}),
        ("view=team-nonsense", set()),
        ("saved=nonsense", {1, 2, 3, 5}),
        ("age=3", {1}),
        ("age=-3", {2, 3, 5}),
        ("age=nonsense", set()),
        ("view=all&age=7", set()),
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


def test_a_filter_that_no_choice_has_stays_in_the_form(cast, browser, queue, team):
    change_user(actor_of(cast.ada), cast.amir.pk, {"is_active": False})
    change_team(actor_of(cast.ada), team.pk, {"is_active": False})
    client = browser(cast.ada)

    def chosen(query: str) -> set[str]:
        page = client.get(f"{QUEUE}?view=all&{query}").content.decode()
        return set(re.findall(r"<option value=\"[^\"]+\" selected>([^<]*)</option>", page))

    assert chosen(f"assignee={cast.amir.pk}") == {"Amir Acme"}
    assert chosen(f"assignee={cast.gus.pk}") == {"Somebody who is not here"}
    assert chosen(f"team={team.pk}") == {"An inactive team"}
    assert chosen("age=14") == {"Older than 14 days"}
    assert chosen("age=-14&status=odd") == {"Younger than 14 days", "odd"}
    assert chosen("age=7") == {"Older than a week"}


def test_what_was_resolved_long_ago_is_not_recent(cast, browser, queue):
    client, stored = browser(cast.amir), get_database()["tickets"]
    assert numbers(client.get(f"{QUEUE}?view=resolved&o=-6")) == [4]
    stored.update_one({"number": 4}, {"$set": {"updated_at": clock.now() - timedelta(days=15)}})
    assert numbers(client.get(f"{QUEUE}?view=resolved")) == []
    assert client.get(f"{QUEUE}views/counts/").json()["counts"]["?view=resolved"] == "0"
    assert numbers(client.get(f"{QUEUE}?view=all&status=resolved")) == [4]


def test_orders_by_the_two_times_only(cast, browser, queue):
    client = browser(cast.amir)
    freshest_first = numbers(client.get(f"{QUEUE}?view=all"))
    assert numbers(client.get(f"{QUEUE}?view=all&o=7")) == freshest_first
    assert numbers(client.get(f"{QUEUE}?view=all&o=-7")) == freshest_first[::-1]
    assert numbers(client.get(f"{QUEUE}?view=all&o=6")) == [5, 4, 3, 2, 1]
    assert numbers(client.get(f"{QUEUE}?view=all&o=-6")) == [1, 2, 3, 4, 5]


def test_an_age_is_read_in_the_order_of_creation(cast, browser, queue):
    client = browser(cast.amir)
    assert numbers(client.get(f"{QUEUE}?view=all&age=-3&o=7")) == [5, 4, 3, 2]
    assert numbers(client.get(f"{QUEUE}?view=all&age=-3&o=-6")) == [2, 3, 4, 5]


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
    # The eighth is what a process writes now and then of the cost of its requests.
    assert len(few) == len(many) <= 7, many


def test_customers_and_other_tenants_see_nothing_of_it(cast, browser, queue):
    assert browser(cast.carla).get(QUEUE).status_code == 302
    assert numbers(browser(cast.gus).get(f"{QUEUE}?view=all")) == []


def test_an_internal_note_is_found_by_agents(cast, browser, queue):
    add_comment(actor_of(cast.amir), queue[0]["_id"], "The warranty is void", "internal")
    assert numbers(browser(cast.amir).get(f"{QUEUE}?q=warranty")) == [1]


@pytest.fixture
def team(cast, queue):
    """A team of Amir's that ticket 2 is given to."""
    team = create_team(actor_of(cast.ada), name="Network")
    cast.amir = change_user(actor_of(cast.ada), cast.amir.pk, {"team_ids": [team.pk]})
    change_ticket(actor_of(cast.amir), queue[1]["_id"], {"team": team.pk})
    return team


def test_a_view_for_each_of_my_teams(cast, browser, team):
    page = browser(cast.amir).get(f"{QUEUE}?view=team-{team.pk}")
    assert numbers(page) == [2]
    assert page.context["title"] == "Network"
    assert "Network" in [entry.title for entry in page.context["views"]]
    assert "Network" not in [entry.title for entry in browser(cast.ada).get(QUEUE).context["views"]]
    assert numbers(browser(cast.gus).get(f"{QUEUE}?view=team-{team.pk}")) == []


def test_a_view_is_saved_opened_changed_and_deleted(cast, browser, queue):
    client = browser(cast.amir)
    query = client.get(f"{QUEUE}?view=all&tag=lava&o=-7").context["view_query"]
    page = client.post(f"{QUEUE}views/", {"name": "Lava", "query": query}, follow=True)
    assert (page.context["title"], numbers(page)) == ("Lava", [5])
    assert page.context["cl"].params["o"] == "-7"
    link = page.redirect_chain[-1][0]
    changed = client.get(f"{link}&priority=low")
    assert (changed.context["title"], numbers(changed)) == ("Lava (changed)", [])
    page = client.post(changed.context["update_url"], {"query": changed.context["view_query"]}, follow=True)
    assert (page.context["title"], page.context["cl"].params["priority"]) == ("Lava", "low")
    [view] = visible_views(actor_of(cast.amir))
    page = client.post(f"{QUEUE}views/{view['_id']}/", {"name": "Cold lava", "team": ""}, follow=True)
    assert [row["name"] for row in page.context["rows"]] == ["Cold lava"]
    page = client.post(f"{QUEUE}views/{view['_id']}/delete/", follow=True)
    assert page.context["rows"] == []
    assert "saved no view yet" in page.content.decode()


def test_a_link_to_somebody_elses_view_shows_the_same_tickets(cast, browser, queue):
    view = save_view(actor_of(cast.ada), name="Secret plans", query="view=all&tag=lava")
    page = browser(cast.amir).get(f"{QUEUE}?{view['query']}&saved={view['_id']}")
    assert (numbers(page), page.context["title"]) == ([5], "All tickets")
    assert "Secret plans" not in page.content.decode()


def test_what_a_saved_view_may_not_be_is_told(cast, browser, queue):
    client = browser(cast.amir)
    page = client.post(f"{QUEUE}views/", {"name": " ", "query": "view=all&tag=lava"})
    assert (page.status_code, page.context["new"]["refused"]) == (400, "name: must not be empty")
    assert 'name="query" value="view=all&amp;tag=lava"' in page.content.decode()
    own = save_view(actor_of(cast.amir), name="Lava", query="tag=lava")
    page = client.post(f"{QUEUE}views/{own['_id']}/", {"name": "x" * 200, "team": ""})
    assert page.status_code == 400
    assert f'value="{"x" * 200}"' in page.content.decode()
    assert client.get(f"{QUEUE}views/{own['_id']}/delete/").status_code == 200
    assert [each["name"] for each in visible_views(actor_of(cast.amir))] == ["Lava"]
    view = save_view(actor_of(cast.ada), name="Ada's", query="view=all")
    for path in ("", "delete/"):
        assert client.post(f"{QUEUE}views/{view['_id']}/{path}", {"name": "Mine"}).status_code == 404
        assert client.post(f"{QUEUE}views/nonsense/{path}", {"name": "Mine"}).status_code == 404
    assert [each["name"] for each in visible_views(actor_of(cast.ada))] == ["Ada's"]


@pytest.mark.parametrize("query", ["title__regex=%28a%2B%29%2Bb", "description__contains=a", "tenant_id=1", "other=1"])
def test_takes_nothing_but_its_filters_from_the_url(cast, browser, queue, query):
    save_view(actor_of(cast.amir), name="Costly", query=query)
    client = browser(cast.amir)
    assert client.get(f"{QUEUE}?{query}").status_code == 400
    assert not any(query in link for link in client.get(f"{QUEUE}views/counts/").json()["counts"])


@pytest.mark.parametrize("query", ["age=000000000999999999999", "age=-99999", "tag=%00", "created=9999-12-31"])
def test_values_that_no_filter_can_have_are_no_errors(cast, browser, queue, query):
    """A view that is shared may hold them, too."""
    save_view(actor_of(cast.amir), name="Broken", query=query)
    client = browser(cast.amir)
    assert numbers(client.get(f"{QUEUE}?{query}", follow=True)) in ([], [5, 3, 2, 1])
    assert client.get(f"{QUEUE}views/counts/").json()["counts"]["?view=all"] == "5"


def test_the_last_view_is_opened_again(cast, browser, queue):
    client = browser(cast.amir)
    assert client.get(QUEUE).status_code == 200
    cookie = client.get(f"{QUEUE}?view=mine").cookies[f"queue_view_{cast.amir.pk}"]
    assert (cookie.value, cookie["httponly"], cookie["path"]) == ("mine", True, QUEUE)
    assert client.get(QUEUE).headers["Location"] == f"{QUEUE}?view=mine"
    view = save_view(actor_of(cast.amir), name="Lava", query="tag=lava")
    client.get(f"{QUEUE}?tag=lava&saved={view['_id']}")
    assert client.get(QUEUE).headers["Location"] == f"{QUEUE}?tag=lava&saved={view['_id']}"
    client.post(f"{QUEUE}views/{view['_id']}/delete/")
    assert client.get(QUEUE).status_code == 200


def test_counts_come_for_all_views_at_once(cast, browser, queue, team):
    client = browser(cast.amir)
    view = save_view(actor_of(cast.amir), name="Lava", query="view=all&tag=lava")
    save_view(actor_of(cast.amir), name="Spoilt", query="q=?!")
    with counted_queries() as sent:
        counts = client.get(f"{QUEUE}views/counts/").json()["counts"]
    assert len(sent) <= 8, sent
    assert counts["?view=open"] == "4"
    assert counts["?view=mine"] == "1"
    assert counts["?view=following"] == "1"
    assert counts[f"?view=team-{team.pk}"] == "1"
    assert counts[f"?view=all&tag=lava&saved={view['_id']}"] == "1"
    assert {link for link in counts if "saved" not in link} == {
        f"?{entry.query}" for entry in client.get(QUEUE).context["views"] if "saved" not in entry.query
    }


def test_counts_stop_at_their_cap(cast, browser, queue, monkeypatch):
    monkeypatch.setattr("tickets.console.queue.views.COUNTED", 3)
    assert browser(cast.amir).get(f"{QUEUE}views/counts/").json()["counts"]["?view=open"] == "2+"


def test_views_are_for_staff(cast, browser, queue):
    for path in ("views/", "views/counts/"):
        assert browser(cast.carla).get(f"{QUEUE}{path}").status_code == 302
        assert browser(cast.olga).get(f"{QUEUE}{path}").status_code == 403


def test_a_search_says_where_it_came_to_its_limit_and_takes_no_more_commands(cast, browser, monkeypatch):
    for number in range(12):
        open_ticket(actor_of(cast.carla), title=f"Printers burn {'even' if number % 2 else 'odd'}")
    client = browser(cast.amir)
    with counted_queries() as queries:
        page = client.get(f"{QUEUE}?view=all&q=even+printer").content.decode()
    assert len(queries) <= 7, queries
    assert page.count("data-ticket=") == 6
    assert "The search came to its limit" not in page

    monkeypatch.setattr("tickets.search.reading.FIRST_READ", 2)
    monkeypatch.setattr("tickets.search.reading.THEN_READ", 2)
    page = client.get(f"{QUEUE}?view=all&q=even+odd")
    assert "The search came to its limit" in page.content.decode()
    assert 'rel="next"' in page.content.decode()
    page = client.get(f"{QUEUE}?view=all&q=printer+burn")
    assert page.context["cl"].paginator.shown_count.endswith("+")
