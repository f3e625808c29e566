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
