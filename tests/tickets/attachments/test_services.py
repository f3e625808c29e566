"""Adding files to tickets and reading them: limits, visibility, and what a failure leaves behind (nothing)."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile, UploadedFile

from accounts.actor import Actor
from accounts.roles import Action, Role
from tenants.repository import TenantRepository
from tenants.rules import QuotaExceeded
from tests.cast import Cast, actor_of
from tests.together import run_together
from ticketing.errors import InvalidInput, NotAllowed, NotFound, TicketingError, TooLarge
from ticketing.mongo import ObjectId
from ticketing.mongo.pages import PageRequest
from ticketing.mongo.repository import Document
from tickets.attachments import services
from tickets.attachments.files import FilesUnavailable
from tickets.attachments.lists import page_of_attachments
from tickets.attachments.repository import AttachmentRepository
from tickets.attachments.services import access_attachment, add_attachment, open_file
from tickets.conversation.services import add_comment
from tickets.events.repository import EventRepository
from tickets.repository import TicketRepository
from tickets.rules import TicketClosed
from tickets.services import change_ticket, open_ticket

pytestmark = pytest.mark.django_db

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 24


class BrokenStorage(FileSystemStorage):
    """Dies in the middle of a file, as a full disk does."""

    def _save(self, name: str, content: Any) -> str:
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(next(iter(content.chunks()))[:3])
        raise OSError("no space left on device")


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Path) -> Path:
    """A storage of the test's own; the folder that it keeps its files in."""
    use_storage(settings, "django.core.files.storage.FileSystemStorage", tmp_path)
    return tmp_path


@pytest.fixture
def ticket(cast: Cast) -> Document:
    return open_ticket(actor_of(cast.carla), title="Broken")


def use_storage(settings: Any, backend: str, folder: Path) -> None:
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": backend, "OPTIONS": {"location": folder}}}


def upload(content: bytes = b"hello", name: str = "hello.txt", content_type: str = "text/plain") -> UploadedFile:
    return SimpleUploadedFile(name, content, content_type)


def check_nothing_is_left(files: Path, ticket: Document) -> None:
    assert [path for path in files.rglob("*") if path.is_file()] == []
    assert AttachmentRepository(ticket["tenant_id"]).count({}) == 0
    assert TenantRepository().get(ticket["tenant_id"])["storage_bytes"] == 0
    stored = TicketRepository(ticket["tenant_id"]).get(ticket["_id"])
    assert stored["version"] == ticket["version"]
    assert stored["attachment_count"] == 0


def names_seen_by(actor: Actor, ticket: Document) -> list[str]:
    return [row["name"] for row in page_of_attachments(actor, ticket, PageRequest(10)).rows]


def test_a_file_is_kept_with_what_is_known_about_it(cast: Cast, ticket: Document, files: Path) -> None:
    added = add_attachment(actor_of(cast.carla), ticket["_id"], upload(PNG, "../shot.png", "text/html"))
    assert added["name"] == "shot.png"
    assert (added["size"], added["sha256"]) == (len(PNG), hashlib.sha256(PNG).hexdigest())
    assert (added["content_type"], added["sniffed_type"]) == ("text/html", "image/png")
    assert (added["visibility"], added["uploaded_by_id"]) == ("public", cast.carla.pk)
    assert added["storage_key"].startswith(f"{cast.acme.pk}/")
    assert "shot" not in added["storage_key"]
    found = access_attachment(actor_of(cast.amir), str(added["_id"]))
    with open_file(found) as file:
        assert file.read() == PNG
    assert found == added

    stored = TicketRepository(cast.acme.pk).get(ticket["_id"])
    assert (stored["attachment_count"], stored["internal_attachment_count"]) == (1, 0)
    assert stored["public_version"] == ticket["public_version"] + 1
    assert stored["public_updated_at"] == added["created_at"]
    event = EventRepository(cast.acme.pk).find({"type": "attachment.added"})[0]
    assert event["data"] == {
        "attachment_id": added["_id"],
        "name": "shot.png",
        "size": len(PNG),
        "visibility": "public",
        "comment_id": None,
    }
    assert TenantRepository().get(cast.acme.pk)["storage_bytes"] == len(PNG)


def test_a_large_upload_that_lies_on_disk(cast: Cast, ticket: Document) -> None:
    content = bytes(range(256)) * 5000
    with TemporaryUploadedFile("big.bin", "application/octet-stream", len(content), None) as big:
        big.write(content)
        big.seek(0)
        added = add_attachment(actor_of(cast.carla), ticket["_id"], big)
    assert added["sha256"] == hashlib.sha256(content).hexdigest()
    with open_file(access_attachment(actor_of(cast.carla), added["_id"])) as file:
        assert file.read() == content


def test_the_exact_limit_is_allowed_and_one_byte_more_is_not(
    cast: Cast, ticket: Document, files: Path, settings: Any
) -> None:
    settings.MAX_FILE_BYTES = 1000
    with pytest.raises(TooLarge) as raised:
        add_attachment(actor_of(cast.carla), ticket["_id"], upload(b"x" * 1001))
    assert raised.value.data == {"limit": 1000}
    check_nothing_is_left(files, ticket)
    assert add_attachment(actor_of(cast.carla), ticket["_id"], upload(b"x" * 1000))["size"] == 1000


def test_reading_stops_at_the_limit(cast: Cast, ticket: Document, files: Path, settings: Any) -> None:
    settings.MAX_FILE_BYTES = 1000

    class Endless(SimpleUploadedFile):
        def chunks(self, chunk_size: int | None = None) -> Any:
            while True:
                yield b"x" * 400

    with pytest.raises(TooLarge):
        add_attachment(actor_of(cast.carla), ticket["_id"], Endless("endless", b""))
    check_nothing_is_left(files, ticket)


def test_an_empty_file_is_refused(cast: Cast, ticket: Document, files: Path) -> None:
    with pytest.raises(InvalidInput, match="file: is empty"):
        add_attachment(actor_of(cast.carla), ticket["_id"], upload(b""))
    check_nothing_is_left(files, ticket)


def test_a_storage_that_fails_leaves_nothing(cast: Cast, ticket: Document, files: Path, settings: Any) -> None:
    use_storage(settings, f"{__name__}.BrokenStorage", files)
    with pytest.raises(FilesUnavailable) as failure:
        add_attachment(actor_of(cast.carla), ticket["_id"], upload())
    assert (failure.value.status, failure.value.headers) == (503, {"Retry-After": "30"})
    check_nothing_is_left(files, ticket)


@pytest.mark.parametrize("step", ["store_change", "reserve_storage"])
def test_a_database_that_fails_leaves_nothing(
    cast: Cast, ticket: Document, files: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        assert any(path.is_file() for path in files.rglob("*"))
        raise ConnectionResetError

    monkeypatch.setattr(services, step, fail)
    with pytest.raises(ConnectionResetError):
        add_attachment(actor_of(cast.carla), ticket["_id"], upload())
    check_nothing_is_left(files, ticket)


def test_a_commit_of_unknown_outcome_keeps_the_file(
    cast: Cast, ticket: Document, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def commit_then_lose_the_connection(function: Any) -> Any:
        def run() -> None:
            function()
            raise ConnectionResetError

        return run

    monkeypatch.setattr(services, "transactional", commit_then_lose_the_connection)
    with pytest.raises(ConnectionResetError):
        add_attachment(actor_of(cast.carla), ticket["_id"], upload())
    [row] = AttachmentRepository(cast.acme.pk).find({})
    assert default_storage.exists(row["storage_key"])


def test_a_ticket_closed_during_the_upload(
    cast: Cast, ticket: Document, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = services.store

    def close_meanwhile(key: str, content: Any) -> None:
        store(key, content)
        change_ticket(actor_of(cast.amir), ticket["_id"], {"status": "closed"})

    monkeypatch.setattr(services, "store", close_meanwhile)
    with pytest.raises(TicketClosed):
        add_attachment(actor_of(cast.carla), ticket["_id"], upload())
    assert [path for path in files.rglob("*") if path.is_file()] == []
    assert AttachmentRepository(cast.acme.pk).count({}) == 0


def test_a_closed_ticket_takes_no_file(cast: Cast, ticket: Document, files: Path) -> None:
    closed = change_ticket(actor_of(cast.amir), ticket["_id"], {"status": "closed"})
    with pytest.raises(TicketClosed):
        add_attachment(actor_of(cast.carla), ticket["_id"], upload())
    check_nothing_is_left(files, closed)


def test_the_tenants_quota_is_exact_under_concurrency(cast: Cast, ticket: Document, files: Path) -> None:
    TenantRepository().update_where({"_id": cast.acme.pk}, {"max_storage_mb": 1})
    carla = actor_of(cast.carla)
    size = 300 * 1024
    outcomes = run_together([lambda: add_attachment(carla, ticket["_id"], upload(b"x" * size))] * 5)
    assert sum(isinstance(outcome, QuotaExceeded) for outcome in outcomes) == 2
    assert sum(isinstance(outcome, dict) for outcome in outcomes) == 3
    assert TenantRepository().get(cast.acme.pk)["storage_bytes"] == 3 * size
    assert len([path for path in files.rglob("*") if path.is_file()]) == 3
    stored = TicketRepository(cast.acme.pk).get(ticket["_id"])
    assert (stored["attachment_count"], stored["version"]) == (3, ticket["version"] + 3)


def test_internal_files_do_not_exist_for_customers(cast: Cast, ticket: Document) -> None:
    agent, customer = actor_of(cast.amir), actor_of(cast.carla)
    note = add_comment(agent, ticket["_id"], "Between us", "internal")
    before = TicketRepository(cast.acme.pk).get(ticket["_id"])
    # The visibility is the note's, whatever is asked for.
    hidden = add_attachment(agent, ticket["_id"], upload(name="secret"), comment_id=note["_id"], visibility="public")
    alone = add_attachment(agent, ticket["_id"], upload(name="secret too"), visibility="internal")
    assert hidden["visibility"] == alone["visibility"] == "internal"
    after = TicketRepository(cast.acme.pk).get(ticket["_id"])
    for name in ("public_version", "public_updated_at", "attachment_count"):
        assert after[name] == before[name]
    assert after["internal_attachment_count"] == 2

    shown = add_attachment(agent, ticket["_id"], upload(name="manual"))
    assert names_seen_by(agent, after) == ["secret", "secret too", "manual"]
    assert names_seen_by(customer, after) == ["manual"]
    assert access_attachment(customer, shown["_id"]) == shown
    for invisible in (hidden, alone):
        check_not_found(customer, invisible["_id"])


def test_missing_foreign_and_invisible_look_the_same(cast: Cast, ticket: Document) -> None:
    ours = add_attachment(actor_of(cast.carla), ticket["_id"], upload())
    for actor in (actor_of(cast.gus), actor_of(cast.gina), actor_of(cast.carl)):
        check_not_found(actor, ours["_id"])
    for reference in (ObjectId(), "nonsense", ""):
        check_not_found(actor_of(cast.ada), reference)


def check_not_found(actor: Actor, reference: str | ObjectId) -> None:
    with pytest.raises(NotFound) as raised:
        access_attachment(actor, reference)
    assert raised.value.detail == "The attachment does not exist"


def test_a_lost_file_is_not_found(cast: Cast, ticket: Document) -> None:
    added = add_attachment(actor_of(cast.carla), ticket["_id"], upload())
    default_storage.delete(added["storage_key"])
    with pytest.raises(NotFound, match="file is missing"):
        open_file(access_attachment(actor_of(cast.carla), added["_id"]))


def test_files_on_comments(cast: Cast, ticket: Document) -> None:
    customer, agent = actor_of(cast.carla), actor_of(cast.amir)
    own = add_comment(customer, ticket["_id"], "See the picture")
    answer = add_comment(agent, ticket["_id"], "See the manual")
    elsewhere = add_comment(customer, open_ticket(customer, title="Another")["_id"], "Other")
    note = add_comment(agent, ticket["_id"], "Between us", "internal")
    assert add_attachment(customer, ticket["_id"], upload(), comment_id=own["_id"])["comment_id"] == own["_id"]
    with pytest.raises(NotAllowed):
        add_attachment(customer, ticket["_id"], upload(), comment_id=answer["_id"])
    for comment_id in (elsewhere["_id"], note["_id"], ObjectId(), "nonsense"):
        with pytest.raises(NotFound, match="The comment does not exist"):
            add_attachment(customer, ticket["_id"], upload(), comment_id=comment_id)
    assert AttachmentRepository(cast.acme.pk).count({}) == 1


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("visibility", ["public", "internal"])
def test_who_may_add(cast: Cast, ticket: Document, files: Path, role: Role, visibility: str) -> None:
    actor = Actor(cast.carla, cast.acme, role, actor_of(cast.carla).via)
    needed = {Action.ATTACHMENTS_ADD} | ({Action.COMMENTS_ADD_INTERNAL} if visibility == "internal" else set())
    if all(actor.can(action) for action in needed):
        assert add_attachment(actor, ticket["_id"], upload(), visibility=visibility)["visibility"] == visibility
    else:
        with pytest.raises(NotAllowed):
            add_attachment(actor, ticket["_id"], upload(), visibility=visibility)
        check_nothing_is_left(files, ticket)


@pytest.mark.parametrize("scopes", [set(), {"tickets:admin"}, {"attachments:read"}])
def test_a_key_needs_the_scope(cast: Cast, ticket: Document, scopes: set[str]) -> None:
    added = add_attachment(actor_of(cast.amir), ticket["_id"], upload())
    person = actor_of(cast.amir)
    key = Actor(person.user, person.tenant, person.role, person.via, frozenset(scopes | {"tickets:read"}), "key")
    with pytest.raises(NotAllowed):
        add_attachment(key, ticket["_id"], upload())
    if "attachments:read" in scopes:
        assert access_attachment(key, added["_id"]) == added
    else:
        with pytest.raises(NotAllowed):
            access_attachment(key, added["_id"])


def test_somebody_elses_ticket(cast: Cast, ticket: Document, files: Path) -> None:
    for stranger in (cast.carl, cast.greta, cast.gus):
        with pytest.raises(NotFound):
            add_attachment(actor_of(stranger), ticket["_id"], upload())
    with pytest.raises(TicketingError):
        add_attachment(actor_of(cast.carla), ticket["_id"], upload(), visibility="secret")
    check_nothing_is_left(files, ticket)
