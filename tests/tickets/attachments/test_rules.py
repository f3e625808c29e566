"""Names and types of files, as senders invent them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.attachments.files import sniff
from tickets.attachments.rules import MAX_NAME, clean_name, clean_type, is_text

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 24


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\Carla\\photo.png", "photo.png"),
        ("/", "file"),
        ("..", "file"),
        ("", "file"),
        ("a\0b\r\nc.txt", "ab c.txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("\u2066\u200bx.txt\u2069", "x.txt"),
        ("  many   spaces .txt. ", "many spaces .txt"),
        ("U\u0308bersicht.txt", "Übersicht.txt"),
        ("nul.txt", "_nul.txt"),
        ("COM1", "_COM1"),
        ("console.log", "console.log"),
        ("résumé – final.docx", "résumé – final.docx"),
    ],
)
def test_names(given_name: str, name: str) -> None:
    assert clean_name(given_name) == name


def test_a_long_name_keeps_its_ending() -> None:
    name = clean_name("x" * 300 + ".tar.gz")
    assert len(name) == MAX_NAME
    assert name.endswith("x.gz")


@given(st.text())
def test_any_name_becomes_a_harmless_one(text: str) -> None:
    name = clean_name(text)
    assert 1 <= len(name) <= MAX_NAME
    assert not set(name) & {"/", "\\"}
    assert name not in (".", "..")
    assert not any(unicodedata.category(character).startswith("C") for character in name)
    assert clean_name(name) == name


@pytest.mark.parametrize(
    ("declared", "kept"),
    [
        ("image/png", "image/png"),
        ("Text/HTML; charset=utf-8", "text/html"),
        ("", "application/octet-stream"),
        (None, "application/octet-stream"),
        ("nonsense", "application/octet-stream"),
        ("text/html\r\nX-Evil: 1", "application/octet-stream"),
        ("a/" + "b" * 200, "application/octet-stream"),
    ],
)
def test_declared_types(declared: str | None, kept: str) -> None:
    assert clean_type(declared) == kept


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (PNG, "image/png"),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"PK\x03\x04" + b"\0" * 30, "application/zip"),
        (b"<html><script>alert(1)</script>", "text/plain"),
        ("Grüße\n".encode(), "text/plain"),
        (b"\x00\x01\x02\x03", "application/octet-stream"),
        (b"\xff\xfe\xfd", "application/octet-stream"),
    ],
)
def test_sniffed_types(head: bytes, found: str) -> None:
    assert sniff(head) == found


def test_text_may_be_cut_within_a_character() -> None:
    assert is_text("naïve €".encode()[:-1])
    assert not is_text(b"\xe2\x28\xa1")
