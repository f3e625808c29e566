"""What is damaged, foreign, of another version or in the way is refused, and nothing is written then."""

import gzip
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from tenants.repository import TenantRepository
from tests.cast import Cast, make_tenant
from tests.tickets.backup.conftest import contents, stored_files, where
from ticketing.errors import Conflict, InvalidInput
from ticketing.mongo.client import get_database
from ticketing.mongo.dump import collection_names
from tickets.backup import restoring
from tickets.backup.contents import LEFT_OUT
from tickets.backup.manifest import Manifest
from tickets.backup.places import Folder
from tickets.backup.restoring import restore
from tickets.backup.saving import back_up
from tickets.backup.verifying import verify

WHO = "tests"
Elsewhere = Callable[[], Any]


@pytest.fixture
def folder(cast: Cast, tmp_path: Path) -> Path:
    back_up(Folder(tmp_path / "backup"), tenant=None, with_files=True, by=WHO)
    return tmp_path / "backup"


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def a_file(folder: Path) -> Path:
    return next(path for path in sorted((folder / "files").rglob("*")) if path.is_file())


def change_manifest(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """As somebody who knows how it is summed."""
    path = folder / "manifest.json"
    values = json.loads(path.read_text())
    del values["sha256"]
    change(values)
    values["sha256"] = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps(values))


def change_file(folder: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """Changes a compressed file, and its checksum with it."""
    path = folder / name
    content = gzip.compress(change(gzip.decompress(path.read_bytes())))
    path.write_bytes(content)
    told = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}

    def note(values: dict[str, Any]) -> None:
        if name == "files.jsonl.gz":
            values["files"]["index"] = told
        else:
            values["collections"][name.split("/")[1].removesuffix(".bson.gz")]["file"] = told

    change_manifest(folder, note)


def rename_collection(values: dict[str, Any]) -> None:
    values["collections"]["../../tickets"] = values["collections"].pop("tickets")


def lead_outside(content: bytes) -> bytes:
    first, rest = content.split(b"\n", 1)
    return json.dumps({**json.loads(first), "key": "../../settings.py"}).encode() + b"\n" + rest


TICKETS = "collections/tickets.bson.gz"
DAMAGES: dict[str, Callable[[Path], Any]] = {
    "a bit of a collection": lambda folder: flip(folder / TICKETS),
    "the end of a collection": lambda folder: cut(folder / TICKETS),
    "a collection": lambda folder: (folder / TICKETS).unlink(),
    "something after a collection": lambda folder: (folder / TICKETS).open("ab").write(b"more"),
    "a bit of a file": lambda folder: flip(a_file(folder)),
    "the end of a file": lambda folder: cut(a_file(folder)),
    "a file": lambda folder: a_file(folder).unlink(),
    "the files' index": lambda folder: (folder / "files.jsonl.gz").unlink(),
    "a checksum": lambda folder: change_manifest(
        folder, lambda values: values["collections"]["tickets"]["file"].update(sha256="0" * 64)
    ),
    "a count": lambda folder: change_manifest(
        folder, lambda values: values["collections"]["tickets"].update(documents=3)
    ),
    "a document, checksum and all": lambda folder: change_file(folder, TICKETS, lambda content: content[:-1]),
    "a length": lambda folder: change_file(folder, TICKETS, lambda content: b"\xff\xff\xff\x7f" + content[4:]),
    "a line of the index": lambda folder: change_file(
        folder, "files.jsonl.gz", lambda content: content.split(b"\n", 1)[1]
    ),
    "the manifest": lambda folder: (folder / "manifest.json").unlink(),
    "the manifest's end": lambda folder: cut(folder / "manifest.json"),
    "a word of the manifest": lambda folder: (folder / "manifest.json").write_text(
        (folder / "manifest.json").read_text().replace("tickets_queue", "tickets_other").replace('"unique": true', "")
    ),
    "the format": lambda folder: change_manifest(folder, lambda values: values.update(format=2)),
    "a path in the manifest": lambda folder: change_manifest(folder, rename_collection),
    "a path in the index": lambda folder: change_file(folder, "files.jsonl.gz", lead_outside),
    "a field of the manifest": lambda folder: change_manifest(folder, lambda values: values.pop("cluster_time")),
}


def test_what_is_damaged_is_refused_before_anything_is_written(
    folder: Path, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    with elsewhere():
        for what, damage in DAMAGES.items():
            shutil.copytree(folder, tmp_path / what)
            damage(tmp_path / what)
            with pytest.raises(InvalidInput):
                restore(Folder(tmp_path / what), by=WHO)
            with pytest.raises(CommandError):
                call_command("restore", str(tmp_path / what), "--verify-only")
            assert (collection_names(), stored_files()) == ([], {}), what


@pytest.mark.parametrize("name", ["tenants", "tickets", "counters"])
def test_a_document_that_is_damaged_within_is_refused_when_a_tenant_is_looked_for(
    cast: Cast, folder: Path, name: str
) -> None:
    """Its length is right, so it is told from a whole one when it is asked whose it is."""
    path = folder / f"collections/{name}.bson.gz"
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[4] = 0xEE  # the type of the first field: https://bsonspec.org/spec.html has no such one
    path.write_bytes(gzip.compress(content))
    with pytest.raises(InvalidInput, match=f"{name}.bson.gz is damaged"):
        verify(Folder(folder), Manifest.read(Folder(folder)), cast.acme.pk)


def test_verifying_writes_nothing(folder: Path, elsewhere: Elsewhere, capsys: Any) -> None:
    with elsewhere():
        call_command("restore", str(folder), "--verify-only")
        call_command("restore", str(folder), "--verify-only", "--tenant", "acme")
        assert (collection_names(), stored_files()) == ([], {})
    whole, of_one = capsys.readouterr().out.splitlines()
    assert "whole: " in whole
    assert "6 files" in whole
    assert "2 files" in of_one


def test_a_tenants_backup_with_somebody_elses_document_is_refused(cast: Cast, folder: Path) -> None:
    """The backup of all tenants, with a manifest that says it were one's."""
    change_manifest(folder, lambda values: values.update(tenant="acme", tenant_id=str(cast.acme.pk)))
    place = Folder(folder)
    with pytest.raises(InvalidInput, match="another tenant"):
        verify(place, Manifest.read(place))


def test_nothing_is_overwritten(cast: Cast, folder: Path) -> None:
    before, files = contents(), stored_files()
    with pytest.raises(Conflict, match="has collections"):
        restore(Folder(folder), by=WHO)
    with pytest.raises(Conflict, match="acme exists"):
        restore(Folder(folder), slug="acme", by=WHO)
    with pytest.raises(InvalidInput, match="no tenant 'umbrella'"):
        restore(Folder(folder), slug="umbrella", by=WHO)
    assert (contents(), stored_files()) == (before, files)


def test_what_came_while_the_backup_was_verified_stays(
    folder: Path, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(*arguments: Any) -> Any:
        get_database()["tenants"].insert_one({"_id": 1, "slug": "acme"})
        return verify(*arguments)

    monkeypatch.setattr(restoring, "verify", meanwhile)
    with elsewhere():
        with pytest.raises(Conflict, match=r"has collections \(tenants\)"):
            restore(Folder(folder), by=WHO)
        assert collection_names() == ["tenants"]
        assert get_database()["tenants"].count_documents({}) == 1


def test_what_is_left_of_a_tenant_or_has_taken_its_place_is_in_the_way(cast: Cast, folder: Path) -> None:
    TenantRepository().delete({"_id": cast.acme.pk})
    before = contents()
    with pytest.raises(Conflict, match="still has"):
        restore(Folder(folder), slug="acme", by=WHO)
    assert contents() == before
    delete_documents(cast.acme.pk)
    other = make_tenant("acme")
    with pytest.raises(Conflict, match="same id, slug or host"):
        restore(Folder(folder), slug="acme", by=WHO)
    TenantRepository().delete({"_id": other.pk})
    restore(Folder(folder), slug="acme", by=WHO)


def test_a_host_name_that_another_tenant_has_now_is_in_the_way(cast: Cast, folder: Path) -> None:
    initech = TenantRepository().find_by_slug("initech")
    assert initech
    delete_documents(initech["_id"])
    TenantRepository().update_where({"_id": cast.globex.pk}, {"hosts": ["help.initech.example"]})
    with pytest.raises(Conflict, match="globex exists"):
        restore(Folder(folder), slug="initech", by=WHO)


def test_another_file_under_the_key_is_in_the_way_and_the_same_one_is_not(
    cast: Cast, folder: Path, elsewhere: Elsewhere
) -> None:
    place, files = Folder(folder), stored_files()
    with elsewhere():
        for key, content in files.items():
            default_storage.save(key, ContentFile(content))
        key = min(files)
        Path(default_storage.path(key)).write_bytes(b"somebody's")
        with pytest.raises(Conflict, match="another file"):
            restore(place, by=WHO)
        assert collection_names() == []
        assert stored_files() == files | {key: b"somebody's"}
        default_storage.delete(key)
        restore(place, by=WHO)
        assert stored_files() == files


@pytest.mark.parametrize("whole", [True, False])
def test_a_newer_version_is_refused_with_what_to_do(folder: Path, elsewhere: Elsewhere, whole: bool) -> None:
    change_manifest(folder, lambda values: values["migrations"].append("tickets.9999_of_next_year"))
    with elsewhere(), pytest.raises(Conflict, match=r"newer version, which has tickets\.9999_of_next_year"):
        restore(Folder(folder), slug="" if whole else "acme", by=WHO)


def test_an_older_version_is_restored_whole_and_then_migrated(
    cast: Cast, folder: Path, elsewhere: Elsewhere, capsys: Any
) -> None:
    newest = max(name for name in Manifest.read(Folder(folder)).migrations if name.startswith("tickets."))
    change_manifest(folder, lambda values: values["migrations"].remove(newest))
    with elsewhere():
        call_command("restore", str(folder))
        assert "run manage.py migrate now: 1 migration" in capsys.readouterr().out
    delete_documents(cast.acme.pk)
    with pytest.raises(Conflict, match=f"older version, without {newest}.*MONGODB_DATABASE=another"):
        restore(Folder(folder), slug="acme", by=WHO)


def test_a_tenant_needs_a_migrated_database(cast: Cast, folder: Path, elsewhere: Elsewhere) -> None:
    with elsewhere(), pytest.raises(Conflict, match=r"run manage\.py migrate first"):
        restore(Folder(folder), slug="acme", by=WHO)


def interrupted(*_: Any) -> Iterator[int]:
    raise KeyboardInterrupt


@pytest.mark.parametrize("slug", ["", "acme"])
def test_a_failed_restore_leaves_no_document_and_can_be_repeated(
    cast: Cast, folder: Path, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch, slug: str
) -> None:
    whole = contents()
    if slug:
        delete_documents(cast.acme.pk)
    before = contents()
    fail_at(monkeypatch, "tickets", "comments")
    with nullcontext() if slug else elsewhere():
        empty = contents()
        with pytest.raises(KeyboardInterrupt):
            restore(Folder(folder), slug=slug, by=WHO)
        assert contents() == empty
        monkeypatch.undo()
        restore(Folder(folder), slug=slug, by=WHO)
        assert contents() == whole
    assert contents() == (whole if slug else before)


@pytest.mark.parametrize("slug", ["", "acme"])
def test_a_killed_restore_is_reachable_by_nobody_and_starts_over_when_told_so(
    cast: Cast, folder: Path, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch, slug: str
) -> None:
    whole = contents()
    if slug:
        delete_documents(cast.acme.pk)
    with nullcontext() if slug else elsewhere():
        fail_at(monkeypatch, "users", "comments")
        monkeypatch.setattr(restoring, "_remove", interrupted)
        with pytest.raises(KeyboardInterrupt):
            restore(Folder(folder), slug=slug, by=WHO)
        monkeypatch.undo()
        assert get_database()["comments"].count_documents(where(cast.acme.pk) if slug else {})
        assert TenantRepository().find_by_slug("acme") is None
        with pytest.raises(Conflict, match="--start-over"):
            restore(Folder(folder), slug=slug, by=WHO)
        restore(Folder(folder), slug=slug, start_over=True, by=WHO)
        assert contents() == whole
        with pytest.raises(Conflict, match="No restore was interrupted"):
            restore(Folder(folder), slug=slug, start_over=True, by=WHO)
        assert contents() == whole


def fail_at(monkeypatch: pytest.MonkeyPatch, name: str, after: str) -> None:
    """The restore ends in the middle: at one collection, after another."""
    load = restoring.dump.load

    def failing(collection: str, documents: Any, **options: Any) -> Iterator[int]:
        if collection == name:
            assert get_database()[after].find_one()
            raise KeyboardInterrupt
        return load(collection, documents, **options)

    monkeypatch.setattr(restoring.dump, "load", failing)


def delete_documents(tenant_id: Any) -> None:
    database = get_database()
    for name in set(database.list_collection_names()) - LEFT_OUT.keys():
        database[name].delete_many(where(tenant_id))
