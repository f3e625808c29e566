"""Every log line of a request carries its id, those that Django writes after it included."""

import logging
from typing import Any

from django.test import Client

from ticketing.logs import RequestFilter


def test_line_about_an_answer_carries_the_requests_id(caplog: Any) -> None:
    caplog.set_level(logging.WARNING, "django.request")
    Client().get("/api/v1/nowhere", headers={"X-Request-Id": "mine-1"})
    record = next(record for record in caplog.records if record.name == "django.request")
    RequestFilter().filter(record)
    assert record.request_id == "mine-1"
