"""`python benchmarks/http/load.py URL…`: many requests over a few kept connections, and how long each one took.

One loop over epoll on plain sockets: what the generator uses is taken from the servers that share its CPUs, and this
costs a fraction of an event loop's objects. Any other status than the expected one ends the run with the answer's text.
"""

import argparse
import selectors
import socket
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from urllib.parse import urlsplit

HEAD_END = b"\r\n\r\n"
TIMEOUT = 30  # seconds without any answer


class UnexpectedAnswer(Exception):
    """Another status than the expected one, or none at all: the operation was not measured."""


@dataclass(frozen=True)
class Load:
    """What one run has found; times are milliseconds."""

    concurrency: int
    seconds: float
    times: list[float] = field(repr=False)

    @property
    def requests(self) -> int:
        return len(self.times)

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    @property
    def p50(self) -> float:
        return statistics.median(self.times)

    @property
    def p95(self) -> float:
        return sorted(self.times)[int(len(self.times) * 0.95)]

    def __str__(self) -> str:
        times = f"p50 {self.p50:7.2f} ms  p95 {self.p95:7.2f} ms"
        return f"{self.concurrency:3} at once: {self.per_second:8.1f}/s  {times}  {self.requests} requests"


class Connection:
    """One socket with at most one request on its way."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent = 0.0
        self._received = b""
        self._length = -1  # of the whole answer; unknown until its head is there

    def send(self, request: bytes) -> None:
        self._received, self._length = b"", -1
        self.sent = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> bytes | None:
        """The answer, once it is whole; raises UnexpectedAnswer when the server hangs up."""
        arrived = self.socket.recv(1 << 18)
        if not arrived:
            raise UnexpectedAnswer("the server hung up")
        self._received = self._received + arrived if self._received else arrived
        if self._length < 0:
            self._length = _whole_length(self._received)
        if self._length == 0:  # in chunks
            return self._received if self._received.endswith(b"\r\n0\r\n\r\n") else None
        return self._received if 0 < self._length <= len(self._received) else None


def run(address: tuple[str, int], requests: Iterator[bytes], expected: int, concurrency: int, seconds: float) -> Load:
    """Send the requests in turn, each connection its next as soon as it is answered, until the time is over.

    Raises UnexpectedAnswer at the first answer whose status is not `expected`.
    """
    status = f"HTTP/1.1 {expected}".encode()
    connections = [Connection(address) for _ in range(concurrency)]
    times: list[float] = []
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send(next(requests))
        started, busy = time.perf_counter(), concurrency
        end = started + seconds
        while busy:
            for key, _ in _ready(selector):
                connection = key.data
                if (answer := connection.receive()) is None:
                    continue
                now = time.perf_counter()
                times.append((now - connection.sent) * 1000)
                if not answer.startswith(status):
                    raise UnexpectedAnswer(_shortened(answer, expected))
                if now < end:
                    connection.send(next(requests))
                else:
                    busy -= 1
        took = time.perf_counter() - started
    for connection in connections:
        connection.socket.close()
    return Load(concurrency, took, times)


def get(host: str, path: str, headers: dict[str, str]) -> bytes:
    """The bytes of a GET request."""
    return _head("GET", path, host, headers) + b"\r\n"


def send(method: str, host: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    """The bytes of a request with a JSON body."""
    named = {**headers, "Content-Type": "application/json", "Content-Length": str(len(body))}
    return _head(method, path, host, named) + b"\r\n" + body


def _head(method: str, path: str, host: str, headers: dict[str, str]) -> bytes:
    named = {"Host": host, "Accept": "application/json", **headers}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items()), ""]
    return "\r\n".join(lines).encode()


def _ready(selector: selectors.BaseSelector) -> list[tuple[selectors.SelectorKey, int]]:
    if found := selector.select(TIMEOUT):
        return found
    raise UnexpectedAnswer(f"no answer within {TIMEOUT} s")


def _whole_length(received: bytes) -> int:
    """Of head and body; -1 when the head is not whole yet, 0 when the body comes in chunks."""
    head_end = received.find(HEAD_END)
    if head_end < 0:
        return -1
    head = received[:head_end].lower()
    found = head.find(b"content-length:")
    if found < 0:
        return 0 if b"transfer-encoding: chunked" in head else head_end + len(HEAD_END)
    return head_end + len(HEAD_END) + int(head[found + 15 :].partition(b"\r\n")[0])


def _shortened(answer: bytes, expected: int) -> str:
    head, _, body = answer.decode(errors="replace").partition("\r\n\r\n")
    return f"expected {expected}, got {head.splitlines()[0]}: {body[:500]}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Requests a second and their times; several URLs are asked in turn.")
    parser.add_argument("urls", nargs="+")
    parser.add_argument("--token", help="sent as `Authorization: Bearer`")
    parser.add_argument("--method", default="GET")
    parser.add_argument("--body", default="", help="JSON; {n} is the number of the request")
    parser.add_argument("--expect", type=int, default=200)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    parts = [urlsplit(url) for url in options.urls]
    headers = {"Authorization": f"Bearer {options.token}"} if options.token else {}
    address = (parts[0].hostname or "127.0.0.1", parts[0].port or 80)
    targets = [f"{part.path}?{part.query}" if part.query else part.path for part in parts]
    requests = _rotating(options.method, parts[0].netloc, targets, headers, options.body)
    run(address, requests, options.expect, 1, 0.5)  # warms up
    for concurrency in options.concurrency:
        print(run(address, requests, options.expect, concurrency, options.seconds), flush=True)
    return 0


def _rotating(method: str, host: str, targets: list[str], headers: dict[str, str], body: str) -> Iterator[bytes]:
    if not body:
        yield from cycle([get(host, target, headers) for target in targets])
    for number, target in enumerate(cycle(targets)):
        yield send(method, host, target, headers, body.replace("{n}", str(number)).encode())


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UnexpectedAnswer as error:
        sys.exit(str(error))
