"""What is measured: each operation's requests to the platform and to the reference, and the bars it has to reach."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle, pairwise
from typing import Any
from urllib.parse import quote

import jwt
import orjson

from benchmarks.http import load
from benchmarks.http.servers import Server
from benchmarks.reference import dataset

API = "/api/v1"
PAGE = 50
DEEP = 200
REFERENCE_SECRET = "benchmark-secret-benchmark-secret-0123456789"
REFERENCE_CLAIMS = {"sub": "u0-0", "role": "agent", "tenant": f"t{dataset.BIG_TENANT}"}
GROWTH = 1.5


@dataclass(frozen=True)
class Target:
    """A server with the data set of a size, and what `seed.py` has told about it."""

    server: Server
    size: int
    known: dict[str, Any]

    def get(self, path: str, token: str) -> bytes:
        return load.get(self.server.host, path, _signed_in(token))

    def send(self, method: str, path: str, token: str, body: dict[str, Any]) -> bytes:
        return load.send(method, self.server.host, path, _signed_in(token), orjson.dumps(body))


Requests = Callable[[Target], Iterator[bytes]]


@dataclass(frozen=True)
class Operation:
    """``times`` is what the platform has to reach, in requests/s at 16 and in p50 at 1, as a multiple of the reference.

    Without ``theirs`` there is nothing to compare with. Every operation's p50 may grow by GROWTH.
    """

    name: str
    ours: Requests
    theirs: Requests | None = None
    times: float | None = None
    expected: int = 200


def operations() -> list[Operation]:
    """In the order in which they are measured: what adds tickets comes last."""
    return [
        Operation("list, page of 50", _ours(f"?limit={PAGE}"), _theirs(""), 1),
        Operation("filtered by status", _ours(f"?status=open&limit={PAGE}"), _theirs("?status=open"), 1),
        Operation("page 200 by cursor", _our_deep_page, _their_deep_page),
        Operation("one ticket with comments", _our_tickets, _their_tickets, 1),
        Operation("search, rare word", _our_search(dataset.RARE), _their_search(dataset.RARE), 1),
        Operation("search, common word", _our_search(dataset.COMMON), _their_search(dataset.COMMON), 10),
        Operation("search, two words", _our_search(_pairs())),
        Operation("statistics", _ours("/stats"), _theirs("/stats"), 20),
        Operation("list with comments", _ours(f"?limit={PAGE}&include=comments")),
        Operation("a customer's list", _ours(f"?limit={PAGE}", "customer")),
        Operation("list with an API key", _ours(f"?limit={PAGE}", "key")),
        Operation("update", _our_updates, _their_updates, 1),
        Operation("comment", _our_comments, _their_comments, 1, 201),
        Operation("create", _our_creations, _their_creations, 1, 201),
    ]


def reference_token() -> str:
    return jwt.encode({**REFERENCE_CLAIMS, "exp": 4_000_000_000}, REFERENCE_SECRET, algorithm="HS256")


def _ours(rest: str, who: str = "agent") -> Requests:
    return lambda target: cycle([target.get(f"{API}/tickets{rest}", target.known[who])])


def _theirs(rest: str) -> Requests:
    return lambda target: cycle([target.get(f"/tickets{rest}", reference_token())])


def _our_search(queries: list[str]) -> Requests:
    def requests(target: Target) -> Iterator[bytes]:
        paths = (f"{API}/tickets?q={quote(query)}&limit={PAGE}" for query in queries)
        return cycle([target.get(path, target.known["agent"]) for path in paths])

    return requests


def _their_search(queries: list[str]) -> Requests:
    return lambda target: cycle([target.get(f"/tickets?q={quote(query)}", reference_token()) for query in queries])


def _pairs() -> list[str]:
    """A common word with a common one, and with a rare one."""
    common = dataset.COMMON
    pairs = [*pairwise(common), *zip(common, dataset.RARE, strict=False)]
    return [" ".join(pair) for pair in pairs]


def _our_deep_page(target: Target) -> Iterator[bytes]:
    token, path = target.known["agent"], f"{API}/tickets?limit={PAGE}"
    here = path
    for _ in range(DEEP - 1):
        page = target.server.get(here, _signed_in(token))["page"]
        following = f"{path}&after={quote(page['after'] or '')}"
        if not page["has_more"]:
            break
        here = following
    return cycle([target.get(here, token)])


def _their_deep_page(target: Target) -> Iterator[bytes]:
    token, here = reference_token(), "/tickets"
    for _ in range(DEEP - 1):
        items = target.server.get(here, _signed_in(token))["items"]
        if len(items) < PAGE:
            break
        here = f"/tickets?before={quote(items[-1]['created_at'])}"
    return cycle([target.get(here, token)])


def _our_tickets(target: Target) -> Iterator[bytes]:
    paths = (f"{API}/tickets/{id_}" for id_ in target.known["tickets"])
    return cycle([target.get(path, target.known["agent"]) for path in paths])


def _their_tickets(target: Target) -> Iterator[bytes]:
    paths = (f"/tickets/{_their_id(index)}" for index in target.known["indexes"])
    return cycle([target.get(path, reference_token()) for path in paths])


def _our_updates(target: Target) -> Iterator[bytes]:
    paths = [f"{API}/tickets/{id_}" for id_ in target.known["open_tickets"]]
    return _updates(target, paths, target.known["agent"], ("low", "high"))


def _their_updates(target: Target) -> Iterator[bytes]:
    paths = [f"/tickets/{_their_id(index)}" for index in target.known["open_indexes"]]
    return _updates(target, paths, reference_token(), ("low", "high"))


def _updates(target: Target, paths: list[str], token: str, values: tuple[str, ...]) -> Iterator[bytes]:
    """Each ticket in turn gets another priority each time: a change that changes nothing would cost nothing."""
    for value in cycle(values):
        yield from (target.send("PATCH", path, token, {"priority": value}) for path in paths)


def _our_comments(target: Target) -> Iterator[bytes]:
    paths = [f"{API}/tickets/{id_}/comments" for id_ in target.known["open_tickets"]]
    return _comments(target, paths, target.known["agent"])


def _their_comments(target: Target) -> Iterator[bytes]:
    paths = [f"/tickets/{_their_id(index)}/comments" for index in target.known["open_indexes"]]
    return _comments(target, paths, reference_token())


def _comments(target: Target, paths: list[str], token: str) -> Iterator[bytes]:
    random_ = random.Random(7)
    for path in cycle(paths):
        yield target.send("POST", path, token, {"body": dataset.text(random_, 25)})


def _our_creations(target: Target) -> Iterator[bytes]:
    return _creations(target, f"{API}/tickets", target.known["agent"])


def _their_creations(target: Target) -> Iterator[bytes]:
    return _creations(target, "/tickets", reference_token())


def _creations(target: Target, path: str, token: str) -> Iterator[bytes]:
    random_ = random.Random(7)
    while True:
        texts = {"title": dataset.text(random_, 7).capitalize(), "description": dataset.text(random_, 70)}
        yield target.send("POST", path, token, {**texts, "priority": "high", "category": "software"})


def _their_id(index: int) -> str:
    return f"{index + 1:024x}"


def _signed_in(token: str) -> dict[str, str]:
    scheme = "Api-Key" if token.startswith("tk_") else "Bearer"
    return {"Authorization": f"{scheme} {token}"}
