import io
import socket
from typing import Any

import pytest

from ticketing.server import with_whole_bodies


def read(body: bytes, announced: str, told: list[int]) -> bytes:
    """What an application reads of a body in pieces of four bytes."""

    def application(request: dict[str, Any], start_response: Any) -> list[bytes]:
        stream = request["wsgi.input"]
        return [stream.readline(), *iter(lambda: stream.read(4), b"")]

    with socket.socket() as sock:
        request = {"CONTENT_LENGTH": announced, "wsgi.input": io.BytesIO(body), "gunicorn.socket": sock}
        return b"".join(with_whole_bodies(application, lambda _sock, amount: told.append(amount))(request, None))


def test_what_has_arrived_of_a_body_is_told() -> None:
    told: list[int] = []
    assert read(b"a\nbcdefg", "8", told) == b"a\nbcdefg"
    assert told == [2, 4, 2, 0]


def test_a_body_that_ends_early_is_none() -> None:
    told: list[int] = []
    with pytest.raises(ConnectionError):
        read(b"a\nbcdefg", "9", told)
    assert sum(told) == 8
