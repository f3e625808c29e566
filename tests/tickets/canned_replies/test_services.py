"""Texts with variables: who uses which, and what is filled in."""

from typing import Any

import pytest

from accounts.models import User
from accounts.services import change_user
from accounts.teams import create_team
from tests.cast import actor_of
from ticketing.errors import AlreadyExists, InvalidInput, LimitExceeded, NotAllowed, NotFound, StaleVersion
from ticketing.mongo.scope import tenant_scope
from tickets.canned_replies import rules
from tickets.canned_replies.services import (
    change_canned_reply,
    create_canned_reply,
    delete_canned_reply,
    fill_canned_reply,
    list_canned_replies,
)
from tickets.services import open_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(cast: Any) -> Any:
    """Amir's."""
    team = create_team(actor_of(cast.ada), name="Second level")
    cast.amir = change_user(actor_of(cast.ada), cast.amir.pk, {"team_ids": [team.pk]})
    assert isinstance(cast.amir, User)
    return team


def names(user: User) -> list[str]:
    with tenant_scope(user.tenant_id):
        return [reply["name"] for reply in list_canned_replies(actor_of(user))]


def test_variables_are_filled_in_once(cast):
    ticket = open_ticket(actor_of(cast.carla), title="{{ agent.name }} <b>")
    text = (
        "Hi {{requester.first_name}} ({{ requester.name }}), #{{ ticket.number }} {{ ticket.title }}: {{ agent.name }}"
    )
    reply = create_canned_reply(actor_of(cast.amir), name="Greeting", body=f"{text}, {{{{ tenant.name }}}}")
    filled = fill_canned_reply(actor_of(cast.amir), reply["_id"], ticket)
    assert filled == "Hi Carla (Carla Customer), #1 {{ agent.name }} <b>: Amir Acme, " + cast.acme.name


def test_a_variable_that_never_ends_costs_nothing(cast):
    body = "{{" + " " * 9_900 + "x"
    assert create_canned_reply(actor_of(cast.amir), name="Open", body=body)["body"] == body


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"body": ""}, "body"),
        ({"body": "x" * 10_001}, "body"),
        ({"body": "Hi {{ requester.email }}"}, "body"),
        ({"body": "Hi {{ }}"}, "body"),
        ({"audience": "everybody"}, "audience"),
        ({"audience": "0" * 24}, "audience"),
        ({"audience": "nonsense"}, "audience"),
    ],
)
def test_refuses_what_makes_no_sense(cast, given, field):
    with pytest.raises(InvalidInput) as refused:
        create_canned_reply(actor_of(cast.amir), **{"name": "Greeting", "body": "Hi", **given})
    assert [error.field for error in refused.value.errors] == [field]
    assert names(cast.amir) == []


def test_tells_which_variable_was_meant():
    with pytest.raises(InvalidInput, match=r"did you mean \{\{ requester.name \}\}"):
        rules.clean_body("{{ requster.name }}")


def test_everybody_sees_his_own_his_teams_and_the_tenants(cast, team):
    create_canned_reply(actor_of(cast.amir), name="Amir's own", body="x")
    create_canned_reply(actor_of(cast.amir), name="The team's", body="x", audience=str(team.pk))
    create_canned_reply(actor_of(cast.ada), name="All staff's", body="x", audience="everybody")
    create_canned_reply(actor_of(cast.ada), name="Ada's own", body="x")
    create_canned_reply(actor_of(cast.gus), name="Gus's own", body="x")
    assert names(cast.amir) == ["All staff's", "Amir's own", "The team's"]
    assert names(cast.ada) == ["Ada's own", "All staff's", "The team's"]
    with pytest.raises(NotAllowed):
        names(cast.carla)


def test_who_may_change_and_remove(cast, team):
    amir, ada = actor_of(cast.amir), actor_of(cast.ada)
    own = create_canned_reply(amir, name="Own", body="x")
    shared = create_canned_reply(ada, name="All staff's", body="x", audience="everybody")
    of_team = create_canned_reply(ada, name="The team's", body="x", audience=str(team.pk))
    for work in (
        lambda: change_canned_reply(amir, shared["_id"], {"body": "y"}),
        lambda: delete_canned_reply(amir, shared["_id"]),
    ):
        with pytest.raises(NotAllowed):
            work()
    for stranger in (actor_of(cast.gus), ada):
        with pytest.raises(NotFound):
            delete_canned_reply(stranger, own["_id"])
    changed = change_canned_reply(amir, of_team["_id"], {"name": "Ours", "audience": "me"}, expected_version=1)
    assert (changed["owner_id"], changed["team_id"], changed["version"]) == (cast.amir.pk, None, 2)
    with pytest.raises(StaleVersion):
        change_canned_reply(amir, of_team["_id"], {"name": "Mine"}, expected_version=1)
    delete_canned_reply(ada, shared["_id"])
    assert names(cast.amir) == ["Ours", "Own"]


def test_names_are_unique_where_they_are_seen_and_their_number_is_limited(cast, team, monkeypatch):
    amir = actor_of(cast.amir)
    for audience in ("me", str(team.pk)):
        create_canned_reply(amir, name="Greeting", body="x", audience=audience)
        with pytest.raises(AlreadyExists):
            create_canned_reply(amir, name="Greeting", body="y", audience=audience)
    monkeypatch.setattr(rules, "MAX_OF_OWNER", 1)
    with pytest.raises(LimitExceeded):
        create_canned_reply(amir, name="One more", body="x")
