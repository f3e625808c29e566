"""A backup is of one moment, whole, and nobody else's; what is restored is the same byte for byte."""

import gzip
import json
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path
from queue import Queue
from threading import Event
from typing import Any

import pytest
from django.apps import apps
from django.core.files.storage import default_storage
from django.core.management import call_command

from accounts.models import User
from tests.cast import Cast, actor_of, api
from tests.tickets.backup.conftest import contents, indexes, stored_files
from tests.together import run_together
from ticketing.errors import Conflict, InvalidInput
from ticketing.mongo import ObjectId
from ticketing.mongo.client import get_database
from ticketing.mongo.repository import Document
from ticketing.mongo.scope import tenant_scope
from tickets.attachments.files import FilesUnavailable
from tickets.backup.contents import LEFT_OUT, STAYS
from tickets.backup.manifest import Manifest
from tickets.backup.places import Folder
from tickets.backup.restoring import restore
from tickets.backup.saving import back_up
from tickets.backup.verifying import verify
from tickets.conversation.services import add_comment
from tickets.services import change_ticket, open_ticket
from tickets.stats.services import differences

WHO = "tests"
Elsewhere = Callable[[], Any]

# Collections of which no document is a tenant's. Of all others `tenant_id` says whose a document is.
OF_THE_PLATFORM = {
    *("auth_group", "auth_group_permissions", "auth_permission", "django_admin_log", "django_content_type"),
    *("django_migrations", "django_session", "jobs", "rate_windows", "restores_under_way", "sign_in_attempts"),
}


def backup_of(tmp_path: Path, *, tenant: Any = None, with_files: bool = True, name: str = "backup") -> Folder:
    place = Folder(tmp_path / name)
    back_up(place, tenant=tenant, with_files=with_files, by=WHO)
    return place


def test_everything_comes_back_byte_for_byte(cast: Cast, tmp_path: Path, elsewhere: Elsewhere) -> None:
    before, before_indexes, before_files = contents(), indexes(), stored_files()
    assert len(before_files) == 6
    assert len(before["idempotency_records"]) == 1
    place = backup_of(tmp_path)
    with elsewhere():
        restored = restore(place, by=WHO)
        assert contents() == before
        assert indexes() == before_indexes
        assert stored_files() == before_files
        assert (restored.documents, restored.files) == (Manifest.read(place).documents, 6)
        assert restored.to_migrate == []
        assert all(not differences(tenant.pk) for tenant in (cast.acme, cast.globex))
        assert get_database()["token_families"].count_documents({}) == 0
        assert api(cast.amir).get("/api/v1/tickets").status_code == 200
        call_command("check_indexes")
    assert contents() == before


def test_what_lasts_minutes_or_is_a_sign_in_is_left_out(cast: Cast, tmp_path: Path) -> None:
    for name in ("token_families", "django_session"):
        assert get_database()[name].count_documents({})
    manifest = Manifest.read(backup_of(tmp_path))
    assert set(manifest.left_out) <= LEFT_OUT.keys()
    assert {name: manifest.collections[name].documents for name in manifest.left_out} == dict.fromkeys(
        manifest.left_out, 0
    )
    assert manifest.collections["token_families"].indexes


def test_every_collection_is_known_to_be_a_tenants_or_the_platforms() -> None:
    """A collection that says whose it is in another way must be named in tickets.backup.contents."""
    models = [model for model in apps.get_models(include_auto_created=True) if model.__module__[:6] != "tests."]
    owned = {
        model._meta.db_table
        for model in models
        if any(getattr(field, "column", "") == "tenant_id" for field in model._meta.concrete_fields)
    }
    assert {model._meta.db_table for model in models} - owned - OF_THE_PLATFORM == {"tenants"}
    assert not owned & OF_THE_PLATFORM
    assert owned >= STAYS & {model._meta.db_table for model in models}


def test_a_tenants_backup_holds_nobody_elses_documents(cast: Cast, tmp_path: Path, elsewhere: Elsewhere) -> None:
    own, everything = contents(cast.acme.pk), contents()
    place = backup_of(tmp_path, tenant=cast.acme)
    assert all(own[name] for name in ("tickets", "events", "comments", "attachments", "counters"))
    assert own["stat_deltas"] or own["stat_cells"]  # whether they are folded yet
    for name, entry in Manifest.read(place).collections.items():
        assert entry.documents == (0 if name in LEFT_OUT else len(own[name])), name
    unpacked = b"".join(gzip.decompress(path.read_bytes()) for path in (tmp_path / "backup").rglob("*.gz"))
    assert b"globex" not in unpacked.lower()
    assert b"initech" not in unpacked.lower()
    assert cast.globex.pk.binary not in unpacked
    assert len(list((tmp_path / "backup" / "files").rglob("*/*"))) == 2
    assert everything == contents()


def test_a_tenant_that_was_deleted_comes_back_beside_the_others(cast: Cast, tmp_path: Path) -> None:
    before, before_files = contents(), stored_files()
    client = api(cast.amir)
    place = backup_of(tmp_path)
    delete(cast.acme.pk)
    assert contents() != before
    restored = restore(place, slug="acme", by=WHO)
    assert contents() == before
    assert stored_files() == before_files
    assert restored.files == 2
    assert not differences(cast.acme.pk)
    assert client.get("/api/v1/tickets").status_code == 401  # signed in before; revoked since, for all we know
    assert not [each for each in sessions() if each.get("tenant_id") == str(cast.acme.pk)]
    assert api(cast.amir).get("/api/v1/tickets").json()["data"][0]["number"] == 6
    with tenant_scope(cast.acme.pk):
        assert open_ticket(actor_of(cast.carla), title="The next one")["number"] == 7


def test_a_tenants_own_backup_comes_back_where_the_audit_log_has_stayed(cast: Cast, tmp_path: Path) -> None:
    before = contents()
    place = backup_of(tmp_path, tenant=cast.globex)
    delete(cast.globex.pk, but={"audit_log"})
    restore(place, by=WHO)
    assert contents() == before


def delete(tenant_id: ObjectId, but: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    """As somebody would by mistake, with everything of the tenant's but its sign-ins."""
    database = get_database()
    for name in set(database.list_collection_names()) - but - LEFT_OUT.keys():
        database[name].delete_many(
            {"$or": [{"tenant_id": tenant_id}, {"_id": tenant_id}, {"_id.tenant_id": tenant_id}]}
        )
    for key in default_storage.listdir(str(tenant_id))[1]:
        default_storage.delete(f"{tenant_id}/{key}")


def sessions() -> list[dict[str, Any]]:
    from django.contrib.sessions.models import Session

    return [session.get_decoded() for session in Session.objects.all()]


def test_a_backup_is_its_owners_alone_and_needs_an_empty_folder(cast: Cast, tmp_path: Path) -> None:
    backup_of(tmp_path)
    folder = tmp_path / "backup"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()} == {0o600}
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(InvalidInput, match="not empty"):
        backup_of(tmp_path)
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_while_four_write_the_copy_is_of_one_moment(cast: Cast, tmp_path: Path, elsewhere: Elsewhere) -> None:
    """Each ticket's version is its last event's, its counter its comments, and the statistics are a full count."""
    writers = [cast.amir, cast.ada, cast.gus, cast.gina]
    agents = {user.pk: actor_of(user) for user in writers}
    written: Queue[ObjectId] = Queue()
    copies: list[Folder] = []
    over = Event()

    def write(user: User) -> None:
        actor = agents[user.pk]
        with tenant_scope(actor.tenant.pk):
            while not over.is_set():
                ticket = open_ticket(actor, title="Written meanwhile", requester=user.pk)
                add_comment(actor, ticket["_id"], "A comment")
                change_ticket(actor, ticket["_id"], {"priority": "high"})
                written.put(ticket["_id"])

    def copy() -> None:
        try:
            for number in range(2):
                while not written.empty():
                    written.get()
                written.get(timeout=60)
                copies.append(backup_of(tmp_path, with_files=False, name=str(number)))
        finally:
            over.set()

    assert run_together([*(partial(write, user) for user in writers), copy]) == [None] * 5
    sizes = []
    for place in copies:
        with elsewhere():
            restore(place, by=WHO)
            sizes.append(check_consistent(cast))
            clear()
    assert sizes[0] < sizes[1] <= get_database()["tickets"].count_documents({})


def clear() -> None:
    get_database().client.drop_database(get_database().name)


def check_consistent(cast: Cast) -> int:
    database = get_database()
    tickets: list[Document] = list(database["tickets"].find())
    for ticket in tickets:
        history = list(database["events"].find({"ticket_id": ticket["_id"]}))
        assert {event["version"] for event in history} == set(range(1, ticket["version"] + 1))
        comments = database["comments"].count_documents({"ticket_id": ticket["_id"], "visibility": "public"})
        assert ticket["comment_count"] == comments
    for tenant in (cast.acme, cast.globex):
        assert differences(tenant.pk) == {}
        highest = max(ticket["number"] for ticket in tickets if ticket["tenant_id"] == tenant.pk)
        counter = database["counters"].find_one({"_id": {"tenant_id": tenant.pk, "name": "tickets"}})
        assert counter
        assert counter["value"] >= highest
    return len(tickets)


def test_a_lost_or_changed_file_is_told_and_the_rest_saved(cast: Cast, tmp_path: Path) -> None:
    lost, changed, *_ = sorted(stored_files())
    default_storage.delete(lost)
    Path(default_storage.path(changed)).write_bytes(b"changed")
    place = backup_of(tmp_path)
    files = Manifest.read(place).files
    assert files
    assert (sorted(files.missing), files.count) == ([lost, changed], 4)
    verify(place, Manifest.read(place))


def test_a_storage_that_cannot_be_read_is_no_storage_without_files(cast: Cast, tmp_path: Path) -> None:
    """Whoever makes a nightly backup would else have one without files, and not know."""
    key = min(stored_files())
    Path(default_storage.path(key)).unlink()
    Path(default_storage.path(key)).mkdir()
    with pytest.raises(FilesUnavailable):
        backup_of(tmp_path)
    with pytest.raises(InvalidInput, match="no complete backup"):
        Manifest.read(Folder(tmp_path / "backup"))


def test_a_database_that_was_never_migrated_is_refused(cast: Cast, tmp_path: Path, elsewhere: Elsewhere) -> None:
    with elsewhere(), pytest.raises(Conflict, match="nothing to back up"):
        backup_of(tmp_path)
    with pytest.raises(InvalidInput, match="no complete backup"):
        restore(Folder(tmp_path / "backup"), by=WHO)


def test_the_manifest_tells_what_is_needed_to_judge_it(cast: Cast, tmp_path: Path) -> None:
    place = backup_of(tmp_path)
    told = json.loads((tmp_path / "backup" / "manifest.json").read_text())
    assert told["format"] == 1
    assert told["cluster_time"]["seconds"] > 1_700_000_000
    assert "tickets.0001_initial" in told["migrations"]
    tickets = told["collections"]["tickets"]
    assert tickets["documents"] == 16
    assert tickets["document_bytes"] == sum(map(len, contents()["tickets"].values()))
    assert {index["name"] for index in tickets["indexes"]} == indexes()["tickets"].keys() - {"_id_"}
    assert Manifest.read(place).document_bytes > tickets["document_bytes"]
