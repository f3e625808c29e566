"""What can wait until the client has his answer does wait."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import request_finished
from django.test import RequestFactory

from ticketing.after_answer import after_answer
from ticketing.logs import current_request


@pytest.fixture
def under_way() -> Iterator[None]:
    token = current_request.set(RequestFactory().get("/"))
    yield
    current_request.reset(token)


def test_work_of_a_request_is_done_once_it_is_answered(under_way: None) -> None:
    done: list[str] = []
    after_answer(lambda: done.append("first"))
    after_answer(lambda: done.append("second"))
    assert done == []
    request_finished.send(sender=object())
    request_finished.send(sender=object())
    assert done == ["first", "second"]


def test_without_a_request_it_is_done_at_once() -> None:
    done: list[Any] = []
    after_answer(lambda: done.append(None))
    assert done == [None]
