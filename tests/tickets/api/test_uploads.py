"""Large files over HTTP: announced, sent to the address of the answer by anybody who has it, attached, downloaded."""

import hashlib
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from rest_framework.test import APIClient

from tests.aws import use_aws
from tests.cast import Cast, api
from ticketing import clock
from ticketing.api.serializers import find_time
from ticketing.mongo import ObjectId
from tickets.attachments.bucket import Bucket
from tickets.attachments.repository import UploadRepository

pytestmark = pytest.mark.django_db

TICKET = "/api/v1/tickets/1"
UPLOADS, FILES = f"{TICKET}/uploads", f"{TICKET}/attachments"
CONTENT = b"\x1f\x8b\x08" + bytes(range(256)) * 5000
WANTED = {"name": "core.gz", "size": len(CONTENT), "content_type": "application/gzip"}
Row = dict[str, Any]


def announce(client: APIClient, **values: Any) -> Row:
    response = client.post(UPLOADS, {**WANTED, **values})
    assert response.status_code == 201, response.content
    return dict(response.json())


def send(upload: Row, content: bytes = CONTENT, **changes: str) -> Any:
    """Without signing in, as a bucket would be asked."""
    headers = {**upload["headers"], **changes}
    parts = urlsplit(upload["url"])
    return APIClient().put(
        f"{parts.path}?{parts.query}", content, content_type=headers["Content-Type"], QUERY_STRING=parts.query
    )


def complete(client: APIClient, upload: Row, **headers: str) -> Any:
    return client.post(FILES, {"upload_id": upload["id"]}, **headers)


def test_a_large_file_is_announced_sent_attached_and_downloaded(carla: APIClient, opened: Row, settings: Any) -> None:
    settings.MAX_FILE_BYTES = 1024  # of forms
    upload = announce(carla, sha256=hashlib.sha256(CONTENT).hexdigest())
    assert upload.keys() == {"id", "method", "url", "headers", "expires_at"}
    assert (upload["method"], upload["headers"]) == ("PUT", {"Content-Type": "application/gzip"})
    assert upload["url"].startswith("http://testserver/api/v1/uploads/")
    expires_at = find_time(upload["expires_at"])
    assert expires_at
    assert timedelta(minutes=59) < expires_at - clock.now() <= timedelta(minutes=60)
    assert carla.get(FILES).json()["data"] == []

    assert send(upload).status_code == 200
    response = complete(carla, upload)
    attachment = response.json()
    assert (response.status_code, response["Location"]) == (201, attachment["url"])
    assert attachment | WANTED == attachment
    assert attachment["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert carla.get(FILES).json()["data"] == [attachment]
    again = complete(carla, upload)
    assert (again.status_code, again.json()) == (201, attachment)
    assert b"".join(carla.get(attachment["url"]).streaming_content) == CONTENT


def test_one_key_attaches_once(carla: APIClient, opened: Row) -> None:
    first, again = (carla.post(UPLOADS, WANTED, HTTP_IDEMPOTENCY_KEY="k") for _ in range(2))
    assert (first.content, again["Idempotent-Replay"]) == (again.content, "true")
    send(first.json())
    answers = [complete(carla, first.json(), HTTP_IDEMPOTENCY_KEY="k") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[1]["Idempotent-Replay"] == "true"
    assert carla.get(f"{FILES}?count=true").json()["page"]["count"] == "1"


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"size": 0}, 400, "size"),
        ({"size": "7"}, 400, "size"),
        ({"size": 100 * 2**20 + 1}, 413, "size"),
        ({"size": 2**62}, 413, "size"),
        ({"name": ""}, 400, "name"),
        ({"content_type": "nonsense"}, 400, "content_type"),
        ({"sha256": "abc"}, 400, "sha256"),
        ({"comment": "x"}, 400, "comment"),
        ({"visibility": "secret"}, 400, "visibility"),
        ({"file": "x"}, 400, "file"),
    ],
)
def test_what_is_wrong_is_named(cast: Cast, carla: APIClient, opened: Row, body: Row, status: int, field: str) -> None:
    response = carla.post(UPLOADS, {**WANTED, **body})
    assert response.status_code == status
    assert [error["field"] for error in response.json()["errors"]] == [field]
    assert UploadRepository(cast.acme.pk).count({}) == 0


@pytest.mark.parametrize("missing", ["name", "size", "content_type"])
def test_what_is_missing_is_named(carla: APIClient, opened: Row, missing: str) -> None:
    response = carla.post(UPLOADS, {name: value for name, value in WANTED.items() if name != missing})
    assert [error["field"] for error in response.json()["errors"]] == [missing]


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "upload_id"), ({"upload_id": "x"}, "upload_id"), ({"upload_id": None}, "upload_id"), ({"name": "x"}, "name")],
)
def test_a_completion_names_an_upload(carla: APIClient, opened: Row, body: Row, field: str) -> None:
    response = carla.post(FILES, body)
    assert response.status_code == 400
    assert field in {error["field"] for error in response.json()["errors"]}


def test_nothing_sent_and_the_wrong_thing_sent(carla: APIClient, opened: Row) -> None:
    upload = announce(carla, sha256="0" * 64)
    early = complete(carla, upload)
    assert (early.status_code, early.json()["errors"][0]["field"]) == (400, "upload_id")
    for content, changes, field in (
        (CONTENT[1:], {}, "size"),
        (CONTENT + b"1", {}, "size"),
        (b"", {}, "size"),
        (CONTENT, {"Content-Type": "text/html"}, "content_type"),
    ):
        response = send(upload, content, **changes)
        assert (response.status_code, response.json()["errors"][0]["field"]) == (400, field)
    assert send(upload).status_code == 200
    refused = complete(carla, upload)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "sha256")
    assert carla.get(FILES).json()["data"] == []


def test_the_address_is_good_for_its_upload_only(carla: APIClient, opened: Row, settings: Any) -> None:
    one, other = announce(carla), announce(carla)
    mixed = {**one, "url": one["url"].replace(one["id"], other["id"])}
    bare = {**one, "url": one["url"].split("?")[0]}
    unknown = {**one, "url": one["url"].replace(one["id"], str(ObjectId()))}
    assert [send(each).status_code for each in (mixed, bare, unknown)] == [403, 403, 403]
    settings.MAX_UPLOAD_BYTES = 1024
    assert send(one).status_code == 413


def test_the_token_stands_in_no_log(carla: APIClient, opened: Row, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    upload = announce(carla)
    send(upload)
    send(upload, b"wrong")
    token = urlsplit(upload["url"]).query.removeprefix("token=")
    assert token
    assert token not in caplog.text


def test_nobody_else_completes_it(
    cast: Cast, carla: APIClient, carl: APIClient, amir: APIClient, gus: APIClient, opened: Row
) -> None:
    upload = announce(carla)
    send(upload)
    files = f"/api/v1/tickets/{opened['id']}/attachments"
    for client in (carl, amir, gus):
        assert client.post(files, {"upload_id": upload["id"]}).status_code == 404
    missing = amir.post(files, {"upload_id": str(ObjectId())}).json()
    foreign = amir.post(files, {"upload_id": upload["id"]}).json()
    assert missing.pop("request_id") != foreign.pop("request_id")
    assert missing == foreign


def test_an_internal_file(amir: APIClient, carla: APIClient, opened: Row) -> None:
    note = amir.post(f"{TICKET}/comments", {"body": "See file", "visibility": "internal"}).json()
    assert carla.post(UPLOADS, {**WANTED, "comment": note["id"]}).status_code == 404
    assert carla.post(UPLOADS, {**WANTED, "visibility": "internal"}).status_code == 403
    for values in ({"comment": note["id"]}, {"visibility": "internal"}):
        upload = announce(amir, **values)
        send(upload)
        attachment = complete(amir, upload).json()
        assert attachment["visibility"] == "internal"
        assert carla.get(attachment["url"]).status_code == 404
    assert carla.get(FILES).json()["data"] == []


def test_the_forms_of_the_pages(carla: APIClient, opened: Row) -> None:
    page = {"HTTP_ACCEPT": "text/html"}
    announced = carla.get(UPLOADS, **page).content.decode()
    assert all(f'name="{name}"' in announced for name in ("name", "size", "content_type", "sha256", "comment"))
    files = carla.get(FILES, **page).content.decode()
    assert 'name="file"' in files
    assert 'name="upload_id"' not in files
    answer = carla.post(UPLOADS, {name: str(value) for name, value in WANTED.items()}, format="multipart", **page)
    assert answer.status_code == 201
    assert "api/v1/uploads/" in answer.content.decode()


@pytest.fixture
def in_bucket(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Addresses of a bucket; making them asks nobody."""
    use_aws(monkeypatch)
    storage = {"BACKEND": f"{Bucket.__module__}.Bucket", "OPTIONS": {"bucket_name": "files", "default_acl": None}}
    stored = settings.STORAGES
    settings.STORAGES = {**stored, "default": storage}
    yield
    settings.STORAGES = stored


def test_with_a_bucket_bytes_come_and_go_by_its_addresses(
    cast: Cast, carla: APIClient, opened: Row, request: pytest.FixtureRequest
) -> None:
    upload = announce(carla)
    send(upload)
    attachment = complete(carla, upload).json()
    request.getfixturevalue("in_bucket")

    response = carla.get(attachment["url"])
    assert response.status_code == 302
    assert response["Location"].startswith(f"https://files.s3.eu-central-1.amazonaws.com/{cast.acme.pk}/")
    assert "response-content-disposition=attachment" in response["Location"]
    assert response["Cache-Control"] == "no-store"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert carla.head(attachment["url"])["Location"] != response["Location"]
    for client in (api(cast.carl), api(cast.gus)):
        assert client.get(attachment["url"]).status_code == 404

    announced = announce(carla, sha256="0" * 64)
    assert announced["url"].startswith(f"https://files.s3.eu-central-1.amazonaws.com/incoming/{cast.acme.pk}/")
    assert announced["headers"].keys() == {"Content-Type", "x-amz-checksum-sha256"}
    assert send({**upload, "url": upload["url"].replace("http://testserver", "")}).status_code == 404
