"""What tidies up: expired uploads and orphan files go, whatever happens at the same moment, and nothing else does."""

import os
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.cast import Cast, actor_of
from tests.profile import profiled, reads, table_scans
from tests.together import run_together
from ticketing import clock
from ticketing.errors import InvalidInput, NotFound
from ticketing.jobs import Run
from ticketing.jobs.registry import known_jobs
from ticketing.mongo.repository import Document
from tickets.attachments import expiring, sweeping, uploads
from tickets.attachments.expiring import GRACE, expire_uploads
from tickets.attachments.files import new_incoming_key, new_key
from tickets.attachments.jobs import expire, sweep
from tickets.attachments.repository import AttachmentRepository, UploadRepository
from tickets.attachments.services import add_attachment
from tickets.attachments.sweeping import sweep_all
from tickets.attachments.uploads import announce_upload, complete_upload, receive_upload, sign_upload
from tickets.services import open_ticket

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk")]

AT_ONCE = timedelta(0)


@pytest.fixture
def ticket(cast: Cast) -> Document:
    return open_ticket(actor_of(cast.carla), title="Broken")


def sent(cast: Cast, ticket: Document, *, expires_at: datetime | None = None) -> Document:
    """An upload that has arrived."""
    owner = cast.carla if ticket["tenant_id"] == cast.acme.pk else cast.greta
    upload = announce_upload(actor_of(owner), ticket["_id"], name="a.txt", size=5, content_type="text/plain")
    receive_upload(str(upload["_id"]), sign_upload(upload), [b"hello"], size=5, content_type="text/plain")
    if expires_at:
        UploadRepository(upload["tenant_id"]).update_where({"_id": upload["_id"]}, {"expires_at": expires_at})
    return upload


def orphan(key: str, folder: Path, *, hours: float) -> str:
    default_storage.save(key, ContentFile(b"nobody's"))
    then = time.time() - hours * 3600
    os.utime(folder / key, (then, then))
    return key


def exist(*keys: str) -> list[bool]:
    return [default_storage.exists(key) for key in keys]


def test_the_jobs_are_known() -> None:
    assert {"uploads.expire", "attachments.sweep"} <= known_jobs().keys()


def test_expired_uploads_of_all_tenants_go_with_their_bytes(
    cast: Cast, ticket: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiring, "BATCH", 2)
    long_ago = clock.now() - GRACE
    theirs = open_ticket(actor_of(cast.greta), title="Broken")
    gone = [sent(cast, each, expires_at=long_ago) for each in (ticket, ticket, theirs)]
    lost = sent(cast, ticket, expires_at=long_ago)
    default_storage.delete(lost["storage_key"])
    kept = [sent(cast, ticket), sent(cast, ticket, expires_at=clock.now())]

    run = Run("uploads.expire")
    expire(run)
    assert run.notes == {"removed": 4}
    assert exist(*(row["storage_key"] for row in gone)) == [False] * 3
    assert exist(*(row["storage_key"] for row in kept)) == [True] * 2
    assert [row["_id"] for row in UploadRepository(cast.acme.pk).find({}, sort=[("_id", 1)])] == [
        row["_id"] for row in kept
    ]
    assert UploadRepository(cast.globex.pk).count({}) == 0
    expire(run)
    assert UploadRepository(cast.acme.pk).count({}) == 2


def test_expiring_an_attached_upload_leaves_the_attachment(cast: Cast, ticket: Document) -> None:
    upload = sent(cast, ticket)
    added = complete_upload(actor_of(cast.carla), ticket["_id"], upload["_id"])
    UploadRepository(cast.acme.pk).update_where({"_id": upload["_id"]}, {"expires_at": clock.now() - GRACE})
    assert expire_uploads() == 1
    assert exist(upload["storage_key"], added["storage_key"]) == [False, True]


def test_a_crash_before_the_row_is_removed_is_made_good_by_the_next_run(
    cast: Cast, ticket: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(cast, ticket, expires_at=clock.now() - GRACE)

    def crash(*_: Any) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patch:
        patch.setattr(UploadRepository, "delete", crash)
        with pytest.raises(ConnectionResetError):
            expire_uploads()
    assert expire_uploads() == 1
    assert UploadRepository(cast.acme.pk).count({}) == 0


def test_uploads_are_found_by_indexes(cast: Cast, ticket: Document) -> None:
    sent(cast, ticket, expires_at=clock.now() - GRACE)
    with profiled() as entries:
        sent(cast, ticket)
        expire_uploads()
        list(sweep_all(older_than=AT_ONCE))
    assert len(reads(entries, "uploads")) >= 4
    assert not table_scans([entry for entry in entries if not entry["ns"].endswith(".tenants")])


@pytest.mark.parametrize("step", ["take_over", "record_attachment"])
def test_an_upload_that_is_removed_while_it_is_completed(
    cast: Cast, ticket: Document, monkeypatch: pytest.MonkeyPatch, step: str, disk: Path
) -> None:
    """Right before its bytes are copied, and right after: either way nothing is attached and nothing is left."""
    upload = sent(cast, ticket)
    really = getattr(uploads, step)

    def remove_and_go_on(*arguments: Any, **named: Any) -> Any:
        assert expire_uploads(grace=-timedelta(days=1)) == 1
        return really(*arguments, **named)

    monkeypatch.setattr(uploads, step, remove_and_go_on)
    with pytest.raises((InvalidInput, NotFound)):
        complete_upload(actor_of(cast.carla), ticket["_id"], upload["_id"])
    assert [path for path in disk.rglob("*") if path.is_file()] == []
    assert AttachmentRepository(cast.acme.pk).count({}) == 0


def test_expiring_and_completing_at_once(cast: Cast, ticket: Document, disk: Path) -> None:
    """There is an attachment with its file, or there is nothing, and never an answer that tells otherwise."""
    carla = actor_of(cast.carla)
    for _ in range(6):
        upload = sent(cast, ticket)
        answer, *_ = run_together(
            [
                lambda id_=upload["_id"]: complete_upload(carla, ticket["_id"], id_),  # type: ignore[misc]
                lambda: expire_uploads(grace=-timedelta(days=1)),
                lambda: [swept.orphans for swept in sweep_all(older_than=timedelta(hours=1))],
            ]
        )
        expire_uploads(grace=-timedelta(days=1))
        assert isinstance(answer, dict | NotFound | InvalidInput), answer
    kept = {str(disk / row["storage_key"]) for row in AttachmentRepository(cast.acme.pk).find({})}
    assert {str(path) for path in disk.rglob("*") if path.is_file()} == kept


def test_the_sweep_removes_old_files_without_a_row(cast: Cast, ticket: Document, disk: Path) -> None:
    carla = actor_of(cast.carla)
    kept = [
        add_attachment(carla, ticket["_id"], SimpleUploadedFile("a.txt", b"hello"))["storage_key"],
        sent(cast, ticket)["storage_key"],
        orphan(new_key(cast.acme.pk), disk, hours=23),
        orphan(new_incoming_key(cast.acme.pk), disk, hours=23),
    ]
    for key in kept[:2]:
        os.utime(disk / key, (0, 0))
    old = [
        orphan(make(tenant.pk), disk, hours=25)
        for make in (new_key, new_incoming_key)
        for tenant in (cast.acme, cast.globex)
    ]
    run = Run("attachments.sweep")
    sweep(run)
    assert run.notes == {"removed": 4}
    assert exist(*old) == [False] * 4
    assert exist(*kept) == [True] * 4


def test_an_interrupted_sweep_goes_on_where_it_was(cast: Cast, disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "BATCH", 2)
    keys = sorted(
        orphan(make(tenant.pk), disk, hours=25)
        for make in (new_key, new_incoming_key)
        for tenant in (cast.acme, cast.globex)
        for _ in range(3)
    )
    position, runs = None, 0
    while any(exist(*keys)):
        run = Run("attachments.sweep", position=position, stop=lambda: True)
        sweep(run)
        position, runs = run.position, runs + 1
        assert run.was_interrupted
    assert runs == 8  # two batches in each of four folders
    assert position == keys[-1]


def test_a_file_that_vanishes_while_it_is_swept(cast: Cast, disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [orphan(new_key(cast.acme.pk), disk, hours=25) for _ in range(2)]
    listed = default_storage.listdir(str(cast.acme.pk))
    (disk / keys[0]).unlink()
    monkeypatch.setattr(FileSystemStorage, "listdir", lambda *_: listed)
    assert [key for swept in sweep_all(older_than=AT_ONCE) for key in swept.orphans] == [keys[1]]
