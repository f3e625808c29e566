"""Files over HTTP: adding, listing, downloading, and who learns of them."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pymongo.errors import OperationFailure
from rest_framework.test import APIClient

from tenants.quotas import reserve_storage
from tests.cast import Cast
from ticketing.mongo import ObjectId
from tickets.attachments import services

pytestmark = pytest.mark.django_db

TICKET = "/api/v1/tickets/1"
FILES = f"{TICKET}/attachments"
Row = dict[str, Any]


def upload(client: APIClient, name: str = "log.txt", content: bytes = b"it burns", to: str = FILES, **more: Any) -> Any:
    file = SimpleUploadedFile(name, content, content_type=more.pop("content_type", "text/plain"))
    headers = {key: more.pop(key) for key in list(more) if key.startswith("HTTP_")}
    return client.post(to, {"file": file, **more}, format="multipart", **headers)


def bytes_of(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def test_a_file_is_kept_described_and_downloaded(cast: Cast, carla: APIClient, opened: Row) -> None:
    response = upload(carla, "Überblick 1.html", b"<script>alert(1)</script>", content_type="text/html")

    attachment = response.json()
    assert response.status_code == 201
    assert response["Location"] == attachment["url"]
    assert (attachment["name"], attachment["size"], attachment["content_type"]) == ("Überblick 1.html", 25, "text/html")
    assert (attachment["ticket"], attachment["uploaded_by"]) == (opened["id"], str(cast.carla.pk))
    assert carla.get(FILES).json()["data"] == [attachment] == carla.get(TICKET).json()["attachments"]
    assert carla.get(TICKET).json()["attachment_count"] == 1

    download = carla.get(attachment["url"])
    assert bytes_of(download) == b"<script>alert(1)</script>"
    assert download["Content-Disposition"] == "attachment; filename*=utf-8''%C3%9Cberblick%201.html"
    assert download["Content-Type"] == "application/octet-stream"
    assert download["X-Content-Type-Options"] == "nosniff"
    assert download["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert download["Content-Length"] == "25"


def test_a_name_with_quotes_and_line_breaks_cannot_add_headers(carla: APIClient, opened: Row) -> None:
    url = upload(carla, 'a".exe').json()["url"]
    assert carla.get(url)["Content-Disposition"] == 'attachment; filename="a\\".exe"'


def test_a_download_in_the_browser_is_the_file_too(carla: APIClient, opened: Row) -> None:
    url = upload(carla).json()["url"]
    assert bytes_of(carla.get(url, HTTP_ACCEPT="text/html,*/*;q=0.8")) == b"it burns"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "file"),
        ({"file": "text"}, "file"),
        ({"name": "x"}, "name"),
        ({"visibility": "secret"}, "visibility"),
        ({"comment": "x"}, "comment"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_kept(carla: APIClient, opened: Row, body: Row, field: str) -> None:
    file = {} if field == "file" else {"file": SimpleUploadedFile("a.txt", b"x")}
    response = carla.post(FILES, {**file, **body}, format="multipart")

    assert response.status_code == 400
    assert field in {error["field"] for error in response.json()["errors"]}
    assert carla.get(FILES).json()["data"] == []


def test_files_that_are_too_large_or_empty_are_refused(carla: APIClient, opened: Row, settings: Any) -> None:
    settings.MAX_FILE_BYTES = 1000
    assert upload(carla, content=b"x" * 1000).status_code == 201
    assert upload(carla, content=b"x" * 1001).status_code == 413
    assert upload(carla, content=b"x" * 70_000).status_code == 413
    assert upload(carla, content=b"").status_code == 400
    assert len(carla.get(FILES).json()["data"]) == 1


def test_a_file_needs_a_form(carla: APIClient, opened: Row) -> None:
    assert carla.post(FILES, {"file": "x"}, format="json").status_code == 400
    assert carla.post(FILES, b"bytes", content_type="application/octet-stream").status_code == 415


def test_one_key_keeps_one_file(carla: APIClient, opened: Row) -> None:
    first, again = (upload(carla, HTTP_IDEMPOTENCY_KEY="k") for _ in range(2))
    assert (first.content, again["Idempotent-Replay"]) == (again.content, "true")
    assert upload(carla, content=b"other", HTTP_IDEMPOTENCY_KEY="k").status_code == 422
    assert carla.get(f"{FILES}?count=true").json()["page"]["count"] == "1"


def test_a_large_file_outlives_a_transaction_that_is_tried_again(
    carla: APIClient, opened: Row, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    content = b"x" * (settings.FILE_UPLOAD_MAX_MEMORY_SIZE + 1)
    attempts = []

    def reserve(*args: Any) -> None:
        attempts.append(args)
        if len(attempts) == 1:
            labels = {"errorLabels": ["TransientTransactionError"]}
            raise OperationFailure("somebody else wrote it", 112, labels)
        reserve_storage(*args)

    monkeypatch.setattr(services, "reserve_storage", reserve)
    response = upload(carla, content=content, HTTP_IDEMPOTENCY_KEY="k")
    assert (response.status_code, len(attempts)) == (201, 2)
    assert bytes_of(carla.get(response.json()["url"])) == content


def test_files_are_paged(carla: APIClient, opened: Row) -> None:
    for number in range(3):
        upload(carla, f"{number}.txt")
    body = carla.get(f"{FILES}?limit=2").json()
    rest = carla.get(f"{FILES}?limit=2&after={body['page']['after']}").json()
    assert [row["name"] for row in body["data"] + rest["data"]] == ["0.txt", "1.txt", "2.txt"]


def test_nothing_tells_customers_of_an_internal_file(
    cast: Cast, amir: APIClient, carla: APIClient, opened: Row
) -> None:
    upload(carla)
    note = amir.post(f"{TICKET}/comments", {"body": "See file", "visibility": "internal"}).json()
    paths = [TICKET, FILES, f"{FILES}?count=true", "/api/v1/tickets?count=true"]
    before = [carla.get(path).content for path in paths]
    files = [upload(amir, visibility="internal").json(), upload(amir, comment=note["id"]).json()]

    assert [file["visibility"] for file in files] == ["internal", "internal"]
    assert [carla.get(path).content for path in paths] == before
    assert amir.get(TICKET).json()["attachment_count"] == 3
    for file in files:
        hidden = carla.get(file["url"]).json()
        missing = carla.get(f"/api/v1/attachments/{ObjectId()}").json()
        assert hidden.pop("request_id") != missing.pop("request_id")
        assert hidden == missing
        assert hidden["status"] == 404
    assert upload(carla, visibility="internal").status_code == 403
    assert upload(carla, comment=note["id"]).status_code == 404


def test_a_foreign_tickets_files_are_out_of_reach(
    carla: APIClient, gus: APIClient, carl: APIClient, opened: Row
) -> None:
    url = upload(carla).json()["url"]
    for client in (gus, carl):
        assert client.get(url).status_code == 404
        assert upload(client, to=f"/api/v1/tickets/{opened['id']}/attachments").status_code == 404


def test_a_closed_ticket_takes_no_file(amir: APIClient, carla: APIClient, opened: Row) -> None:
    amir.patch(TICKET, {"status": "closed"})
    response = upload(carla)
    assert (response.status_code, response.json()["code"]) == (409, "ticket_closed")
