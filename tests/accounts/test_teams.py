from typing import Any

import pytest

from accounts.repository import TeamRepository
from accounts.teams import change_team, create_team, deactivate_team
from tests.cast import Cast, actor_of
from tests.together import run_together
from ticketing.errors import AlreadyExists, InvalidInput, NotAllowed, NotFound, StaleVersion
from ticketing.mongo import ObjectId

pytestmark = pytest.mark.django_db


def test_a_team_is_created_renamed_and_taken_out_of_use(cast: Cast) -> None:
    ada = actor_of(cast.ada)
    team = create_team(ada, name=" Hardware ")
    assert (team.name, team.is_active, team.version) == ("Hardware", True, 1)
    assert change_team(ada, team.pk, {"name": "Desk"}, expected_version=1).version == 2
    with pytest.raises(StaleVersion):
        change_team(ada, team.pk, {"name": "Chair"}, expected_version=1)
    assert deactivate_team(ada, team.pk).is_active is False
    assert deactivate_team(ada, team.pk).version == 3, "what is so already changes nothing"


def test_names_are_unique_within_a_tenant(cast: Cast) -> None:
    ada = actor_of(cast.ada)
    create_team(ada, name="Hardware")
    other = create_team(ada, name="Network")
    create_team(actor_of(cast.gina), name="Hardware")
    for attempt in (
        lambda: create_team(ada, name="Hardware"),
        lambda: change_team(ada, other.pk, {"name": "Hardware"}),
    ):
        with pytest.raises(AlreadyExists) as error:
            attempt()
        assert error.value.errors[0].field == "name"
    results = run_together([lambda: create_team(ada, name="Desk")] * 4)
    assert sorted(type(result).__name__ for result in results) == ["AlreadyExists"] * 3 + ["Team"]


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("name", {"name": ""}),
        ("name", {"name": "x" * 81}),
        ("is_active", {"is_active": 0}),
        ("members", {"members": []}),
    ],
)
def test_bad_input_is_refused_with_the_field(cast: Cast, field: str, changes: dict[str, Any]) -> None:
    team = create_team(actor_of(cast.ada), name="Hardware")
    with pytest.raises(InvalidInput) as error:
        change_team(actor_of(cast.ada), team.pk, changes)
    assert error.value.errors[0].field == field
    assert TeamRepository(cast.acme.pk).get(team.pk)["version"] == 1


def test_only_admins_of_the_tenant_manage_teams(cast: Cast) -> None:
    team = create_team(actor_of(cast.ada), name="Hardware")
    for user in (cast.amir, cast.carla):
        with pytest.raises(NotAllowed):
            create_team(actor_of(user), name="Mine")
        with pytest.raises(NotAllowed):
            change_team(actor_of(user), team.pk, {"name": "Mine"})
    for unknown in (team.pk, ObjectId()):
        with pytest.raises(NotFound):
            change_team(actor_of(cast.gina), unknown, {"name": "Mine"})
