"""Bodies that no client means: refused by name, with no work to speak of, and never a failure of ours."""

import json
from typing import Any

import pytest

from tests.abuse.operations import writes
from tests.cast import Cast, api
from tests.figures import tell
from ticketing.api.errors import PROBLEM_JSON
from ticketing.api.parsers import MAX_DEPTH

pytestmark = pytest.mark.django_db

DEEP = 100_000
HOSTILE = {
    "deep lists": b'{"a":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep and never closed": b'{"a":' * DEEP,
    "a level too deep": b'{"a":' + b"[" * MAX_DEPTH + b"1" + b"]" * MAX_DEPTH + b"}",
    "many names": json.dumps(dict.fromkeys(map(str, range(50_000)))).encode(),
    "a long list": json.dumps({"tags": ["x"] * 100_000}).encode(),
    "a huge number": b'{"version":' + b"9" * 100_000 + b"}",
    "a huge exponent": b'{"version":1e999999999}',
    "not a number": b'{"version":NaN}',
    "infinite": b'{"version":-Infinity}',
    "a NUL": b'{"title":"a\\u0000b"}',
    "a NUL in a name": b'{"ti\\u0000tle":"a"}',
    "a lone surrogate": b'{"title":"\\ud800"}',
    "a lone surrogate in a name": b'{"\\udfff":"a"}',
    "an overlong encoding": b'{"title":"\xc0\xaf"}',
    "Latin-1": '{"title":"Tür"}'.encode("latin-1"),
    "UTF-16": '{"title":"Tür"}'.encode("utf-16"),
    "UTF-32": '{"title":"Tür"}'.encode("utf-32"),
    "a byte order mark": b'\xef\xbb\xbf{"title":"a"}',
    "a list": b"[]",
    "a string": b'"title"',
    "null": b"null",
    "two objects": b"{}{}",
    "a comment": b'{"title":"a"/**/}',
    "single quotes": b"{'title': 'a'}",
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
    "a unicode bomb": json.dumps({"title": "a" + "\u0301" * 60_000}).encode(),
    "a ligature that grows": json.dumps({"title": "\ufdfa" * 20_000}).encode(),
}
TYPES = ("text/plain", "application/xml", "", "/", "multipart/form-data; boundary=")


def refused(answer: Any) -> int:
    """The status of an answer that says what is wrong as every answer does."""
    assert 400 <= answer.status_code < 500, answer.content[:300]
    assert answer["Content-Type"] == PROBLEM_JSON
    assert answer.json()["status"] == answer.status_code
    return int(answer.status_code)


def test_every_operation_refuses_them(cast: Cast) -> None:
    client = api(cast.ada)
    for operation in writes():
        for what, body in HOSTILE.items():
            answer = client.generic(operation.method, operation.url, body, content_type="application/json")
            assert refused(answer) in {400, 401, 404}, (operation, what)
    tell("Hostile bodies", "requests", f"{len(writes()) * len(HOSTILE):,}")


def test_a_body_above_the_limit_is_not_read(cast: Cast, settings: Any) -> None:
    client = api(cast.ada)
    for operation in writes():
        body = b'{"title": "' + b"a" * settings.MAX_BODY_BYTES + b'"}'
        if not operation.path.endswith("/attachments"):  # a file may be larger
            assert (
                refused(client.generic(operation.method, operation.url, body, content_type="application/json")) == 413
            )


@pytest.mark.parametrize("media_type", TYPES)
def test_other_media_types(cast: Cast, media_type: str) -> None:
    operation = next(each for each in writes() if str(each) == "POST /api/v1/tickets")
    answer = api(cast.ada).generic("POST", operation.url, b'{"title":"a"}', content_type=media_type)
    assert refused(answer) in {400, 415}


def test_of_a_name_that_stands_twice_the_last_value_counts(cast: Cast) -> None:
    answer = api(cast.ada).generic(
        "POST", "/api/v1/tickets", b'{"title":"first","title":"last"}', content_type="application/json"
    )
    assert (answer.status_code, answer.json()["title"]) == (201, "last")


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"&".join(b"a%d=1" % number for number in range(5000)), "application/x-www-form-urlencoded", 413),
        (b"title=a%00b", "application/x-www-form-urlencoded", 400),
        (b"--b\r\n" * 10_000, "multipart/form-data; boundary=b", 413),
        (b"no boundary at all", "multipart/form-data; boundary=b", 400),
        (b"a", "multipart/form-data", 400),
        (b'--b\r\nContent-Disposition: form-data; name="' + b"a" * 70_000, "multipart/form-data; boundary=b", 400),
    ],
)
def test_forms(cast: Cast, body: bytes, media_type: str, status: int) -> None:
    assert refused(api(cast.ada).generic("POST", "/api/v1/tickets", body, content_type=media_type)) == status


def test_too_many_files(cast: Cast) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\na\r\n'
    form = "multipart/form-data; boundary=b"
    url = f"/api/v1/tickets/{_ticket(cast)}/attachments"
    assert refused(api(cast.ada).generic("POST", url, part * 200 + b"--b--", content_type=form)) == 413


def _ticket(cast: Cast) -> str:
    return str(api(cast.carla).post("/api/v1/tickets", {"title": "Printer"}).json()["id"])


def test_an_answer_does_not_grow_with_the_faults_of_a_body(cast: Cast) -> None:
    url, client = "/api/v1/tickets", api(cast.ada)
    for what in ("many names", "a long list"):
        answer = client.generic("POST", url, HOSTILE[what], content_type="application/json")
        assert [error["code"] for error in answer.json()["errors"]] == ["too_many"]
        assert len(answer.content) < 1000
