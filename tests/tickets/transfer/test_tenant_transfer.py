"""A tenant leaves a deployment and comes into another, or beside itself, with everything."""

import hashlib
import json
import shutil
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from accounts.actor import Actor, Via
from accounts.keys import create_api_key
from accounts.teams import create_team
from tenants.models import Tenant, TenantStatus
from tenants.services import find_tenant, get_tenant
from tests.cast import PASSWORD, Cast, actor_of, new_cast
from ticketing.errors import InvalidInput
from ticketing.mongo.client import get_database
from ticketing.mongo.models import TenantModel
from ticketing.mongo.repository import Document
from ticketing.mongo.scope import tenant_scope
from tickets.attachments.services import add_attachment
from tickets.canned_replies.services import create_canned_reply
from tickets.conversation.services import add_comment
from tickets.models import Attachment
from tickets.saved_views.services import save_view
from tickets.services import assign_ticket, open_ticket
from tickets.stats.services import differences, ticket_stats
from tickets.transfer import restoring
from tickets.transfer.archive import COLLECTIONS, LATER, LEFT_OUT, read_documents
from tickets.transfer.exporting import FileMissing, export_tenant
from tickets.transfer.restoring import NotEmpty, import_tenant

NAMES = [each.name for each in COLLECTIONS]
WHO = "tests"


@pytest.fixture
def cast(db: None) -> Cast:
    """Acme works two tickets: with answers, a note, a file on each kind of comment; globex has one that looks alike."""
    cast = new_cast()
    agent, customer = actor_of(cast.amir, Via.CONSOLE), actor_of(cast.carla)
    create_team(actor_of(cast.ada), name="Second level")
    create_api_key(actor_of(cast.ada), name="CRM", scopes=["tickets:read"])
    with tenant_scope(cast.acme.pk):
        first = open_ticket(customer, title="Printer", description="It *smokes* – ünïcode", priority="high")
        open_ticket(agent, title="Second", requester=cast.carl.pk, followers=[cast.carla.pk], tags=["a"])
        assign_ticket(agent, first["_id"], assigned_to=cast.amir.pk)
        answer = add_comment(agent, first["_id"], "Unplug it")
        note = add_comment(agent, first["_id"], "Nitrogen, @admin@example.test", "internal")
        attach(agent, answer, "manual.pdf", b"how to unplug")
        attach(agent, note, "secret.txt", b"\x00\xff" * 100_000)
        save_view(agent, name="Mine", query="assignee=me")
        create_canned_reply(agent, name="Greeting", body="Hi {{ requester.name }}")
    with tenant_scope(cast.globex.pk):
        open_ticket(actor_of(cast.greta), title="Printer", description="globex only")
    return cast


def attach(actor: Actor, comment: Document, name: str, content: bytes) -> None:
    add_attachment(actor, comment["ticket_id"], SimpleUploadedFile(name, content), comment_id=comment["_id"])


def leave_the_deployment(tenant: Tenant) -> None:
    """As if this were another deployment."""
    database = get_database()
    for name in database.list_collection_names():
        database[name].delete_many(
            {"$or": [{"tenant_id": tenant.pk}, {"_id": tenant.pk}, {"_id.tenant_id": tenant.pk}]}
        )
    shutil.rmtree(Path(default_storage.path(str(tenant.pk))))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of an export but the manifest, which tells the time."""
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    files.pop("manifest.json")
    return files


def rows_of(folder: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]


def by_natural_keys(folder: Path) -> dict[str, list[str]]:
    """The rows with every id replaced by a name that does not depend on ids, sorted."""
    names = {json.loads((folder / "tenant.json").read_text())["_id"]["$oid"]: "the tenant"}
    keys: dict[str, Callable[[dict[str, Any]], Any]] = {
        "teams": lambda row: row["name"],
        "users": lambda row: row["email"],
        "api_keys": lambda row: row["name"],
        "tickets": lambda row: row["number"],
        "comments": lambda row: (names[row["ticket_id"]["$oid"]], row["body"]),
        "attachments": lambda row: (names[row["comment_id"]["$oid"]], row["name"]),
        "saved_views": lambda row: row["name"],
        "canned_replies": lambda row: row["name"],
        "mentions": lambda row: (names[row["user_id"]["$oid"]], names[row["comment_id"]["$oid"]]),
        "events": lambda row: (names[row["ticket_id"]["$oid"]], row["version"], row["position"]),
    }
    for name, key in keys.items():
        for row in rows_of(folder, name):
            names[row["_id"]["$oid"]] = f"{name} {key(row)}"
    assert len(set(names.values())) == len(names)

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            return names[value["$oid"]] if "$oid" in value else {key: renamed(each) for key, each in value.items()}
        return [renamed(each) for each in value] if isinstance(value, list) else value

    return {name: sorted(json.dumps(renamed(row)) for row in rows_of(folder, name)) for name in NAMES}


def counts() -> dict[str, int]:
    database = get_database()
    return {name: database[name].count_documents({}) for name in [*NAMES, "tenants", "stat_deltas", "stat_cells"]}


def stored_files() -> set[str]:
    root = Path(default_storage.path(""))
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_every_collection_of_a_tenant_is_exported_or_left_out_for_a_reason() -> None:
    owned = {model._meta.db_table for model in apps.get_models() if issubclass(model, TenantModel)}
    owned -= {model._meta.db_table for model in apps.get_models() if model.__module__.startswith("tests.")}
    assert owned == {*NAMES, *LEFT_OUT}


def test_into_another_deployment_and_out_again_is_the_same_byte_for_byte(cast: Cast, tmp_path: Path) -> None:
    manifest = export_tenant(cast.acme, tmp_path / "one", by=WHO)
    assert (manifest.attachment_files, manifest.last_number) == (2, 2)
    leave_the_deployment(cast.acme)
    restored = import_tenant(tmp_path / "one", "acme", by=WHO)
    assert restored.same_ids
    assert restored.tenant.is_active
    export_tenant(restored.tenant, tmp_path / "two", by=WHO)
    assert contents(tmp_path / "two") == contents(tmp_path / "one")
    assert len(contents(tmp_path / "one")) == 1 + len(NAMES) + 2


def test_beside_itself_it_is_the_same_but_for_the_ids(cast: Cast, tmp_path: Path) -> None:
    export_tenant(cast.acme, tmp_path / "one", by=WHO)
    restored = import_tenant(tmp_path / "one", "acme-copy", by=WHO)
    assert not restored.same_ids
    export_tenant(restored.tenant, tmp_path / "two", by=WHO)
    assert by_natural_keys(tmp_path / "two") == by_natural_keys(tmp_path / "one")
    for name in NAMES:
        ids = [{row["_id"]["$oid"] for row in rows_of(tmp_path / folder, name)} for folder in ("one", "two")]
        assert len(ids[0]) == len(ids[1]) > 0
        assert not ids[0] & ids[1]
    files = [sorted(path.read_bytes() for path in (tmp_path / folder / "files").iterdir()) for folder in ("one", "two")]
    assert files[0] == files[1]
    one, two = (json.loads((tmp_path / folder / "tenant.json").read_text()) for folder in ("one", "two"))
    assert {**one, "_id": 0, "slug": 0} == {**two, "_id": 0, "slug": 0}


def test_the_copy_works(cast: Cast, tmp_path: Path) -> None:
    export_tenant(cast.acme, tmp_path / "one", by=WHO)
    copy = import_tenant(tmp_path / "one", "copy", by=WHO).tenant
    assert not differences(copy.pk)
    stats = ticket_stats(Actor.system(copy, Via.COMMAND))
    assert stats["total"] == 2
    original = get_tenant(cast.acme.pk)
    assert copy.storage_bytes == original.storage_bytes > 0
    with tenant_scope(copy.pk):
        keys = [attachment.storage_key for attachment in Attachment.objects.all()]
    assert all(key.startswith(f"{copy.pk}/") for key in keys)
    document = get_database()["users"].find_one({"tenant_id": copy.pk, "email": "carla@example.test"})
    assert document
    carla = type(cast.carla).from_document(document)
    assert carla.check_password(PASSWORD)
    with tenant_scope(copy.pk):
        opened = open_ticket(Actor(carla, copy, actor_of(cast.carla).role, Via.API), title="The next one")
    assert opened["number"] == 3


def test_an_export_of_before_there_were_these_is_complete(cast: Cast, tmp_path: Path) -> None:
    export_tenant(cast.acme, tmp_path / "one", by=WHO)
    manifest = json.loads((tmp_path / "one" / "manifest.json").read_text())
    for each in LATER:
        (tmp_path / "one" / each.file_name).unlink()
        del manifest["files"][each.file_name]
    (tmp_path / "one" / "manifest.json").write_text(json.dumps(manifest))
    restored = import_tenant(tmp_path / "one", "copy", by=WHO)
    assert get_database()["tickets"].count_documents({"tenant_id": restored.tenant.pk}) == 2
    assert get_database()["saved_views"].count_documents({"tenant_id": restored.tenant.pk}) == 0


def test_an_export_holds_nothing_of_another_tenant_and_is_its_owners_alone(cast: Cast, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    export_tenant(cast.acme, folder, by=WHO)
    assert not [name for name, content in contents(folder).items() if b"globex" in content.lower()]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()} == {0o600}


def test_an_export_is_of_one_moment(cast: Cast, tmp_path: Path) -> None:
    """A ticket that is opened while the export is under way is in none of its files."""
    opened = []

    def meanwhile(_: int) -> None:
        if not opened:
            opened.append(1)
            run_in_another_thread(lambda: open_in(cast))

    export_tenant(cast.acme, tmp_path / "one", by=WHO, on_progress=meanwhile)
    assert get_database()["tickets"].count_documents({"tenant_id": cast.acme.pk}) == 3
    assert [row["number"] for row in rows_of(tmp_path / "one", "tickets")] == [1, 2]
    assert not [row for row in rows_of(tmp_path / "one", "events") if row["data"].get("title") == "Meanwhile"]


def open_in(cast: Cast) -> None:
    with tenant_scope(cast.acme.pk):
        open_ticket(actor_of(cast.carla), title="Meanwhile")


def run_in_another_thread(function: Callable[[], None]) -> None:
    with ThreadPoolExecutor(1) as executor:
        executor.submit(function).result()


@pytest.mark.parametrize("damage", ["row", "file", "missing", "manifest", "foreign"])
def test_a_damaged_export_is_refused_and_nothing_stored(cast: Cast, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "one"
    export_tenant(cast.acme, folder, by=WHO)
    if damage == "row":
        path = folder / "tickets.jsonl"
        path.write_bytes(path.read_bytes().replace(b"Printer", b"Plotter"))
    elif damage == "file":
        next((folder / "files").iterdir()).write_bytes(b"other")
    elif damage == "missing":
        next((folder / "files").iterdir()).unlink()
    elif damage == "manifest":
        (folder / "manifest.json").write_text('{"format": 99}')
    else:  # somebody has changed a row, and the checksum with it
        path, manifest = folder / "teams.jsonl", folder / "manifest.json"
        old = path.read_bytes()
        new = old.replace(str(cast.acme.pk).encode(), str(cast.globex.pk).encode())
        path.write_bytes(new)
        checksums = [hashlib.sha256(content).hexdigest() for content in (old, new)]
        manifest.write_text(manifest.read_text().replace(*checksums))
    before, files = counts(), stored_files()
    with pytest.raises(InvalidInput):
        import_tenant(folder, "copy", by=WHO)
    assert (counts(), stored_files()) == (before, files)


@pytest.mark.parametrize(
    "line", ['{"a":' * 100_000, '{"_id":{"$oid":"665f1c2ab7e4d2a1c0ffee50"},"a":"' + "x" * 2000 + '"}']
)
def test_a_line_that_no_document_makes_is_refused_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.setattr("tickets.transfer.archive.LONGEST_LINE", 1000 if "oid" in line else 10_000_000)
    (tmp_path / "a.jsonl").write_text(f"{line}\n")
    with pytest.raises(InvalidInput, match="line 1: "):
        list(read_documents(tmp_path / "a.jsonl"))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("users", b'"role":"admin"', b'"role":"operator"'),
        ("attachments", b'{"_id":{"$oid":', b'{"_id":"../../manifest.json","x":{"$oid":'),
    ],
)
def test_an_export_that_somebody_made_up_gives_no_power(
    cast: Cast, tmp_path: Path, name: str, old: bytes, new: bytes
) -> None:
    folder = tmp_path / "one"
    export_tenant(cast.acme, folder, by=WHO)
    make_up(folder, name, old, new)
    before, files = counts(), stored_files()
    with pytest.raises(InvalidInput):
        import_tenant(folder, "copy", by=WHO)
    assert (counts(), stored_files()) == (before, files)


def test_html_is_made_anew(cast: Cast, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    export_tenant(cast.acme, folder, by=WHO)
    make_up(folder, "tickets", b"<em>smokes</em>", b"<script>1</script>")
    make_up(folder, "comments", b"<p>Unplug it</p>", b"<script>1</script>")
    copy = import_tenant(folder, "copy", by=WHO).tenant
    stored = [*get_database()["tickets"].find({"tenant_id": copy.pk}), *get_database()["comments"].find()]
    assert "<script" not in str(stored)


def make_up(folder: Path, name: str, old: bytes, new: bytes) -> None:
    """Changes rows, and their checksum and size with them."""
    path, manifest = folder / f"{name}.jsonl", folder / "manifest.json"
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new))
    told = json.loads(manifest.read_text())
    content = path.read_bytes()
    told["files"][path.name] |= {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    manifest.write_text(json.dumps(told))


def test_a_failed_import_leaves_nothing(cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export_tenant(cast.acme, tmp_path / "one", by=WHO)
    before, files = counts(), stored_files()
    monkeypatch.setattr(restoring, "_count_on", interrupted)
    with pytest.raises(KeyboardInterrupt):
        import_tenant(tmp_path / "one", "copy", by=WHO)
    assert (counts(), stored_files()) == (before, files)


def test_what_a_killed_import_left_is_suspended_and_removed_by_the_next(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_tenant(cast.acme, tmp_path / "one", by=WHO)
    with monkeypatch.context() as killed:
        killed.setattr(restoring, "_count_on", interrupted)
        killed.setattr(restoring, "remove_data", interrupted)
        with pytest.raises(KeyboardInterrupt):
            import_tenant(tmp_path / "one", "copy", by=WHO)
    left = find_tenant("copy")
    assert left
    assert left.status == TenantStatus.SUSPENDED
    restored = import_tenant(tmp_path / "one", "copy", by=WHO)
    assert restored.tenant.is_active
    export_tenant(restored.tenant, tmp_path / "two", by=WHO)
    assert by_natural_keys(tmp_path / "two") == by_natural_keys(tmp_path / "one")
    assert not differences(restored.tenant.pk)
    with pytest.raises(NotEmpty):
        import_tenant(tmp_path / "one", "copy", by=WHO)


def interrupted(*args: Any) -> None:
    raise KeyboardInterrupt


def test_a_tenant_with_data_is_left_alone(cast: Cast, tmp_path: Path) -> None:
    export_tenant(cast.acme, tmp_path / "one", by=WHO)
    before = counts()
    for slug in ("globex", "acme"):
        with pytest.raises(NotEmpty):
            import_tenant(tmp_path / "one", slug, by=WHO)
    assert counts() == before


def test_a_missing_or_changed_file_is_not_exported_silently(cast: Cast, tmp_path: Path) -> None:
    with tenant_scope(cast.acme.pk):
        key = Attachment.objects.get(name="manual.pdf").storage_key
    Path(default_storage.path(key)).write_bytes(b"changed")
    with pytest.raises(FileMissing, match=r"manual\.pdf"):
        export_tenant(cast.acme, tmp_path / "one", by=WHO)
    default_storage.delete(key)
    with pytest.raises(FileMissing, match=r"manual\.pdf"):
        export_tenant(cast.acme, tmp_path / "two", by=WHO)
    with pytest.raises(InvalidInput, match="no complete export"):
        import_tenant(tmp_path / "two", "copy", by=WHO)


def test_the_commands(cast: Cast, tmp_path: Path) -> None:
    output = StringIO()
    get_database()["tenants"].update_one({"_id": cast.acme.pk}, {"$set": {"hosts": ["help.acme.test"]}})
    call_command("export_tenant", "acme", "--to", str(tmp_path / "one"), stdout=output)
    call_command("import_tenant", str(tmp_path / "one"), "--as", "copy", stdout=output)
    lines = output.getvalue().splitlines()
    assert lines[0].endswith(f"2 files in {tmp_path / 'one'}")
    assert lines[1].startswith("copy: ")
    assert lines[1].endswith("2 files, with new ids")
    assert lines[2] == "  the host name help.acme.test belongs to another tenant and was left out"
    for command in (
        ["export_tenant", "nobody", "--to", str(tmp_path / "x")],
        ["export_tenant", "acme", "--to", str(tmp_path / "one")],
        ["import_tenant", str(tmp_path)],
        ["import_tenant", str(tmp_path / "one"), "--as", "Not A Slug"],
    ):
        with pytest.raises(CommandError):
            call_command(*command)
