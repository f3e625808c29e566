"""What scripts are told: refusals in one shape, and the end of a session in place of the sign-in page."""

import json

import pytest
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.test import Client, RequestFactory

from ticketing.console.answers import json_answer, read_json
from ticketing.errors import InvalidInput, StaleVersion, TicketingError


def test_answers_what_the_view_returns():
    answer = json_answer(lambda: {"count": 3})()
    assert (answer.status_code, json.loads(answer.content)) == (200, {"count": 3})
    assert json_answer(lambda: HttpResponse("as it is"))().content == b"as it is"


def refused(error: Exception) -> tuple[int, dict]:
    def view():
        raise error

    answer = json_answer(view)()
    return answer.status_code, json.loads(answer.content)


def test_a_refusal_names_its_fields_and_keeps_its_data():
    status, told = refused(InvalidInput.of("body", "is empty", "required"))
    assert status == 400
    assert told == {"code": "invalid_input", "detail": "body: is empty", "errors": {"body": "is empty"}}
    assert refused(StaleVersion(data={"current_version": 7}))[1]["current_version"] == 7
    assert refused(PermissionDenied())[0] == 403


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b"\xff"])
def test_only_an_object_is_read(body):
    with pytest.raises(TicketingError):
        read_json(RequestFactory().post("/", body, content_type="application/json"))


def test_a_script_without_a_session_gets_no_page(db):
    script = Client().get("/console/", headers={"X-Requested-With": "fetch"})
    assert script.status_code == 401
    assert "Sign in again" in script.json()["detail"]
    assert Client().get("/console/").status_code == 302
