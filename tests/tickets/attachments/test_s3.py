"""Attachments in an S3 bucket, as ATTACHMENTS_BUCKET configures it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from moto import mock_aws

from tests.aws import keep_files_in, new_bucket, use_aws
from tests.cast import Cast, actor_of
from ticketing.errors import NotFound, TooLarge
from tickets.attachments import services, sweeping
from tickets.attachments.files import FilesUnavailable, new_key
from tickets.attachments.repository import AttachmentRepository
from tickets.attachments.services import access_attachment, add_attachment, open_file
from tickets.attachments.sweeping import find_missing_files, sweep_files
from tickets.services import open_ticket

pytestmark = pytest.mark.django_db

BUCKET = "attachments-of-a-test"
NOW = timedelta(hours=-1)  # "older than an hour from now": everything


@pytest.fixture(autouse=True)
def bucket(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    use_aws(monkeypatch)
    with mock_aws():
        bucket = new_bucket(BUCKET)
        keep_files_in(settings, BUCKET)
        yield bucket


def keys(bucket: Any) -> list[str]:
    return [item.key for item in bucket.objects.all()]


def test_a_file_goes_up_and_comes_back(cast: Cast, bucket: Any) -> None:
    carla = actor_of(cast.carla)
    content = bytes(range(256)) * 4000
    ticket = open_ticket(carla, title="Broken")
    added = add_attachment(carla, ticket["_id"], SimpleUploadedFile("big.bin", content))
    assert keys(bucket) == [added["storage_key"]]
    with open_file(access_attachment(carla, added["_id"])) as file:
        assert file.read() == content
    default_storage.delete(added["storage_key"])
    assert keys(bucket) == []
    with pytest.raises(NotFound, match="file is missing"):
        open_file(added)


def test_a_bucket_that_is_not_there_is_no_fault_of_the_sender(cast: Cast, bucket: Any) -> None:
    carla = actor_of(cast.carla)
    ticket = open_ticket(carla, title="Broken")
    bucket.delete()
    with pytest.raises(FilesUnavailable):
        add_attachment(carla, ticket["_id"], SimpleUploadedFile("a.txt", b"x"))
    assert AttachmentRepository(cast.acme.pk).count({}) == 0


def test_failures_leave_nothing_in_the_bucket(
    cast: Cast, bucket: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    carla = actor_of(cast.carla)
    ticket = open_ticket(carla, title="Broken")
    settings.MAX_FILE_BYTES = 10
    with pytest.raises(TooLarge):
        add_attachment(carla, ticket["_id"], SimpleUploadedFile("a.txt", b"x" * 11))

    def fail(*_: Any) -> None:
        assert len(keys(bucket)) == 1
        raise ConnectionResetError

    monkeypatch.setattr(services, "reserve_storage", fail)
    with pytest.raises(ConnectionResetError):
        add_attachment(carla, ticket["_id"], SimpleUploadedFile("a.txt", b"x"))
    assert keys(bucket) == []


def test_the_sweep_works_on_a_bucket(cast: Cast, bucket: Any) -> None:
    carla = actor_of(cast.carla)
    added = add_attachment(carla, open_ticket(carla, title="Broken")["_id"], SimpleUploadedFile("a.txt", b"x"))
    orphan = default_storage.save(new_key(cast.acme.pk), ContentFile(b"nobody's"))
    theirs = default_storage.save(new_key(cast.globex.pk), ContentFile(b"theirs"))
    assert sweep_files(cast.acme.pk, older_than=NOW) == [orphan]
    assert find_missing_files(cast.acme.pk) == []
    assert set(keys(bucket)) == {added["storage_key"], theirs}


def test_the_sweep_of_a_bucket_goes_on_where_it_was(cast: Cast, bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "BATCH", 2)
    orphans = sorted(default_storage.save(new_key(cast.acme.pk), ContentFile(b"nobody's")) for _ in range(3))
    first = next(sweeping.sweep_all(older_than=NOW))
    assert (first.orphans, first.last) == (orphans[:2], orphans[1])
    kept = [default_storage.save(f"{cast.acme.pk}/{name}", ContentFile(b"kept")) for name in ("0", "z/another's")]
    assert [swept.orphans for swept in sweeping.sweep_all(older_than=NOW, after=first.last)] == [orphans[2:]]
    assert keys(bucket) == kept
