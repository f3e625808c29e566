"""Bytes that are sent to an address of their own: to the bucket's, or, where there is none, to ours.

Either way they arrive under a key that their sender can write to for a while. An attachment gets a copy, and what is
known about it is what the copy says.
"""

from collections.abc import Iterable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from django.core.files.storage import default_storage

from ticketing.errors import InvalidInput
from ticketing.mongo.repository import Document
from tickets.attachments.files import HEAD_BYTES, Measured, find_bucket, measure_chunks, sniff, storage_errors, store
from tickets.attachments.rules import check_arrived, check_sha256

if TYPE_CHECKING:  # it brings boto3
    from tickets.attachments.bucket import Bucket


@storage_errors()
def receive(upload: Document, chunks: Iterable[bytes]) -> None:
    """Keeps the bytes on the file system, in place of what came before.

    Raises InvalidInput unless all of them came, FilesUnavailable.
    """
    target = Path(default_storage.path(upload["storage_key"]))
    target.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=target.parent, delete=False) as file:
        unfinished = Path(file.name)
        try:
            for chunk in chunks:
                file.write(chunk)
            check_arrived(upload, file.tell(), upload["content_type"])
        except BaseException:
            unfinished.unlink()
            raise
    unfinished.replace(target)


@storage_errors()
def take_over(upload: Document, key: str) -> Measured:
    """Copies what arrived to the key and tells what it is.

    Raises FileNotFoundError when nothing arrived, FilesUnavailable, and InvalidInput when it is not what was announced;
    then nothing is left of it.
    """
    bucket = find_bucket()
    try:
        measured = _copy_on_disk(upload, key) if bucket is None else _copy_in_bucket(bucket, upload, key)
        check_sha256(upload, measured.sha256)
        return measured
    except BaseException as error:
        default_storage.delete(key)
        if isinstance(error, InvalidInput):
            default_storage.delete(upload["storage_key"])
        raise


def _copy_on_disk(upload: Document, key: str) -> Measured:
    with default_storage.open(upload["storage_key"]) as file:
        check_arrived(upload, file.size, upload["content_type"])
        measured = measure_chunks(file.chunks(), upload["size"])
        file.seek(0)
        store(key, file)
    return measured


def _copy_in_bucket(bucket: "Bucket", upload: Document, key: str) -> Measured:
    """S3 copies and computes the checksum, so that only the first bytes come to us."""
    size, content_type, etag = bucket.describe(upload["storage_key"])
    check_arrived(upload, size, content_type)
    sha256 = bucket.copy(upload["storage_key"], key, etag=etag)
    return Measured(size, sha256, sniff(bucket.head(key, HEAD_BYTES)))
