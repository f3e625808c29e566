"""Saved views: one's own, shared with a team, bounded, and invisible to everybody else."""

import pytest

from accounts.models import User
from accounts.services import change_user
from accounts.teams import create_team
from tests.cast import Cast, actor_of
from ticketing.errors import InvalidInput, LimitExceeded, NotAllowed, NotFound
from ticketing.mongo import ObjectId
from tickets.saved_views.access import access_view, visible_views
from tickets.saved_views.repository import SavedViewRepository
from tickets.saved_views.services import change_view, delete_view, save_view

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(cast: Cast) -> str:
    """A team of Acme's with Amir in it."""
    team = create_team(actor_of(cast.ada), name="Network")
    cast.amir = change_user(actor_of(cast.ada), cast.amir.pk, {"team_ids": [team.pk]})
    return str(team.pk)


def names(user: User) -> list[str]:
    return [view["name"] for view in visible_views(actor_of(user))]


def test_an_own_view_is_ones_own(cast: Cast, team: str) -> None:
    view = save_view(actor_of(cast.amir), name=" Lava ", query="tag=lava&priority=&o=-7")
    assert (view["name"], view["query"]) == ("Lava", "tag=lava&o=-7")
    assert (names(cast.amir), names(cast.ada), names(cast.gus)) == (["Lava"], [], [])
    for stranger in (cast.ada, cast.gus):
        with pytest.raises(NotFound):
            access_view(actor_of(stranger), str(view["_id"]))


def test_a_shared_view_is_its_teams_and_its_owners_to_change(cast: Cast, team: str) -> None:
    owned = save_view(actor_of(cast.ada), name="Outages", query="priority=urgent", team=team)
    assert (names(cast.ada), names(cast.amir), names(cast.gus)) == (["Outages"], ["Outages"], [])
    with pytest.raises(NotAllowed):
        change_view(actor_of(cast.amir), str(owned["_id"]), {"name": "Mine now"})
    with pytest.raises(NotAllowed):
        delete_view(actor_of(cast.amir), str(owned["_id"]))
    change_view(actor_of(cast.ada), str(owned["_id"]), {"team": "", "name": "Private"})
    assert (names(cast.ada), names(cast.amir)) == (["Private"], [])


def test_it_is_shared_with_ones_own_teams_and_by_admins_with_any(cast: Cast, team: str) -> None:
    other = str(create_team(actor_of(cast.ada), name="Hardware").pk)
    with pytest.raises(InvalidInput, match="team"):
        save_view(actor_of(cast.amir), name="Elsewhere", query="tag=x", team=other)
    view = save_view(actor_of(cast.amir), name="Ours", query="tag=x", team=team)
    with pytest.raises(InvalidInput, match="team"):
        change_view(actor_of(cast.amir), str(view["_id"]), {"team": other})
    change_view(actor_of(cast.ada), str(view["_id"]), {"team": other})
    renamed = change_view(actor_of(cast.amir), str(view["_id"]), {"name": "Theirs", "team": other})
    assert (renamed["name"], str(renamed["team_id"])) == ("Theirs", other)


def test_among_too_many_ones_own_are_shown(cast: Cast, team: str) -> None:
    save_view(actor_of(cast.amir), name="Zebra", query="tag=z")
    owned = SavedViewRepository(cast.acme.pk).find({})[0]
    shared = {"owner_id": cast.ada.pk, "team_id": ObjectId(team)}
    SavedViewRepository(cast.acme.pk).insert_many(
        {**owned, "_id": ObjectId(), **shared, "name": f"Shared {number:03}"} for number in range(120)
    )
    shown = names(cast.amir)
    assert (len(shown), shown[0], shown[-1]) == (100, "Shared 000", "Zebra")


def test_an_admin_tidies_up_shared_views(cast: Cast, team: str) -> None:
    view = save_view(actor_of(cast.amir), name="Left behind", query="tag=x", team=team)
    delete_view(actor_of(cast.ada), str(view["_id"]))
    assert names(cast.amir) == []


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"query": f"q={'x' * 1000}"}, "query"),
        ({"team": "nonsense"}, "team"),
        ({"team": "a" * 24}, "team"),
    ],
)
def test_bad_input_names_its_field_and_stores_nothing(cast: Cast, given: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        save_view(actor_of(cast.amir), **{"name": "Lava", "query": "tag=lava", **given})
    assert refused.value.errors[0].field == field
    assert SavedViewRepository(cast.acme.pk).count({}) == 0


def test_nobody_keeps_too_many(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tickets.saved_views.rules.MAX_OF_OWNER", 1)
    save_view(actor_of(cast.amir), name="First", query="tag=lava")
    with pytest.raises(LimitExceeded):
        save_view(actor_of(cast.amir), name="Second", query="tag=lava")
    save_view(actor_of(cast.ada), name="First", query="tag=lava")


def test_customers_keep_none(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        save_view(actor_of(cast.carla), name="Mine", query="tag=lava")
    with pytest.raises(NotAllowed):
        visible_views(actor_of(cast.carla))
