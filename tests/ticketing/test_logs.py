"""Every log line of a request carries its id, those that Django writes after it included."""

import logging
from typing import Any

import pytest
from django.test import Client

from tests.cast import Cast, api
from ticketing.logs import RequestFilter


def test_line_about_an_answer_carries_the_requests_id(caplog: Any) -> None:
    caplog.set_level(logging.WARNING, "django.request")
    Client().get("/api/v1/nowhere", headers={"X-Request-Id": "mine-1"})
    record = next(record for record in caplog.records if record.name == "django.request")
    RequestFilter().filter(record)
    assert record.request_id == "mine-1"


@pytest.mark.django_db
def test_each_request_has_a_line_with_its_tenant_and_without_its_query(cast: Cast, caplog: Any) -> None:
    caplog.set_level(logging.INFO, "ticketing.requests")
    api(cast.carla).get("/api/v1/tickets?q=secret", headers={"X-Request-Id": "mine-2"})
    [record] = [record for record in caplog.records if record.name == "ticketing.requests"]
    RequestFilter().filter(record)
    assert (record.request_id, record.tenant) == ("mine-2", cast.acme.pk)
    assert record.getMessage().startswith("GET /api/v1/tickets 200 in ")
