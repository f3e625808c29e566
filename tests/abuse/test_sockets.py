"""What clients send that no HTTP library would, to the web server as production starts it."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.db import connection

from accounts.sessions import open_session
from deploy.trials.platform import Server
from tests.cast import Cast
from tests.waiting import wait_until
from ticketing.mongo.client import get_database

pytestmark = pytest.mark.django_db
BODY = '{"title":"x"}'
CHUNKED = "Transfer-Encoding: chunked"
CHUNKS = f"{len(BODY):x}\r\n{BODY}\r\n0\r\n\r\n"
SECOND = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"  # a request in what should be a body
THREADS = 4
# The headers, what follows them, and the status of the only answer.
LIES: dict[str, tuple[list[str], str, int]] = {
    "too long": (["Content-Length: 100"], BODY, 400),
    "too short": (["Content-Length: 5"], BODY, 400),
    "negative": (["Content-Length: -5"], BODY, 400),
    "signed": (["Content-Length: +13"], BODY, 400),
    "no number": (["Content-Length: abc"], BODY, 400),
    "two that differ": (["Content-Length: 13", "Content-Length: 5"], BODY, 400),
    "a list of two": (["Content-Length: 13, 13"], BODY, 400),
    "above the limit": (["Content-Length: 2000000"], "", 413),
    "far above it": ([f"Content-Length: {'9' * 30}"], "", 413),
    "none": ([], "", 400),
    "chunked": ([CHUNKED], CHUNKS, 411),
    "chunked without an end": ([CHUNKED], CHUNKS.removesuffix("0\r\n\r\n"), 411),
    "chunked, above the limit": ([CHUNKED], f"200000\r\n{'a' * 0x200000}\r\n0\r\n\r\n", 411),
    "chunked, an endless chunk": ([CHUNKED], f"ffffffffffffffffff\r\n{BODY}", 411),
    "chunked, and a length": ([CHUNKED, "Content-Length: 5"], CHUNKS, 400),
    "a length, and chunked": (["Content-Length: 6", CHUNKED], f"0\r\n\r\n{SECOND}", 400),
    "chunked twice": (["Transfer-Encoding: chunked, chunked"], CHUNKS, 400),
    "chunked, then not": (["Transfer-Encoding: chunked, identity"], CHUNKS, 400),
    "chunked behind a control character": (["Transfer-Encoding: \x0bchunked"], CHUNKS, 400),
    "chunked before a space": (["Transfer-Encoding : chunked"], CHUNKS, 400),
    "chunked in an old, folded line": (["Transfer-Encoding:\r\n chunked"], CHUNKS, 400),
}
FLOODS: dict[str, tuple[list[str], int]] = {
    "many headers": ([f"X-{number}: a" for number in range(5000)], 431),
    "a header of 1 MB": ([f"X-Long: {'a' * 2**20}"], 431),
    "a NUL in a header": (["X-Nul: a\0b"], 400),
    "two hosts": (["Host: evil.example"], 400),
    "another host": ([], 400),
}


@pytest.fixture(scope="module")
def server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "ticketing.settings",
        "SECRET_KEY": settings.SECRET_KEY,
        "MONGODB_DATABASE": connection.settings_dict["NAME"],
        "DATA_DIR": str(folder),
        "WEB_CONCURRENCY": "1",
        "WEB_THREADS": str(THREADS),
        "REQUEST_HEAD_SECONDS": "1",
        "REQUEST_BODY_SECONDS": "1",
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
    }
    server = Server(environment, folder / "log")
    try:
        server.start()
        yield server
    finally:
        if server.process is not None:
            server.process.send_signal(signal.SIGINT)  # without waiting for who is still connected
        server.end()
    logged: list[dict[str, Any]] = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert [line for line in logged if line["level"] in {"ERROR", "CRITICAL"}] == []  # no refusal is a failure of ours


@pytest.fixture
def bearer(cast: Cast) -> str:
    return f"Authorization: Bearer {open_session(cast.carla).access}"


def connected(server: Server) -> socket.socket:
    host, port = server.address.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=20)


def head(line: str, *headers: str, host: str = "localhost") -> bytes:
    return "\r\n".join([f"{line} HTTP/1.1", f"Host: {host}", *headers, "", ""]).encode()


def said(client: socket.socket) -> bytes:
    """All that the server says until it hangs up."""
    answer = b""
    try:
        while more := client.recv(65536):
            answer += more
    except ConnectionResetError:  # what we have sent has not been read to its end
        pass
    return answer


def exchange(server: Server, request: bytes) -> bytes:
    """The answer to somebody who sends this and no more."""
    with connected(server) as client:
        try:
            client.sendall(request)
            client.shutdown(socket.SHUT_WR)
        except OSError:  # the server has hung up before the end
            pass
        return said(client)


def status_of(answer: bytes) -> int:
    assert answer.startswith(b"HTTP/1.1 "), answer[:100]
    return int(answer.split(b" ", 2)[1])


def answers(server: Server) -> bool:
    return httpx.get(f"{server.address}/healthz", timeout=20).is_success


@pytest.mark.parametrize("lie", LIES)
def test_a_body_whose_length_is_a_lie_is_refused(server: Server, bearer: str, lie: str) -> None:
    headers, body, status = LIES[lie]
    request = head("POST /api/v1/tickets", bearer, "Content-Type: application/json", *headers) + body.encode()
    answer = exchange(server, request)
    found = [int(each[:3]) for each in answer.split(b"HTTP/1.1 ")[1:]]
    assert found[0] == status, answer[:500]
    assert all(each in {400, 411} for each in found[1:]), answer  # what followed was not taken for a request
    assert get_database()["tickets"].count_documents({}) == 0


def test_a_file_that_ends_early_is_refused(server: Server, bearer: str, cast: Cast) -> None:
    name, _, token = bearer.partition(": ")
    made = httpx.post(f"{server.address}/api/v1/tickets", json={"title": "x"}, headers={name: token}).json()
    part = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nthe first half'
    media_type = "Content-Type: multipart/form-data; boundary=b"
    for length in (len(part), 10_000):
        line = f"POST /api/v1/tickets/{made['id']}/attachments"
        answer = exchange(server, head(line, bearer, media_type, f"Content-Length: {length}") + part.encode())
        assert status_of(answer) == 400
    ticket = httpx.get(f"{server.address}/api/v1/tickets/{made['id']}", headers={name: token}).json()
    assert ticket["attachments"] == []


@pytest.mark.parametrize("flood", FLOODS)
def test_heads_that_no_client_means_are_refused(server: Server, bearer: str, flood: str) -> None:
    headers, status = FLOODS[flood]
    host = "evil.example" if flood == "another host" else "localhost"
    assert status_of(exchange(server, head("GET /api/v1/tickets", bearer, *headers, host=host))) == status
    assert answers(server)


@pytest.mark.parametrize(
    ("request_sent", "status"),
    [
        (head(f"GET /{'a' * 2**20}"), 414),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),  # TLS
        (b"GET / HTTP/1.1\nHost: localhost\n\n", 400),
        (b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", 400),
    ],
)
def test_what_is_no_request_is_refused(server: Server, request_sent: bytes, status: int) -> None:
    assert status_of(exchange(server, request_sent)) == status


@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: ", id="heads"),
        pytest.param(head("POST /api/v1/auth/login", "Content-Length: 100") + b"{", id="bodies"),
        pytest.param(head("POST /api/v1/auth/login", "Content-Length: 100000") + b"{" * 100, id="large bodies"),
    ],
)
def test_slow_clients_keep_nobody_out_for_long(server: Server, db: None, begun: bytes) -> None:
    """More of them than there are threads."""
    with ExitStack() as stack:
        slow = [stack.enter_context(connected(server)) for _ in range(2 * THREADS)]
        for client in slow:
            client.sendall(begun)
        assert answers(server)
        said_to_them = [said(client) for client in slow]
    assert all(not text or status_of(text) < 500 for text in said_to_them), said_to_them


def test_requests_of_one_connection_are_answered_one_after_the_other(server: Server, db: None) -> None:
    """At once, in one piece, and after a while in which its thread has gone."""
    with connected(server) as client, client.makefile("rb") as answers_:
        for amount in (1, 1, 3, 1):
            client.sendall(SECOND.encode() * amount)
            for _ in range(amount):
                assert answers_.readline() == b"HTTP/1.1 200 OK\r\n"
                length = 0
                while (line := answers_.readline()) != b"\r\n":
                    name, _, value = line.partition(b": ")
                    length = int(value) if name.lower() == b"content-length" else length
                assert json.loads(answers_.read(length))
        assert answers(server)  # others, meanwhile


def test_a_client_that_was_answered_may_not_be_slow_either(server: Server, db: None) -> None:
    """More of them than there are threads, which linger with each."""
    with ExitStack() as stack:
        slow = [stack.enter_context(connected(server)) for _ in range(2 * THREADS)]
        for client in slow:
            client.sendall(SECOND.encode() + b"GET /healthz HTTP/1.1\r\nHost: ")
        assert answers(server)
        assert all(said(client).startswith(b"HTTP/1.1 200") for client in slow)


def test_a_client_that_stops_in_the_middle_of_a_large_body_is_cut_off(server: Server, db: None) -> None:
    """Long before all of it would have had to come."""
    begun = head("PUT /api/v1/uploads/none", "Content-Length: 100000000") + b"a" * 70_000
    with connected(server) as client:
        client.sendall(begun)
        text = said(client)
    assert not text or status_of(text) < 500


def test_clients_that_take_nothing_of_their_answers_keep_nobody_out(server: Server, bearer: str) -> None:
    """More of them than there are threads, each with an answer that no buffer on the way holds."""
    name, _, token = bearer.partition(": ")
    made = httpx.post(f"{server.address}/api/v1/tickets", json={"title": "x"}, headers={name: token}).json()
    file = {"file": ("large.bin", b"a" * settings.MAX_FILE_BYTES)}
    address = f"{server.address}/api/v1/tickets/{made['id']}/attachments"
    stored = httpx.post(address, files=file, headers={name: token}, timeout=20)
    wanted = head(f"GET /api/v1/attachments/{stored.json()['id']}", bearer)
    with ExitStack() as stack:
        for _ in range(2 * THREADS):
            stack.enter_context(connected(server)).sendall(wanted)
        assert answers(server)


def test_a_few_slow_clients_keep_nobody_waiting(server: Server, db: None) -> None:
    with ExitStack() as stack:
        for _ in range(THREADS - 1):
            stack.enter_context(connected(server)).sendall(b"GET /")
        assert httpx.get(f"{server.address}/healthz", timeout=0.9).is_success  # less than they are given


def test_a_client_that_sends_a_byte_now_and_then_is_cut_off(server: Server, db: None) -> None:
    with connected(server) as client:
        client.sendall(b"GET /")

        def is_over() -> bool:
            try:
                client.sendall(b"a")
                return False
            except OSError:
                return True

        wait_until(is_over, 10)
