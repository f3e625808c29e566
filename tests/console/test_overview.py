"""The overview: open tickets in figures that lead to the lists they count."""

import re

from tests.cast import actor_of
from tests.console.queries import counted_queries
from tickets.services import change_ticket, open_ticket


def test_counts_what_is_open(cast, browser):
    amir = actor_of(cast.amir)
    for number in range(4):
        open_ticket(actor_of(cast.carla), title=f"Ticket {number}", priority="urgent" if number else "low")
    change_ticket(amir, "1", {"assigned_to": cast.amir.pk})
    change_ticket(amir, "2", {"status": "resolved"})
    client = browser(cast.amir)
    with counted_queries() as sent:
        page = client.get("/console/").content.decode()
    figures = dict(re.findall(r'\?(view=\w+)"><b>(\d+)</b>', page))
    assert figures == {"view=mine": "1", "view=unassigned": "2", "view=open": "3"}
    for query, count in figures.items():
        assert client.get(f"/console/tickets/ticket/?{query}").context["cl"].result_count == int(count)
    for link in re.findall(r'href="(/console/tickets/ticket/\?[^"]+)"', page):
        assert client.get(link.replace("&amp;", "&")).status_code == 200
    assert len(sent) <= 8, sent


def test_is_empty_for_operators(cast, browser):
    assert "<b>" not in browser(cast.olga).get("/console/").content.decode()
