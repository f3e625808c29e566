"""The command that proves and repairs the statistics."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.cast import Cast, actor_of
from tickets.services import open_ticket
from tickets.stats.repository import CellRepository, DeltaRepository
from tickets.stats.services import ticket_stats

pytestmark = pytest.mark.django_db


def verify(*arguments: str) -> list[str]:
    output = StringIO()
    call_command("verify_stats", *arguments, stdout=output)
    return output.getvalue().splitlines()


def test_it_tells_each_tenants_state(cast: Cast) -> None:
    open_ticket(actor_of(cast.carla), title="Broken")
    assert verify() == ["acme: equal to a full count", "globex: equal to a full count"]
    assert DeltaRepository(cast.acme.pk).count({}) == 0


def test_it_fails_where_they_differ_and_repairs_when_told(cast: Cast) -> None:
    open_ticket(actor_of(cast.carla), title="Broken")
    verify()
    CellRepository(cast.acme.pk).update_where({"dimension": "", "level": "all"}, {"total": {"open": 7}})
    with pytest.raises(CommandError, match="acme"):
        verify("--tenant", "acme")
    assert verify("--tenant", "globex") == ["globex: equal to a full count"]
    assert verify("--tenant", "acme", "--repair") == ["acme: 1 cells repaired"]
    assert verify("--tenant", "acme") == ["acme: equal to a full count"]
    assert ticket_stats(actor_of(cast.amir))["status"]["new"] == 1


def test_an_unknown_tenant(cast: Cast) -> None:
    with pytest.raises(CommandError, match="no tenant 'nobody'"):
        verify("--tenant", "nobody")
