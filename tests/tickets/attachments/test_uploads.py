"""Files sent to an address of their own: to a bucket or to us, the outcome is the same, and failures leave nothing."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

import pytest
from django.core.files.storage import default_storage

from tenants.repository import TenantRepository
from tenants.rules import QuotaExceeded
from tests.cast import Cast, actor_of
from tests.together import run_together
from ticketing import clock
from ticketing.errors import InvalidInput, NotAllowed, NotFound, TicketingError, TooLarge
from ticketing.mongo import ObjectId
from ticketing.mongo.client import transactional
from ticketing.mongo.repository import Document
from tickets.attachments import services
from tickets.attachments.bucket import Bucket
from tickets.attachments.files import find_bucket
from tickets.attachments.repository import AttachmentRepository, UploadRepository
from tickets.attachments.services import find_download_url, open_file
from tickets.attachments.uploads import (
    announce_upload,
    complete_upload,
    find_bucket_address,
    receive_upload,
    sign_upload,
)
from tickets.conversation.services import add_comment
from tickets.events.repository import EventRepository
from tickets.repository import TicketRepository
from tickets.rules import TicketClosed
from tickets.services import change_ticket, open_ticket

pytestmark = pytest.mark.django_db

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 400
ROOT = Path(__file__).parents[3]
SHA256 = hashlib.sha256(PNG).hexdigest()


@pytest.fixture(params=["disk", "bucket"])
def place(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The tests run with files on disk, and with files in a bucket."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def ticket(cast: Cast) -> Document:
    return open_ticket(actor_of(cast.carla), title="Broken")


def keys(place: Any) -> set[str]:
    """Everything that is stored."""
    if isinstance(place, Path):
        return {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()}
    return {each.key for each in place.objects.all()}


def announce(cast: Cast, ticket: Document, content: bytes = PNG, **values: Any) -> Document:
    wanted = {"name": "../shot.png", "size": len(content), "content_type": "image/png", **values}
    return announce_upload(actor_of(cast.carla), ticket["_id"], **wanted)


def send(upload: Document, content: bytes = PNG, content_type: str = "image/png") -> None:
    """As a client does: over HTTP to a bucket, and by the token in the address to us."""
    address = find_bucket_address(upload)
    if address is None:
        token, size = sign_upload(upload), len(content)
        receive_upload(str(upload["_id"]), token, [content], size=size, content_type=content_type)
        return
    url, headers = address
    with urlopen(Request(url, content, {**headers, "Content-Type": content_type}, method="PUT")) as response:
        assert response.status == 200


def complete(cast: Cast, ticket: Document, upload: Document) -> Document:
    return complete_upload(actor_of(cast.carla), ticket["_id"], upload["_id"])


def check_nothing_is_attached(ticket: Document) -> None:
    assert AttachmentRepository(ticket["tenant_id"]).count({}) == 0
    assert TenantRepository().get(ticket["tenant_id"])["storage_bytes"] == 0
    assert TicketRepository(ticket["tenant_id"]).get(ticket["_id"]) == ticket


@pytest.mark.parametrize("announced", ["", SHA256, SHA256.upper()])
def test_a_file_is_announced_sent_and_attached(cast: Cast, ticket: Document, place: Any, announced: str) -> None:
    upload = announce(cast, ticket, sha256=announced)
    assert upload["expires_at"] == upload["created_at"] + timedelta(minutes=60)
    send(upload)
    check_nothing_is_attached(ticket)

    added = complete(cast, ticket, upload)
    assert (added["name"], added["size"], added["sha256"]) == ("shot.png", len(PNG), SHA256)
    assert (added["content_type"], added["sniffed_type"]) == ("image/png", "image/png")
    assert (added["ticket_id"], added["uploaded_by_id"]) == (ticket["_id"], cast.carla.pk)
    assert added["storage_key"].startswith(f"{cast.acme.pk}/")
    with open_file(added) as file:
        assert file.read() == PNG
    assert TicketRepository(cast.acme.pk).get(ticket["_id"])["attachment_count"] == 1
    assert TenantRepository().get(cast.acme.pk)["storage_bytes"] == len(PNG)
    [event] = EventRepository(cast.acme.pk).find({"type": "attachment.added"})
    assert event["data"]["attachment_id"] == added["_id"]


def test_completing_again_gives_the_same_attachment(cast: Cast, ticket: Document, place: Any) -> None:
    upload = announce(cast, ticket)
    send(upload)
    assert complete(cast, ticket, upload) == complete(cast, ticket, upload)
    assert AttachmentRepository(cast.acme.pk).count({}) == 1
    assert TenantRepository().get(cast.acme.pk)["storage_bytes"] == len(PNG)


def test_of_completions_at_once_one_attaches(cast: Cast, ticket: Document, place: Any) -> None:
    upload = announce(cast, ticket)
    send(upload)
    answers = run_together([lambda: complete(cast, ticket, upload)] * 4)
    [row] = AttachmentRepository(cast.acme.pk).find({})
    assert answers == [row] * 4
    assert keys(place) == {row["storage_key"], upload["storage_key"]}
    assert TenantRepository().get(cast.acme.pk)["storage_bytes"] == len(PNG)
    assert TicketRepository(cast.acme.pk).get(ticket["_id"])["attachment_count"] == 1


def test_a_completion_within_a_transaction_is_one_of_them(cast: Cast, ticket: Document, place: Any) -> None:
    """As with an Idempotency-Key."""
    upload = announce(cast, ticket)
    send(upload)
    answers = run_together([transactional(lambda: complete(cast, ticket, upload))] * 3)
    assert answers == AttachmentRepository(cast.acme.pk).find({}) * 3
    assert len(answers) == 3


def test_what_is_sent_afterwards_changes_no_attachment(cast: Cast, ticket: Document, place: Any) -> None:
    upload = announce(cast, ticket)
    send(upload)
    added = complete(cast, ticket, upload)
    other = bytes(reversed(PNG))
    if isinstance(place, Path):
        with pytest.raises(NotFound):
            send(upload, other)
    else:
        send(upload, other)
        assert complete(cast, ticket, upload) == added
    with open_file(added) as file:
        assert file.read() == PNG


def test_sending_again_replaces_what_was_sent(cast: Cast, ticket: Document, place: Any) -> None:
    upload = announce(cast, ticket, sha256=SHA256)
    send(upload, bytes(reversed(PNG)))
    send(upload)
    assert complete(cast, ticket, upload)["sha256"] == SHA256


def test_nothing_was_sent(cast: Cast, ticket: Document, place: Any) -> None:
    upload = announce(cast, ticket)
    with pytest.raises(InvalidInput) as raised:
        complete(cast, ticket, upload)
    assert [(error.field, error.code) for error in raised.value.errors] == [("upload_id", "not_sent")]
    send(upload)
    assert complete(cast, ticket, upload)["size"] == len(PNG)


def test_other_bytes_than_announced_are_refused_and_removed(cast: Cast, ticket: Document, place: Any) -> None:
    upload = announce(cast, ticket, sha256=SHA256)
    send(upload, bytes(reversed(PNG)))
    with pytest.raises(InvalidInput) as raised:
        complete(cast, ticket, upload)
    assert [error.field for error in raised.value.errors] == ["sha256"]
    assert keys(place) == set()
    check_nothing_is_attached(ticket)
    send(upload)  # the right ones may still come
    assert complete(cast, ticket, upload)["sha256"] == SHA256


@pytest.mark.parametrize(
    ("content", "content_type", "field"),
    [
        (PNG + b"1", "image/png", "size"),
        (PNG[:-1], "image/png", "size"),
        (b"", "image/png", "size"),
        (PNG, "text/html", "content_type"),
    ],
)
def test_a_bucket_that_took_the_wrong_thing(
    cast: Cast, ticket: Document, bucket: Any, content: bytes, content_type: str, field: str
) -> None:
    """S3 itself refuses what the signature does not name; the stand-in does not."""
    upload = announce(cast, ticket)
    send(upload, content, content_type)
    assert keys(bucket) == {upload["storage_key"]}
    with pytest.raises(InvalidInput) as raised:
        complete(cast, ticket, upload)
    assert [error.field for error in raised.value.errors] == [field]
    assert keys(bucket) == set()
    check_nothing_is_attached(ticket)


@pytest.mark.parametrize(
    ("size", "content_type", "chunks", "field"),
    [
        (len(PNG) + 1, "image/png", [PNG, b"1"], "size"),
        (len(PNG), "text/html", [PNG], "content_type"),
        (len(PNG), "image/png", [PNG[:100]], "size"),
        (len(PNG), "image/png", [PNG, b"1"], "size"),
        (0, "", [], "size"),
    ],
)
def test_our_own_address_takes_the_announced_bytes_only(
    cast: Cast, ticket: Document, disk: Path, size: int, content_type: str, chunks: list[bytes], field: str
) -> None:
    upload = announce(cast, ticket)
    with pytest.raises(InvalidInput) as raised:
        receive_upload(str(upload["_id"]), sign_upload(upload), chunks, size=size, content_type=content_type)
    assert [error.field for error in raised.value.errors] == [field]
    assert keys(disk) == set()


def test_a_connection_that_breaks_leaves_nothing(cast: Cast, ticket: Document, disk: Path) -> None:
    upload = announce(cast, ticket)

    def broken() -> Iterator[bytes]:
        yield PNG[:100]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        receive_upload(str(upload["_id"]), sign_upload(upload), broken(), size=len(PNG), content_type="image/png")
    assert keys(disk) == set()


def test_our_own_address_needs_its_token(cast: Cast, ticket: Document, disk: Path, settings: Any) -> None:
    upload, other = announce(cast, ticket), announce(cast, ticket)

    def put(token: str) -> None:
        receive_upload(str(upload["_id"]), token, [PNG], size=len(PNG), content_type="image/png")

    for token in ("", "nonsense", sign_upload(other), sign_upload(upload) + "1"):
        with pytest.raises(NotAllowed):
            put(token)
    UploadRepository(cast.acme.pk).update_where({"_id": upload["_id"]}, {"expires_at": clock.now()})
    with pytest.raises(NotFound):
        put(sign_upload(upload))
    settings.UPLOAD_MINUTES = -1
    with pytest.raises(NotAllowed, match="expired"):
        put(sign_upload(upload))


def test_a_bucket_takes_the_bytes_itself(cast: Cast, ticket: Document, bucket: Any) -> None:
    upload = announce(cast, ticket)
    with pytest.raises(NotFound):
        receive_upload(str(upload["_id"]), sign_upload(upload), [PNG], size=len(PNG), content_type="image/png")


@pytest.mark.parametrize(
    ("values", "error", "field"),
    [
        ({"size": 0}, InvalidInput, "size"),
        ({"size": 100 * 2**20 + 1}, TooLarge, "size"),
        ({"content_type": "image"}, InvalidInput, "content_type"),
        ({"content_type": "image/png\r\nx: y"}, InvalidInput, "content_type"),
        ({"visibility": "secret"}, InvalidInput, "visibility"),
    ],
)
def test_what_cannot_be_announced(
    cast: Cast, ticket: Document, disk: Path, values: Document, error: type[TicketingError], field: str
) -> None:
    with pytest.raises(error) as raised:
        announce(cast, ticket, **values)
    assert [each.field for each in raised.value.errors] == [field]
    assert UploadRepository(cast.acme.pk).count({}) == 0


def test_types_are_kept_without_parameters(cast: Cast, ticket: Document, disk: Path) -> None:
    upload = announce(cast, ticket, b"text", content_type="Text/Plain; charset=utf-8")
    send(upload, b"text", "text/plain; charset=utf-8")
    added = complete(cast, ticket, upload)
    assert (added["content_type"], added["sniffed_type"]) == ("text/plain", "text/plain")


def test_uploads_are_their_announcers_only(cast: Cast, ticket: Document, disk: Path) -> None:
    upload = announce(cast, ticket)
    send(upload)
    other = open_ticket(actor_of(cast.carla), title="Another")
    for user, reference, id_ in (
        (cast.amir, ticket["_id"], upload["_id"]),
        (cast.carl, ticket["_id"], upload["_id"]),
        (cast.gus, ticket["_id"], upload["_id"]),
        (cast.carla, other["_id"], upload["_id"]),
        (cast.carla, ticket["_id"], ObjectId()),
    ):
        with pytest.raises(NotFound):
            complete_upload(actor_of(user), reference, id_)
    check_nothing_is_attached(ticket)


def test_expired_uploads_are_not_there_any_more(cast: Cast, ticket: Document, disk: Path) -> None:
    upload = announce(cast, ticket)
    send(upload)
    UploadRepository(cast.acme.pk).update_where({"_id": upload["_id"]}, {"expires_at": clock.now()})
    with pytest.raises(NotFound, match="expired"):
        complete(cast, ticket, upload)


def test_a_comments_file_is_seen_as_the_comment(cast: Cast, ticket: Document, disk: Path) -> None:
    amir = actor_of(cast.amir)
    note = add_comment(amir, ticket["_id"], "Between us", "internal")
    upload = announce_upload(
        amir, ticket["_id"], name="a.png", size=len(PNG), content_type="image/png", comment_id=note["_id"]
    )
    send(upload)
    added = complete_upload(amir, ticket["_id"], upload["_id"])
    assert (added["comment_id"], added["visibility"]) == (note["_id"], "internal")
    with pytest.raises(NotFound, match="The comment does not exist"):
        announce(cast, ticket, comment_id=note["_id"])
    with pytest.raises(NotAllowed):
        announce(cast, ticket, visibility="internal")


def test_the_quota_counts_what_is_announced_and_what_is_attached(cast: Cast, ticket: Document, disk: Path) -> None:
    TenantRepository().update_where({"_id": cast.acme.pk}, {"max_storage_mb": 1})
    half = 2**19
    first, _ = announce(cast, ticket, size=half), announce(cast, ticket, size=half)
    with pytest.raises(QuotaExceeded):
        announce(cast, ticket, size=1)
    send(first, b"x" * half)
    TenantRepository().add_storage(cast.acme.pk, half + 1)  # meanwhile by a form
    with pytest.raises(QuotaExceeded):
        complete(cast, ticket, first)
    assert AttachmentRepository(cast.acme.pk).count({}) == 0
    assert keys(disk) == {first["storage_key"]}


def test_a_ticket_that_was_closed_meanwhile(cast: Cast, ticket: Document, disk: Path) -> None:
    upload = announce(cast, ticket)
    send(upload)
    change_ticket(actor_of(cast.amir), ticket["_id"], {"status": "closed"})
    with pytest.raises(TicketClosed):
        complete(cast, ticket, upload)
    with pytest.raises(TicketClosed):
        announce(cast, ticket)
    assert keys(disk) == {upload["storage_key"]}


@pytest.mark.parametrize("step", ["check_addition", "store_change", "reserve_storage"])
def test_a_crash_between_the_steps_leaves_the_upload_as_it_was(
    cast: Cast, ticket: Document, place: Any, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    upload = announce(cast, ticket)
    send(upload)

    def crash(*_: Any, **__: Any) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patch:
        patch.setattr(services, step, crash)
        with pytest.raises(ConnectionResetError):
            complete(cast, ticket, upload)
    assert keys(place) == {upload["storage_key"]}
    check_nothing_is_attached(ticket)
    assert complete(cast, ticket, upload)["sha256"] == SHA256


def test_another_file_that_arrives_while_the_first_is_copied(
    cast: Cast, ticket: Document, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is copied is what was looked at, or nothing; the stand-in does not compare, so the copy itself tells."""
    upload = announce(cast, ticket, sha256=SHA256)
    send(upload)
    described: Callable[..., Any] = Bucket.describe

    def describe(self: Bucket, key: str) -> Any:
        found = described(self, key)
        send(upload, bytes(reversed(PNG)))
        return found

    monkeypatch.setattr(Bucket, "describe", describe)
    with pytest.raises(InvalidInput) as raised:
        complete(cast, ticket, upload)
    assert {error.field for error in raised.value.errors} <= {"sha256", "upload_id"}
    check_nothing_is_attached(ticket)


def test_a_download_from_a_bucket_goes_there(cast: Cast, ticket: Document, bucket: Any) -> None:
    upload = announce(cast, ticket, name="Überblick.png")
    send(upload)
    added = complete(cast, ticket, upload)
    url = find_download_url(added)
    assert url is not None
    with urlopen(url) as response:
        assert response.read() == PNG
        assert response.headers["Content-Type"] == "application/octet-stream"
        disposition = response.headers["Content-Disposition"]
    assert disposition == "attachment; filename*=utf-8''%C3%9Cberblick.png"
    head = find_download_url(added, "HEAD")
    assert head is not None
    with urlopen(Request(head, method="HEAD")) as response:
        assert response.headers["Content-Length"] == str(len(PNG))
    default_storage.delete(added["storage_key"])
    with pytest.raises(HTTPError):
        urlopen(url)


def test_the_signature_binds_everything(settings: Any, bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    settings.STORAGES = dict(settings.STORAGES)  # a new storage, of Amazon's
    storage = find_bucket()
    assert storage is not None
    url, headers = storage.presigned_put("a/b", size=5, content_type="text/plain", sha256="00" * 32, seconds=60)
    parts, query = urlsplit(url), parse_qs(urlsplit(url).query)
    assert parts.hostname == "attachments-of-a-test.s3.eu-central-1.amazonaws.com"  # the global name redirects
    assert query["X-Amz-SignedHeaders"] == ["content-length;content-type;host;x-amz-checksum-sha256"]
    assert query["X-Amz-Expires"] == ["60"]
    assert headers == {"Content-Type": "text/plain", "x-amz-checksum-sha256": "A" * 43 + "="}
    url, headers = storage.presigned_put("a/b", size=5, content_type="text/plain", sha256="", seconds=60)
    assert parse_qs(urlsplit(url).query)["X-Amz-SignedHeaders"] == ["content-length;content-type;host"]
    assert headers == {"Content-Type": "text/plain"}


def test_what_speaks_to_a_bucket_is_imported_when_it_is_needed() -> None:
    loaded = "import django, sys; django.setup(); import tickets.api.urls, tickets.jobs; print(*sys.modules)"
    environment = {**os.environ, "ATTACHMENTS_BUCKET": "files", "DJANGO_SETTINGS_MODULE": "ticketing.settings"}
    command = [sys.executable, "-c", loaded]
    modules = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "tickets.attachments.uploads" in modules
    assert not {"boto3", "botocore", "storages"} & set(modules)


def test_one_client_for_the_process(bucket: Any) -> None:
    storage = find_bucket()
    assert storage is not None
    assert "connection" not in vars(storage), "made before it was needed"
    first, *others = run_together([lambda: storage.client] * 4)
    assert all(each is first for each in others)
    config = storage.client.meta.config
    assert (config.connect_timeout, config.read_timeout) == (3, 30)
    assert config.retries["total_max_attempts"] == 3
