"""Acme's staff see the same whether globex exists or not: in every list, search, count, statistic and page."""

import pytest

from tests.isolation.answers import Answer, ask, change
from tests.isolation.questions import questions
from tests.isolation.registry_console import known_page
from tests.isolation.routes import console_routes
from tests.isolation.test_api import Walked
from tests.isolation.world import World
from ticketing import clock
from ticketing.mongo.client import get_database

pytestmark = pytest.mark.django_db


def test_nothing_changes_when_the_other_tenant_is_gone(world: World, walked: Walked) -> None:
    before = _everything(world)
    for name in world.snapshot.stored:
        get_database()[name].delete_many({"tenant_id": world.cast.globex.pk})
    after = _everything(world)
    faults = [f"{url}: {found}" for url, answer in before.items() if (found := change(answer, after[url]))]
    walked(len(before), "pages and answers with and without the other tenant")
    assert not faults, "\n".join(faults)


def _everything(world: World) -> dict[str, Answer]:
    asked = [url for url, html in questions(world, "2026-01-01T00:00:00Z") if not html]
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
