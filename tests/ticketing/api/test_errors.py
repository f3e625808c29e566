"""Whatever goes wrong, the answer is a problem document."""

import errno
import logging
from typing import Any

import pytest
from django.http import UnreadablePostError
from django.test import Client
from rest_framework.exceptions import ErrorDetail, ValidationError

from tests.cast import Cast, api
from ticketing.api.errors import as_ticketing_error
from ticketing.errors import FieldError, FilesUnavailable

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.ticketing.api.sample")]

MEMBERS = {"type", "title", "status", "detail", "code", "request_id", "errors"}


def assert_problem(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    assert response["Cache-Control"] == "no-store"
    document: dict[str, Any] = response.json()
    assert document.keys() >= MEMBERS
    assert (document["status"], document["code"], document["type"]) == (status, code, f"/problems/{code}")
    assert document["request_id"] == response["X-Request-Id"]
    return document


def test_unknown_path_below_the_api_is_a_problem() -> None:
    assert_problem(api().get("/api/v1/nowhere"), 404, "not_found")


def test_unknown_path_elsewhere_is_a_page() -> None:
    response = api().get("/nowhere")
    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")


def test_signed_out_is_told_how_to_sign_in() -> None:
    response = api().get("/api/v1/notes")
    assert_problem(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_wrong_token_is_401_also_as_a_page() -> None:
    client = Client(headers={"Authorization": "Bearer nonsense", "Accept": "text/html"})
    response = client.get("/api/v1/notes")
    assert response.status_code == 401
    assert response["Content-Type"].startswith("text/html")
    assert b"not_authenticated" in response.content


def test_method_without_a_handler_is_405_with_allow(cast: Cast) -> None:
    response = api(cast.carla).delete("/api/v1/notes")
    assert_problem(response, 405, "method_not_allowed")
    assert response["Allow"] == "GET, POST, HEAD, OPTIONS"


def test_method_that_the_action_table_forgot_is_refused(cast: Cast) -> None:
    assert_problem(api(cast.ada).delete("/api/v1/notes/1"), 403, "not_allowed")


def test_media_types(cast: Cast) -> None:
    assert_problem(api(cast.carla).get("/api/v1/notes", HTTP_ACCEPT="image/png"), 406, "not_acceptable")
    answer = api(cast.carla).post("/api/v1/notes", "<a/>", content_type="application/xml")
    assert_problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(("how", "status", "code"), [("404", 404, "not_found")])
def test_djangos_exceptions(cast: Cast, how: str, status: int, code: str) -> None:
    document = assert_problem(api(cast.carla).get(f"/api/v1/failing?how={how}"), status, code)
    assert "hidden" not in str(document)


@pytest.mark.parametrize(("how", "level"), [("bug", logging.CRITICAL), ("zero", logging.ERROR)])
def test_unexpected_exception_is_logged_and_not_shown(
    cast: Cast, how: str, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    client = api(cast.carla)
    client.raise_request_exception = False
    document = assert_problem(client.get(f"/api/v1/failing?how={how}"), 500, "internal_error")
    assert "secret detail" not in str(document)
    record = next(record for record in caplog.records if record.name == "ticketing.api")
    assert record.levelno == level
    assert record.exc_info


def test_nested_validation_errors_name_the_field_by_its_path() -> None:
    exception = ValidationError(
        {
            "title": [ErrorDetail("too long", "max_length"), ErrorDetail("and ugly", "ugly")],
            "parts": [{}, {"name": [ErrorDetail("required", "required")]}],
            "tags": {2: [ErrorDetail("blank", "blank")]},
            "non_field_errors": [ErrorDetail("nope", "invalid")],
        }
    )
    error = as_ticketing_error(exception)
    assert error is not None
    assert error.errors == [
        FieldError("title", "max_length", "too long"),
        FieldError("title", "ugly", "and ugly"),
        FieldError("parts.1.name", "required", "required"),
        FieldError("tags.2", "blank", "blank"),
        FieldError("body", "invalid", "nope"),
    ]
    assert error.detail == "title: too long (and 4 more)"


def test_form_without_its_token_is_refused_as_a_problem() -> None:
    from ticketing.api.errors import csrf_failure_view

    request = Client().get("/api/v1/nowhere").wsgi_request
    assert csrf_failure_view(request).status_code == 403
    assert csrf_failure_view(request)["Content-Type"] == "application/problem+json"


def test_no_room_for_what_is_sent_is_told_as_such() -> None:
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        error = as_ticketing_error(OSError(number, "no room"))
        assert isinstance(error, FilesUnavailable)
        assert (error.status, error.headers) == (503, {"Retry-After": "30"})
    assert as_ticketing_error(OSError(errno.ENOENT, "a bug")) is None
    assert not isinstance(as_ticketing_error(UnreadablePostError("hung up")), FilesUnavailable)
