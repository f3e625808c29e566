"""The pages on which canned replies are written."""

import pytest

from tests.cast import actor_of
from tests.console.queries import counted_queries
from tickets.canned_replies.repository import CannedReplyRepository
from tickets.canned_replies.services import create_canned_reply

PAGE = "/console/tickets/cannedreply/"


def replies(cast):
    return CannedReplyRepository(cast.acme.pk).find({})


def test_is_written_changed_and_removed(cast, browser):
    client = browser(cast.amir)
    answer = client.post(f"{PAGE}add/", {"name": "Greeting", "body": "Hi {{ requester.nam }}", "audience": "me"})
    assert "did you mean {{ requester.name }}" in str(answer.context["adminform"].form.errors["body"])
    client.post(f"{PAGE}add/", {"name": "Greeting", "body": "Hi {{ requester.name }}", "audience": "me"})
    [reply] = replies(cast)
    assert (reply["owner_id"], reply["version"]) == (cast.amir.pk, 1)
    assert "Greeting" in client.get(PAGE).content.decode()
    page = f"{PAGE}{reply['_id']}/change/"
    form = client.get(page).context["adminform"].form
    before = {name: form[name].value() for name in ("name", "body", "audience")}
    data = {**before, **{f"initial-{name}": value for name, value in before.items()}, "version": 1}
    client.post(page, data | {"body": "Hello"})
    assert [row["body"] for row in replies(cast)] == ["Hello"]
    removal = f"{PAGE}{reply['_id']}/delete/"
    assert "cannot be undone" in client.get(removal).content.decode()
    assert client.post(removal).status_code == 302
    assert replies(cast) == []


def test_agents_read_what_admins_write_for_all(cast, browser):
    shared = create_canned_reply(actor_of(cast.ada), name="House rules", body="x", audience="everybody")
    client = browser(cast.amir)
    page = client.get(f"{PAGE}{shared['_id']}/change/").content.decode()
    assert "House rules" in page
    assert 'name="body"' not in page
    assert client.post(f"{PAGE}{shared['_id']}/delete/").status_code == 403
    audiences = [
        value for value, _ in browser(cast.amir).get(f"{PAGE}add/").context["adminform"].form["audience"].field.choices
    ]
    assert audiences == ["me"]
    assert len(replies(cast)) == 1


@pytest.mark.parametrize("amount", [1, 60])
def test_takes_a_bounded_number_of_queries(cast, browser, amount):
    for number in range(amount):
        create_canned_reply(actor_of(cast.amir), name=f"Reply {number}", body="x")
    client = browser(cast.amir)
    client.get(PAGE)
    with counted_queries() as sent:
        client.get(PAGE)
    assert len(sent) <= 8, sent
