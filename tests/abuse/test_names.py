"""Names and texts that want to be read as something else: of files in headers and forms, of people, of tickets."""

import re
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

import pytest
from rest_framework.test import APIClient

from tests.cast import Cast, api
from ticketing.mongo.client import get_database

pytestmark = pytest.mark.django_db
OVERRIDES = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
# A file's name as it is sent, and as it is kept.
FILE_NAMES = {
    'a"; filename="evil.exe': 'a"; filename="evil.exe',
    "a\\b.txt": "b.txt",
    "a;b=c, d.txt": "a;b=c, d.txt",
    "a\r\nSet-Cookie: a=b\r\n\r\n<script>.txt": None,  # whatever is left of it
    "a%0d%0aSet-Cookie: a=b.txt": "a%0d%0aSet-Cookie: a=b.txt",
    "../../../etc/passwd": "passwd",
    "..\\..\\windows\\system.ini": "system.ini",
    "/etc/passwd": "passwd",
    "C:\\autoexec.bat": "autoexec.bat",
    "....//....//passwd": "passwd",
    "%2e%2e%2fpasswd": "%2e%2e%2fpasswd",
    "․․∕passwd": "․․∕passwd",  # one-dot leaders and a division slash: letters like others
    "．．／passwd": "．．／passwd",  # full-width
    "invoice\u202efdp.exe": "invoicefdp.exe",
    f"a{OVERRIDES}b.txt": "ab.txt",
    "a\u200b\u200e\u200f\ufeffb.txt": "ab.txt",
    "تقرير.pdf": "تقرير.pdf",
    "דוח.pdf": "דוח.pdf",
    "🔥💾.png": "🔥💾.png",
    "ü" * 255 + ".txt": "ü" * 196 + ".txt",
    "x" * 255: "x" * 200,
    "€ rates": "€ rates",
    "UTF-8''evil.exe": "UTF-8''evil.exe",
    "=?utf-8?q?evil.exe?=": "=?utf-8?q?evil.exe?=",
}
# RFC 6266, section 4.1: one parameter, of a quoted string or of RFC 8187's characters.
_HEADER = re.compile(
    r"""attachment;\ (?:filename="(?P<quoted>(?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*)"
        |filename\*=utf-8''(?P<encoded>(?:[A-Za-z0-9!#$&+.^_`|~-]|%[0-9A-F]{2})+))""",
    re.VERBOSE,
)


def form(*parts: tuple[str, str]) -> bytes:
    """Multipart, with the disposition's parameters as they are given."""
    written = [f"--b\r\nContent-Disposition: form-data; {told}\r\n\r\n{content}\r\n" for told, content in parts]
    return "".join([*written, "--b--\r\n"]).encode()


def send(client: APIClient, ticket: str, body: bytes) -> Any:
    url = f"/api/v1/tickets/{ticket}/attachments"
    return client.generic("POST", url, body, content_type="multipart/form-data; boundary=b")


def named_in(header: str) -> str:
    """What a browser would save the file as."""
    found = _HEADER.fullmatch(header)
    assert found is not None, header
    if found["encoded"] is not None:
        return unquote(found["encoded"], errors="strict")
    return re.sub(r"\\(.)", r"\1", found["quoted"])


@pytest.fixture
def carla(cast: Cast) -> APIClient:
    return api(cast.carla)


@pytest.fixture
def ticket(carla: APIClient) -> str:
    return str(carla.post("/api/v1/tickets", {"title": "Printer"}).json()["id"])


@pytest.mark.parametrize("name", FILE_NAMES, ids=ascii)
def test_a_files_name_stays_in_its_header(carla: APIClient, ticket: str, name: str) -> None:
    announced = carla.post(
        f"/api/v1/tickets/{ticket}/uploads", {"name": name, "size": 1, "content_type": "text/plain"}, format="json"
    )
    quoted = name.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "").replace("\n", "")
    sent = send(carla, ticket, form((f'name="file"; filename="{quoted}"', "a")))
    assert sent.status_code == 201, sent.content
    assert announced.status_code in {201, 400}, announced.content
    kept = sent.json()["name"]
    if FILE_NAMES[name] is not None:
        assert kept == FILE_NAMES[name]
    answer = carla.get(sent.json()["url"])
    assert named_in(answer["Content-Disposition"]) == kept
    assert kept == PurePosixPath(kept).name
    assert not set(kept) & {"\r", "\n", "\\", *OVERRIDES}
    assert "Set-Cookie" not in answer.headers
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ([('name="file[$ne]"; filename="a.txt"', "a"), ('name="file"; filename="a.txt"', "a")], "file[$ne]"),
        ([('name="file.$where"; filename="a.txt"', "a"), ('name="file"; filename="a.txt"', "a")], "file.$where"),
        ([('name="file[0]"; filename="a.txt"', "a"), ('name="file"; filename="a.txt"', "a")], "file[0]"),
        ([('name="file"; filename="a.txt"', "a"), ('name="title[$ne]"', "x")], "title[$ne]"),
        ([('name="file"; filename="a.txt"', "a"), ('name="$where"', "sleep(1000)")], "$where"),
        ([('name="file"; filename="a.txt"', "a"), ('name="__proto__"', "x")], "__proto__"),
        ([('name="file"', "not a file")], "file"),
        ([('name="file"; filename=""', "a")], "file"),
        ([('name="file"; filename="a.txt"', "a"), ('name="comment[$ne]"', "")], "comment[$ne]"),
    ],
)
def test_a_field_of_a_form_is_what_its_name_says(
    carla: APIClient, ticket: str, parts: list[tuple[str, str]], field: str
) -> None:
    answer = send(carla, ticket, form(*parts))
    assert answer.status_code == 400, answer.content
    assert field in {error["field"] for error in answer.json()["errors"]}
    assert get_database()["attachments"].count_documents({}) == 0


def test_of_two_files_of_one_name_the_last_is_kept(carla: APIClient, ticket: str) -> None:
    parts = [(f'name="file"; filename="{name}"', name) for name in ("first.txt", "last.txt")]
    answer = send(carla, ticket, form(*parts))
    assert answer.status_code == 201, answer.content
    assert answer.json()["name"] == "last.txt"
    assert get_database()["attachments"].count_documents({}) == 1


@pytest.mark.parametrize("character", [*OVERRIDES, "\u2028", "\u2029", "\x00", "\x1b", "\x7f", "\x85"], ids=ascii)
def test_what_turns_a_line_around_is_refused_in_lines(cast: Cast, character: str) -> None:
    text = f"a{character}b"
    admin = api(cast.ada)
    asked = {
        "title": admin.post("/api/v1/tickets", {"title": text}, format="json"),
        "name": admin.patch("/api/v1/auth/me", {"name": text}, format="json"),
        "email": admin.post("/api/v1/users", {"email": f"{text}@example.test", "name": "X"}, format="json"),
    }
    for field, answer in asked.items():
        assert answer.status_code == 400, (field, answer.content)
        assert answer.json()["errors"][0]["field"] == field


def test_texts_keep_what_languages_need(cast: Cast) -> None:
    """Marks of direction and joiners are part of Arabic, Hebrew, Persian and emoji; a text of several lines is shown in
    an element of its own, so that what turns it around ends there."""
    text = "שלום\u200f, می\u200cخواهم 👩\u200d🚒"
    client = api(cast.carla)
    made = client.post("/api/v1/tickets", {"title": text, "description": f"{text}\u202eabc"}, format="json").json()
    assert (made["title"], made["description"]) == (text, f"{text}\u202eabc")


@pytest.mark.parametrize("known", [True, False])
def test_registering_is_bounded(cast: Cast, settings: Any, known: bool) -> None:
    """A taken address is answered 409, which tells that there is an account; how many one may ask about is limited."""
    settings.RATE_LIMIT_SIGN_IN_PER_MINUTE = 3
    get_database()["tenants"].update_one({"_id": cast.acme.pk}, {"$set": {"registration": "open"}})
    body = {"tenant": "acme", "name": "X", "password": "a new correct horse battery"}
    asked = [
        api().post(
            "/api/v1/auth/register",
            {**body, "email": cast.carla.email if known else f"new{n}@example.test"},
            REMOTE_ADDR=f"198.51.100.{known:d}",
        )
        for n in range(5)
    ]
    assert [answer.status_code for answer in asked] == [409 if known else 201] * 3 + [429] * 2
    assert all(int(answer["Retry-After"]) > 0 for answer in asked[3:])
