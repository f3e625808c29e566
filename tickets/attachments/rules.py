"""Pure rules of attachments: names, types and sizes."""

import re
import unicodedata
from codecs import getincrementaldecoder
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from ticketing.errors import InvalidInput, Message

MAX_NAME = 200
MAX_SUFFIX = 20
MAX_TYPE = 120
UNKNOWN_TYPE, TEXT_TYPE = "application/octet-stream", "text/plain"
UNNAMED = "file"
# Windows takes these for devices, whatever ending they have.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}

# RFC 6838, section 4.2: what a media type's name is made of.
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")
_TEXT_CONTROLS = frozenset("\t\n\r\f")


def clean_name(name: str) -> str:
    """A file's name to show and to save under: the last part of a path, of visible characters, at most 200 of them.

    Control characters and those that change the direction of writing go, since they disguise a name (Unicode TR 36).
    A name that is too long keeps its ending, a device's gets a line before it. Nothing left becomes ``file``.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    visible = "".join(" " if character.isspace() else character for character in last if _is_visible(character))
    cleaned = " ".join(visible.split()).rstrip(". ")
    if len(cleaned) > MAX_NAME:
        suffix = PurePosixPath(cleaned).suffix[:MAX_SUFFIX]
        cleaned = cleaned[: MAX_NAME - len(suffix)].rstrip(". ") + suffix
    if cleaned.partition(".")[0].strip().lower() in _DEVICES:
        cleaned = f"_{cleaned}"
    return cleaned or UNNAMED


def clean_type(declared: str | None) -> str:
    """The media type that the sender declared, without parameters; the unknown type for anything malformed."""
    media_type = (declared or "").partition(";")[0].strip().lower()
    return media_type if len(media_type) <= MAX_TYPE and _MEDIA_TYPE.fullmatch(media_type) else UNKNOWN_TYPE


def is_text(head: bytes) -> bool:
    """Whether the first bytes of a file are readable UTF-8, possibly cut within a character."""
    try:
        text = getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return all(character in _TEXT_CONTROLS or unicodedata.category(character) != "Cc" for character in text)


def check_not_empty(size: int) -> None:
    """Raises InvalidInput for an empty file."""
    if not size:
        raise InvalidInput.of("file", "is empty", "empty")


def check_type(declared: str) -> str:
    """The media type that an upload is announced with, without parameters. Raises InvalidInput for anything else."""
    cleaned = clean_type(declared)
    if cleaned == UNKNOWN_TYPE != declared.strip().lower():
        raise InvalidInput.of("content_type", "is not a media type, such as image/png")
    return cleaned


def check_arrived(announced: Mapping[str, Any], size: int, content_type: str) -> None:
    """Compares what came with what was announced. Raises InvalidInput naming what differs."""
    if size != announced["size"]:
        text = Message("{size} bytes came, {announced} were announced", size=size, announced=announced["size"])
        raise InvalidInput.of("size", text, "mismatch")
    if clean_type(content_type) != announced["content_type"]:
        message = Message(
            "{type} came, {announced} was announced",
            type=clean_type(content_type),
            announced=announced["content_type"],
        )
        raise InvalidInput.of("content_type", message, "mismatch")


def check_sha256(announced: Mapping[str, Any], sha256: str) -> None:
    """Compares the bytes' checksum with the announced one, if there is one. Raises InvalidInput."""
    if announced["sha256"] not in {"", sha256}:
        raise InvalidInput.of("sha256", Message("the bytes that came have {sha256}", sha256=sha256), "mismatch")


def _is_visible(character: str) -> bool:
    return character.isspace() or not unicodedata.category(character).startswith("C")
