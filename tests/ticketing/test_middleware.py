"""What surrounds every request: an unreachable database in a middleware, and forms that are too large."""

from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from tests.cast import PASSWORD, Cast
from ticketing.mongo.client import unavailable

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/api/v1/tickets", "/console/"])
def test_a_database_that_is_away_while_the_session_is_read_is_503(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_request: Any) -> None:
        raise unavailable()

    monkeypatch.setattr("accounts.middleware.find_signed_in", away)
    client = Client(raise_request_exception=False)
    client.cookies[django_settings.SESSION_COOKIE_NAME] = "some session"
    response = client.get(path)
    assert (response.status_code, response["Retry-After"]) == (503, "5")


def test_nobody_sends_large_forms_before_signing_in(settings: Any) -> None:
    settings.MAX_BODY_BYTES = 1000
    response = Client().post("/console/login/", {"email": "x" * 2000})
    assert response.status_code == 413
    assert "That is too large" in response.text
    response = Client().post("/console/login/", {"email": "x" * 2000}, headers={"X-Requested-With": "fetch"})
    assert (response.status_code, response.json()["code"]) == (413, "too_large")


def test_staff_may_send_files_with_their_forms(cast: Cast, settings: Any) -> None:
    settings.MAX_BODY_BYTES = 1000
    client = Client(HTTP_HOST="acme.localhost")
    form = {"username": "agent@example.test", "password": PASSWORD}
    assert client.post("/console/login/?next=/console/", form).status_code == 302
    assert client.post("/console/tickets/ticket/add/", {"title": "x" * 2000}).status_code == 200
    settings.MAX_FORM_BYTES = 1000
    assert client.post("/console/tickets/ticket/add/", {"title": "x" * 2000}).status_code == 413
