import io
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from ticketing.server import Worker, with_whole_bodies


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


@pytest.fixture
def worker() -> Iterator[Worker]:
    """With one thread, and nothing to do."""
    worker = Worker.__new__(Worker)
    with ThreadPoolExecutor(1) as worker.tpool:
        worker.alive = True
        yield worker


def follows(worker: Worker, sent: bytes, read_ahead: bytes = b"") -> bool:
    ours, theirs = socket.socketpair()
    parser = SimpleNamespace(unreader=SimpleNamespace(buf=io.BytesIO(read_ahead)))
    with ours, theirs:
        theirs.sendall(sent)
        return worker._follows(SimpleNamespace(sock=ours, parser=parser))


def test_a_client_that_goes_on_keeps_its_thread(worker: Worker) -> None:
    assert follows(worker, b"GET")
    assert follows(worker, b"", read_ahead=b"GET")
    assert not follows(worker, b"")


def test_a_thread_goes_to_whoever_waits_for_one(worker: Worker) -> None:
    end = threading.Event()
    worker.tpool.submit(end.wait)
    waiting = worker.tpool.submit(end.wait)
    assert not follows(worker, b"GET")
    end.set()
    waiting.result(10)
    assert follows(worker, b"GET")


def test_a_worker_that_stops_lets_its_clients_go(worker: Worker) -> None:
    worker.alive = False
    assert not follows(worker, b"GET")
