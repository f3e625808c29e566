"""Exports that are asked for: queued, made once, interrupted, downloaded, removed."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from accounts.keys import create_api_key
from tests.cast import Cast, actor_of, api
from tests.together import run_together
from ticketing import clock
from ticketing.errors import NotAllowed
from ticketing.jobs import Run
from ticketing.mongo.client import get_database
from tickets.attachments.jobs import sweep
from tickets.attachments.services import add_attachment
from tickets.privacy.erasure import continue_erasure, request_erasure
from tickets.privacy.redaction import remove_files
from tickets.services import open_ticket
from tickets.transfer import exports
from tickets.transfer.exports import ExportUnderWay, make_pending_export, request_export
from tickets.transfer.jobs import run_exports

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_storage() -> None:
    shutil.rmtree(settings.MEDIA_ROOT, ignore_errors=True)


@pytest.fixture
def ticket(cast: Cast) -> Any:
    found = open_ticket(actor_of(cast.carla), title="Printer on fire")
    add_attachment(actor_of(cast.carla), found["_id"], SimpleUploadedFile("fire.txt", b"It burns"))
    create_api_key(actor_of(cast.ada), name="Integration", scopes=["tickets:read"])
    return found


def archives() -> list[Path]:
    return sorted(path for path in (Path(settings.MEDIA_ROOT) / "exports").rglob("*") if path.is_file())


def test_the_whole_way(cast: Cast, ticket: Any, tmp_path: Path) -> None:
    """Asked for, made by the job, downloaded, imported as another tenant: everything but passwords and keys."""
    client = api(cast.ada)
    asked = client.post("/api/v1/exports")
    assert (asked.status_code, asked.json()["state"], asked.json()["url"]) == (202, "queued", None)
    assert client.get(f"/api/v1/exports/{asked.json()['id']}/download").json()["code"] == "export_not_ready"
    run_exports(Run("exports.run"))
    done = client.get(asked["Location"]).json()
    assert (done["state"], done["progress"]) == ("done", 100)
    answer: Any = client.get(done["url"])
    assert answer["Content-Disposition"].endswith('.zip"')
    content = b"".join(answer.streaming_content)
    assert len(content) == done["bytes"]
    (tmp_path / "export.zip").write_bytes(content)
    with ZipFile(tmp_path / "export.zip") as packed:
        packed.extractall(tmp_path)
    folder = tmp_path / "acme"
    hashes = [user["password"] for user in get_database()["users"].find({"tenant_id": cast.acme.pk})]
    keys = [key["secret_hash"] for key in get_database()["api_keys"].find()]
    texts = "".join(path.read_text() for path in folder.glob("*.json*"))
    assert not [secret for secret in [*hashes, *keys] if secret in texts]
    call_command("import_tenant", folder, slug="copy")
    copy = get_database()["tenants"].find_one({"slug": "copy"})["_id"]
    assert get_database()["tickets"].count_documents({"tenant_id": copy, "title": "Printer on fire"}) == 1
    assert get_database()["api_keys"].count_documents({"tenant_id": copy}) == 0
    actions = [entry["action"] for entry in get_database()["audit_log"].find({"by": cast.ada.email})]
    assert actions[-2:] == ["export.requested", "export.downloaded"]


def test_one_is_under_way_at_a_time(cast: Cast) -> None:
    answers = run_together([lambda: request_export(actor_of(cast.ada))] * 4)
    assert sorted(type(each).__name__ for each in answers) == ["ExportUnderWay"] * 3 + ["dict"]
    with pytest.raises(ExportUnderWay) as refused:
        request_export(actor_of(cast.ada))
    assert refused.value.data["export"] == get_database()["exports"].find_one()["_id"]
    request_export(actor_of(cast.gina))
    with pytest.raises(NotAllowed):
        request_export(actor_of(cast.amir))


def test_asking_with_an_idempotency_key(cast: Cast) -> None:
    client = api(cast.ada)
    first, again = (client.post("/api/v1/exports", headers={"Idempotency-Key": "one"}) for _ in range(2))
    other = client.post("/api/v1/exports", headers={"Idempotency-Key": "two"})
    assert (first.status_code, again.json(), other.status_code) == (202, first.json(), 409)


def test_what_a_dead_runner_left_is_begun_anew(cast: Cast, ticket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    request_export(actor_of(cast.ada))

    def die(*_args: Any, **_changes: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(exports, "_finish", die)
        with pytest.raises(KeyboardInterrupt):
            make_pending_export(cast.acme)
    assert get_database()["exports"].find_one()["state"] == "running"
    run_exports(Run("exports.run"))
    export = get_database()["exports"].find_one()
    assert (export["state"], export["attempts"]) == ("done", 2)
    assert [path.stat().st_size for path in archives()] == [export["bytes"]]


def test_one_that_kills_its_runner_is_given_up(cast: Cast) -> None:
    export = request_export(actor_of(cast.ada))
    died = {"$set": {"state": "running", "attempts": exports.ATTEMPTS}}
    get_database()["exports"].update_one({"_id": export["_id"]}, died)
    run_exports(Run("exports.run"))
    stored = get_database()["exports"].find_one()
    assert (stored["state"], stored["is_pending"]) == ("failed", False)
    request_export(actor_of(cast.ada))


def test_a_runner_that_stops_puts_it_back(cast: Cast, ticket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "PROGRESS_EVERY_SECONDS", 0)
    request_export(actor_of(cast.ada))
    make_pending_export(cast.acme, lambda: True)
    export = get_database()["exports"].find_one()
    assert (export["state"], export["attempts"], archives()) == ("queued", 1, [])
    run_exports(Run("exports.run"))
    assert get_database()["exports"].find_one()["state"] == "done"


def test_one_that_no_run_has_the_time_for_is_given_up(cast: Cast, ticket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "PROGRESS_EVERY_SECONDS", 0)
    request_export(actor_of(cast.ada))
    for _ in range(exports.ATTEMPTS + 1):
        make_pending_export(cast.acme, lambda: True)
    export = get_database()["exports"].find_one()
    assert (export["state"], export["error"]) == ("failed", "It was interrupted too often")


def test_one_that_no_run_has_the_time_for_does_not_keep_others_waiting(
    cast: Cast, ticket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "PROGRESS_EVERY_SECONDS", 0)
    for admin in (cast.ada, cast.gina):
        request_export(actor_of(admin))
    time_is_up = iter([False])
    first = Run("exports.run", stop=lambda: next(time_is_up, True))
    run_exports(first)
    assert states(cast) == ("queued", "queued")
    run_exports(Run("exports.run", position=first.position))
    assert states(cast) == ("queued", "done")


def states(cast: Cast) -> tuple[str, ...]:
    """Of the exports of acme and globex."""
    exported = get_database()["exports"]
    return tuple(exported.find_one({"tenant_id": each.pk})["state"] for each in (cast.acme, cast.globex))


def test_a_missing_file_fails_it_with_the_reason(cast: Cast, ticket: Any) -> None:
    shutil.rmtree(Path(settings.MEDIA_ROOT) / str(cast.acme.pk))
    request_export(actor_of(cast.ada))
    run_exports(Run("exports.run"))
    export = get_database()["exports"].find_one()
    assert export["state"] == "failed"
    assert "fire.txt" in export["error"]


def test_removed_by_hand_and_by_time(cast: Cast, ticket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = api(cast.ada)
    for _ in _made(cast, 2):
        pass
    assert len(archives()) == 2
    [first, _] = client.get("/api/v1/exports").json()["data"]
    assert client.delete(f"/api/v1/exports/{first['id']}").status_code == 204
    remove_files(cast.acme.pk)
    assert len(archives()) == 1
    later = clock.now() + timedelta(days=settings.EXPORT_DAYS, seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    run_exports(Run("exports.run"))
    remove_files(cast.acme.pk)
    assert (archives(), get_database()["exports"].count_documents({})) == ([], 0)


def test_one_that_was_kept_long_enough_is_gone_even_if_no_job_runs(
    cast: Cast, ticket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    [export] = _made(cast, 1)
    client, path = api(cast.ada), f"/api/v1/exports/{export['_id']}/download"
    assert client.get(path).status_code == 200
    monkeypatch.setattr(exports.clock, "now", lambda: export["expires_at"])
    assert client.get(path).json()["code"] == "not_found"
    [listed] = client.get("/api/v1/exports").json()["data"]
    assert (listed["state"], listed["url"]) == ("done", None)


def test_one_that_is_removed_while_it_is_made_leaves_nothing(
    cast: Cast, ticket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_export(actor_of(cast.ada))
    make = exports._make

    def make_and_lose(*args: Any) -> Any:
        made = make(*args)
        get_database()["exports"].delete_many({})
        return made

    monkeypatch.setattr(exports, "_make", make_and_lose)
    assert make_pending_export(cast.acme) is None
    assert archives() == []


def test_an_archive_that_nothing_names_is_swept_after_a_day(
    cast: Cast, ticket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as that of a runner that died just before it could say that the export was done."""
    for _ in _made(cast, 1):
        pass
    [kept] = archives()
    lost = kept.with_name(f"{'0' * 32}.zip")
    shutil.copy(kept, lost)
    sweep(Run("attachments.sweep"))
    assert archives() == [lost, kept]
    later = clock.now() + timedelta(days=1, minutes=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    sweep(Run("attachments.sweep"))
    assert archives() == [kept]


def test_an_erasure_removes_the_exports(cast: Cast, ticket: Any) -> None:
    for _ in _made(cast, 1):
        pass
    request_export(actor_of(cast.ada))
    actor = actor_of(cast.ada)
    get_database()["users"].update_one({"_id": cast.carla.pk}, {"$set": {"is_active": False}})
    done = continue_erasure(actor, request_erasure(actor, cast.carla.pk))
    assert done["receipt"]["counts"]["exports"] == 2
    assert (archives(), get_database()["exports"].count_documents({})) == ([], 0)


def _made(cast: Cast, amount: int) -> Iterator[Any]:
    for _ in range(amount):
        request_export(actor_of(cast.ada))
        yield make_pending_export(cast.acme)
