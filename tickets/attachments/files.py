"""The bytes: measuring an upload, keeping it in the storage, and getting it back."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

import filetype
from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile

from ticketing.errors import TooLarge
from ticketing.mongo import ObjectId
from tickets.attachments.rules import TEXT_TYPE, UNKNOWN_TYPE, check_not_empty, is_text

_HEAD = 8192


@dataclass(frozen=True, slots=True)
class Measured:
    """What the bytes themselves say."""

    size: int
    sha256: str
    sniffed_type: str


def measure(upload: "UploadedFile[Any]") -> Measured:
    """Reads an upload chunk by chunk, no further than the limit. Raises TooLarge, InvalidInput when it is empty."""
    limit: int = settings.MAX_FILE_BYTES
    digest, size, head = hashlib.sha256(), 0, b""
    for chunk in upload.chunks():
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"A file can have {limit} bytes at most", data={"limit": limit})
        digest.update(chunk)
        if len(head) < _HEAD:
            head += bytes(chunk[: _HEAD - len(head)])
    check_not_empty(size)
    return Measured(size, digest.hexdigest(), sniff(head))


def sniff(head: bytes) -> str:
    """The media type that a file's first bytes show; readable text is text/plain, whatever language it is in."""
    known: str | None = filetype.guess_mime(head)
    return known or (TEXT_TYPE if is_text(head) else UNKNOWN_TYPE)


def new_key(tenant_id: ObjectId) -> str:
    """A place in the storage that nobody can guess and nothing of the sender's is in."""
    return f"{folder_of(tenant_id)}/{secrets.token_hex(16)}"


def folder_of(tenant_id: ObjectId) -> str:
    """The storage's folder for a tenant."""
    return str(tenant_id)


def store(key: str, upload: "UploadedFile[Any]") -> None:
    """Keeps an upload under the key. A failure leaves nothing behind, as far as the storage still answers."""
    # As a plain file, because the storage would move a large upload's temporary file away: a transaction that is tried
    # again stores it again.
    try:
        default_storage.save(key, File(upload.file))
    except BaseException:
        default_storage.delete(key)
        raise
