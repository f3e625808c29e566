"""The browsable API's forms for tickets: what a customer is asked, and that a screen reader can tell."""

import re

import pytest

from accounts.models import User
from tests.cast import Cast, actor_of, api
from tickets.services import open_ticket

pytestmark = pytest.mark.django_db


def page(user: User, url: str) -> str:
    html: str = api(user).get(url, headers={"Accept": "text/html"}).content.decode()
    return html


def test_every_input_has_a_label(cast: Cast) -> None:
    html = page(cast.amir, "/api/v1/tickets")
    inputs = re.findall(r'<(?:input|select|textarea) name="(?!csrf)[^"]+"(?! value="" type="hidden")', html)
    labelled = re.findall(r"<label>[^<]+<(?:input|select|textarea) ", html)
    assert len(labelled) == len(inputs) > 10


@pytest.mark.parametrize(("who", "offered"), [("carla", False), ("amir", True)])
def test_customers_are_not_asked_for_a_visibility(cast: Cast, who: str, offered: bool) -> None:
    ticket = open_ticket(actor_of(cast.carla), title="Printer")
    for part in ("comments", "attachments"):
        html = page(getattr(cast, who), f"/api/v1/tickets/{ticket['_id']}/{part}")
        assert ('<select name="visibility">' in html) is offered


def test_a_ticket_can_be_answered_on_its_page(cast: Cast) -> None:
    open_ticket(actor_of(cast.carla), title="Printer")
    html = page(cast.carla, "/api/v1/tickets/1")
    assert re.findall(r'action="([^"]+)"[^>]*data-method="(\w+)"', html) == [
        ("/api/v1/tickets/1/comments", "POST"),
        ("/api/v1/tickets/1/attachments", "POST"),
        ("/api/v1/tickets/1", "PATCH"),
    ]


def test_the_status_offers_what_the_workflow_allows(cast: Cast) -> None:
    open_ticket(actor_of(cast.carla), title="Printer")
    offered = {
        user: re.findall(r'<option value="(\w+)"', _status(page(user, "/api/v1/tickets/1")))
        for user in (cast.carla, cast.amir)
    }
    assert ">Resolved</option>" in page(cast.carla, "/api/v1/tickets/1")
    assert offered[cast.carla] == ["new", "resolved"]
    assert offered[cast.amir] == ["new", "open", "pending", "on_hold", "resolved", "closed"]


def test_what_is_not_there_has_no_form(cast: Cast) -> None:
    assert "data-method" not in page(cast.carla, "/api/v1/tickets/99")


def _status(html: str) -> str:
    return re.search(r'<select name="status">.*?</select>', html, re.DOTALL)[0]  # type: ignore[index]
