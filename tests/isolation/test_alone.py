"""Acme's staff see the same whether globex exists or not, and whatever it writes: in every list, search with its order
and count, statistic and page."""

from urllib.parse import urlencode

import pytest

from accounts.models import User
from tests.cast import actor_of
from tests.figures import tell
from tests.isolation.answers import Answer, ask, change
from tests.isolation.questions import questions
from tests.isolation.registry_console import known_page
from tests.isolation.routes import console_routes
from tests.isolation.test_api import Walked
from tests.isolation.world import World, attach
from ticketing import clock
from ticketing.mongo.client import get_database
from tickets.conversation.services import add_comment
from tickets.services import change_ticket, open_ticket

pytestmark = pytest.mark.django_db


WORDS = ("printer", "printer fire", "zxacmecomment", "fire zxacmedescription")


def test_nothing_changes_by_what_the_other_tenant_writes_nor_when_it_is_gone(world: World, walked: Walked) -> None:
    _write(world.cast.amir, world.cast.carla, 4)
    before = _everything(world)
    _write(world.cast.gus, world.cast.greta, 12)
    written = _everything(world)
    for name in world.snapshot.stored:
        get_database()[name].delete_many({"tenant_id": world.cast.globex.pk})
    gone = _everything(world)
    faults = [
        f"{url}: {found}"
        for after in (written, gone)
        for url, answer in before.items()
        if (found := change(answer, after[url]))
    ]
    walked(len(before) * 2, "pages and answers after the other tenant wrote, and after it is gone")
    how = f"{len(before)} pages, lists, searches and statistics, compared byte by byte"
    tell("Isolation", "answers changed by another tenant's writes or its end", str(len(faults)), "0", not faults, how)
    assert not faults, "\n".join(faults)


def _write(agent: User, customer: User, number: int) -> None:
    """Tickets full of the words that are searched for, some more than others; answered, changed and resolved."""
    for position in range(number):
        words = " ".join(WORDS * (position % 3 + 1))
        ticket = open_ticket(actor_of(customer), title=f"Printer on fire {position}", description=words)
        add_comment(actor_of(agent), ticket["_id"], words)
        attach(actor_of(customer), ticket["_id"], f"printer{position}.txt")
        status = "resolved" if position % 2 else "pending"
        change_ticket(actor_of(agent), ticket["_id"], {"status": status, "priority": "high", "tags": ["fire"]})


def _searches() -> list[str]:
    more = [{}, {"count": "true"}, {"limit": "1"}, {"ordering": "-updated_at"}, {"status": "pending", "count": "true"}]
    return [f"/api/v1/tickets?{urlencode({'q': words, **each})}" for words in WORDS for each in more]


def _everything(world: World) -> dict[str, Answer]:
    asked = [url for url, html in questions(world, "2026-01-01T00:00:00Z") if not html] + _searches()
    began_at = clock.now()
    answers = {url: ask(world.api["admin"], "GET", url) for url in asked}
    # A download is noted in the audit log, with the time, which the log's page shows.
    get_database()["audit_log"].delete_many({"at": {"$gte": began_at}})
    for route in console_routes():
        page = known_page(route)
        if "admin" in page.roles and not page.post_only:
            url = route.url(*page.arguments(world.own))
            answers[url] = ask(world.console["admin"], "GET", url)
    return answers
