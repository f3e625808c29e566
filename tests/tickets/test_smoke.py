"""The smoke test against a served platform, and against ones that are not as they should be."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.cast import PASSWORD, Cast
from ticketing.errors import InvalidInput
from ticketing.mongo.scope import tenant_scope
from tickets.models import Ticket
from tickets.smoke import MISSING_ID, Answer, SignIn, Site, SmokeFailed, smoke

pytestmark = pytest.mark.django_db


@pytest.fixture
def ours(cast: Cast) -> SignIn:
    return SignIn("acme", cast.carla.email, PASSWORD)


@pytest.fixture
def other(cast: Cast) -> SignIn:
    return SignIn("globex", cast.gus.email, PASSWORD)


def tickets_of(cast: Cast) -> list[Ticket]:
    with tenant_scope(cast.acme.pk):
        return list(Ticket.objects.all())


def test_it_works_a_served_platform_and_leaves_a_resolved_ticket(
    live_server: Any, cast: Cast, ours: SignIn, other: SignIn
) -> None:
    steps: list[str] = []
    smoke(Site(live_server.url), ours, other, tell=steps.append)

    [ticket] = tickets_of(cast)
    assert ticket.status == "resolved"
    assert ticket.comment_count == 1
    assert steps[-1].startswith("cleaned up")


class Wrong(Site):
    """A platform with one fault: answers to a method and path are changed."""

    def __init__(self, url: str, method: str, ending: str, **change: Any) -> None:
        super().__init__(url)
        self.fault = method, ending, change

    def call(self, method: str, path: str, body: Any = None, **sent: str) -> Answer:
        answer = super().call(method, path, body, **sent)
        wanted, ending, change = self.fault
        if method == wanted and path.endswith(ending):
            return Answer(**{"status": answer.status, "headers": answer.headers, "body": answer.body, **change})
        return answer


FAULTS = [
    ("GET", "/readyz", {"status": 503}, "expected 200, got 503"),
    ("POST", "/tickets", {"headers": {}}, "opened a second ticket"),
    ("GET", "?include=comments", {"body": {"title": "Another", "comments": {"data": []}}}, "does not show"),
    ("GET", "/attachments", {"status": 200}, "expected 404, got 200"),
    ("GET", f"{MISSING_ID}/comments", {"body": {"detail": "Other words"}}, "unlike a missing one"),
    ("PATCH", "", {"status": 500}, ""),  # whether it is resolved is seen by reading it
]


@pytest.mark.parametrize(("method", "ending", "change", "told"), FAULTS)
def test_the_first_surprise_is_told_and_the_ticket_resolved_all_the_same(
    live_server: Any, cast: Cast, ours: SignIn, other: SignIn, method: str, ending: str, change: Any, told: str
) -> None:
    site = Wrong(live_server.url, method, ending, **change)
    if told:
        with pytest.raises(SmokeFailed, match=told):
            smoke(site, ours, other, wait=0, tell=str)
    else:
        smoke(site, ours, other, wait=0, tell=str)
    assert all(ticket.status == "resolved" for ticket in tickets_of(cast))


def test_a_ticket_that_another_tenant_can_see_fails(live_server: Any, cast: Cast, ours: SignIn) -> None:
    leak = SignIn("acme", cast.amir.email, PASSWORD)  # sees acme's tickets, as a foreigner would after a leak
    with pytest.raises(SmokeFailed, match="expected 404, got 200"):
        smoke(Site(live_server.url), ours, leak, tell=str)


def test_an_address_nobody_answers_at_and_one_that_is_none(cast: Cast, ours: SignIn) -> None:
    with pytest.raises(SmokeFailed, match="was not answered"):
        smoke(Site("http://127.0.0.1:9", seconds=1), ours, wait=0, tell=str)
    with pytest.raises(InvalidInput, match="http"):
        Site("file:///etc/passwd")


def run_command(monkeypatch: pytest.MonkeyPatch, url: str, given: str, *more: str) -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO(given))
    out = io.StringIO()
    call_command("smoke", url, "--tenant=acme", "--email=carla@example.test", "--password-stdin", *more, stdout=out)
    return out.getvalue()


def test_the_command(live_server: Any, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    others = ["--other-tenant=globex", "--other-email=agent@example.test"]
    told = run_command(monkeypatch, live_server.url, f"{PASSWORD}\n{PASSWORD}\n", *others)
    assert "The smoke test passed." in told
    assert PASSWORD not in told


@pytest.mark.parametrize(
    ("given", "more", "told"),
    [
        ("", [], "no password for carla@example.test"),
        ("wrong\n", [], "POST /api/v1/auth/login: expected 200, got 401"),
        (f"{PASSWORD}\n", ["--other-tenant=globex"], "belong together"),
        (f"{PASSWORD}\n", ["--other-tenant=globex", "--other-email=agent@example.test"], "no password for agent@"),
    ],
)
def test_the_command_says_what_is_wrong(
    live_server: Any, cast: Cast, monkeypatch: pytest.MonkeyPatch, given: str, more: list[str], told: str
) -> None:
    with pytest.raises(CommandError, match=told) as failure:
        run_command(monkeypatch, live_server.url, given, *more)
    assert PASSWORD not in str(failure.value)
