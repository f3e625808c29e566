"""The commands: what they do, print and refuse."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.cast import Cast
from tests.isolation.snapshot import Snapshot
from tests.tickets.privacy import story as s
from tests.tickets.privacy.test_erasure import Killed
from ticketing.mongo.client import get_database
from tickets.privacy import erasure
from tickets.privacy.rules import receipt_hash

pytestmark = pytest.mark.django_db


def run(*arguments: Any, **options: Any) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue()


def test_the_receipt_is_printed_written_and_printed_again(cast: Cast, tmp_path: Path) -> None:
    story = s.tell(cast)
    file = tmp_path / "receipt.json"
    printed = run("erase_user", tenant="acme", email=story.user.email, content=True, receipt=file)
    receipt = json.loads(printed)
    assert json.loads(file.read_text()) == receipt
    assert receipt["sha256"] == receipt_hash(receipt)
    assert (receipt["requested_by"], receipt["requested_via"]) == (None, "command")
    assert s.MARK not in printed
    assert run("erase_user", tenant="acme", user=str(story.user.pk), content=True) == printed


def test_run_again_after_a_crash_it_finishes(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the address as before, although no account has it any more."""
    story = s.tell(cast)

    def die(*_args: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(erasure, "_forget_answers", die)
        with pytest.raises(Killed):
            run("erase_user", tenant="acme", email=story.user.email, content=True)
    assert s.marked_fields()
    run("erase_user", tenant="acme", email=story.user.email, content=True)
    assert s.marked_fields() == set()
    with pytest.raises(CommandError, match="--user ID"):
        run("erase_user", tenant="acme", email=story.user.email, content=True)


def test_a_dry_run_changes_nothing(cast: Cast) -> None:
    story = s.tell(cast)
    before = Snapshot.take().stored
    told = json.loads(run("erase_user", tenant="acme", email=story.user.email, content=True, dry_run=True))
    assert told["tickets"] == 1
    assert Snapshot.take().stored == before


def test_holds_are_placed_listed_and_lifted(cast: Cast) -> None:
    run("legal_hold", tenant="acme", user=str(cast.carla.pk), reason="A lawsuit")
    listed = run("legal_hold", tenant="acme")
    assert f"user {cast.carla.pk}  A lawsuit" in listed
    assert run("legal_hold", tenant="globex") == ""
    with pytest.raises(CommandError, match="legal hold"):
        run("erase_user", tenant="acme", email=cast.carla.email)
    with pytest.raises(CommandError, match="does not exist"):
        run("legal_hold", tenant="globex", lift=listed.split()[0])
    run("legal_hold", tenant="acme", lift=listed.split()[0])
    assert run("legal_hold", tenant="acme") == ""
    with pytest.raises(CommandError, match="reason"):
        run("legal_hold", tenant="acme", everything=True)


def test_retention_is_previewed_and_applied(cast: Cast) -> None:
    get_database()["tenants"].update_one({"_id": cast.acme.pk}, {"$set": {"retention_user_days": 1}})
    old = {"is_active": False, "updated_at": cast.carl.created_at.replace(year=2020)}
    get_database()["users"].update_many({"email": "carla@example.test"}, {"$set": old})
    assert json.loads(run("retention", tenant="acme", preview=True))["users"] == 1
    assert json.loads(run("retention", tenant="acme"))["users"] == 1
    assert get_database()["users"].find_one({"_id": cast.carla.pk})["erased_at"] is not None
    assert get_database()["users"].find_one({"_id": cast.greta.pk})["name"] == "Greta Customer"


@pytest.mark.parametrize(
    ("command", "options"), [("erase_user", {"email": "x"}), ("retention", {}), ("legal_hold", {})]
)
def test_an_unknown_tenant_is_named(db: None, command: str, options: dict[str, str]) -> None:
    with pytest.raises(CommandError, match="nowhere"):
        run(command, tenant="nowhere", **options)
