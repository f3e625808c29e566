"""The bytes: measuring a file, keeping it in the storage, and getting it back."""

import hashlib
import logging
import os
import secrets
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.http import UnreadablePostError

from ticketing.errors import FilesUnavailable, Message, TooLarge
from ticketing.mongo import ObjectId
from tickets.attachments.rules import TEXT_TYPE, UNKNOWN_TYPE, check_not_empty, is_text

if TYPE_CHECKING:  # it brings boto3
    from tickets.attachments.bucket import Bucket

HEAD_BYTES = 8192  # what a file's type is told by
INCOMING, EXPORTS = "incoming", "exports"
RETRY_AFTER_SECONDS = 30
logger = logging.getLogger("ticketing.attachments")


@dataclass(frozen=True, slots=True)
class Measured:
    """What the bytes themselves say."""

    size: int
    sha256: str
    sniffed_type: str


def measure(upload: "UploadedFile[Any]") -> Measured:
    """Reads an upload chunk by chunk, no further than the limit. Raises TooLarge, InvalidInput when it is empty."""
    measured = measure_chunks(upload.chunks(), settings.MAX_FILE_BYTES)
    check_not_empty(measured.size)
    return measured


def measure_chunks(chunks: Iterable[bytes], limit: int) -> Measured:
    """Reads chunk by chunk, no further than the limit. Raises TooLarge."""
    digest, size, head = hashlib.sha256(), 0, b""
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise TooLarge(Message("A file can have {limit} bytes at most", limit=limit), data={"limit": limit})
        digest.update(chunk)
        if len(head) < HEAD_BYTES:
            head += bytes(chunk[: HEAD_BYTES - len(head)])
    return Measured(size, digest.hexdigest(), sniff(head))


def sniff(head: bytes) -> str:
    """The media type that a file's first bytes show; readable text is text/plain, whatever language it is in."""
    import filetype

    known: str | None = filetype.guess_mime(head)
    return known or (TEXT_TYPE if is_text(head) else UNKNOWN_TYPE)


def new_key(tenant_id: ObjectId) -> str:
    """A place in the storage that nobody can guess and nothing of the sender's is in."""
    return f"{folder_of(tenant_id)}/{secrets.token_hex(16)}"


def new_incoming_key(tenant_id: ObjectId) -> str:
    """A place for bytes that have yet to become an attachment."""
    return f"{incoming_folder_of(tenant_id)}/{secrets.token_hex(16)}"


def folder_of(tenant_id: ObjectId) -> str:
    """The storage's folder for a tenant."""
    return str(tenant_id)


def incoming_folder_of(tenant_id: ObjectId) -> str:
    """The storage's folder for what a tenant's people send to addresses of its own."""
    return f"{INCOMING}/{tenant_id}"


def exports_folder_of(tenant_id: ObjectId) -> str:
    """The storage's folder for the archives that a tenant's admins ask for."""
    return f"{EXPORTS}/{tenant_id}"


def find_upload_origin() -> str:
    """Whereto browsers send files past us: the bucket's origin, as its presigned URLs have it; empty without a bucket.

    Told by the settings alone, because boto3 is slow to import.
    """
    bucket: str = settings.ATTACHMENTS_BUCKET
    if not bucket:
        return ""
    if endpoint := os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL"):
        parts = urlsplit(endpoint)
        return f"{parts.scheme}://{parts.netloc}"
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return f"https://{bucket}.s3.{region}.amazonaws.com" if region else f"https://{bucket}.s3.amazonaws.com"


def find_bucket() -> "Bucket | None":
    """The bucket that files are in, or None where they lie on the file system."""
    return cast("Bucket", default_storage) if hasattr(default_storage, "presigned_put") else None


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turns what a storage fails with into FilesUnavailable; a missing file and a sender who hung up are none."""
    try:
        yield
    except (FileNotFoundError, ConnectionError, UnreadablePostError):
        raise
    except Exception as error:
        if not _is_of_storage(error):
            raise
        logger.exception("the storage of files fails")
        raise FilesUnavailable(headers={"Retry-After": str(RETRY_AFTER_SECONDS)}) from error


def _is_of_storage(error: Exception) -> bool:
    """Botocore is asked only where it is there: without a bucket nothing imports it."""
    botocore = sys.modules.get("botocore.exceptions")
    return isinstance(error, OSError) or (
        botocore is not None and isinstance(error, (botocore.BotoCoreError, botocore.ClientError))
    )


@storage_errors()
def store(key: str, upload: "File[Any]") -> None:
    """Keeps a file under the key. A failure leaves nothing behind, as far as the storage still answers.

    Raises FilesUnavailable.
    """
    # As a plain file, because the storage would move a large upload's temporary file away: a transaction that is tried
    # again stores it again.
    try:
        default_storage.save(key, File(upload.file))
    except BaseException:
        default_storage.delete(key)
        raise
