"""Where a backup lies: in a folder, or in an S3 bucket. Both take and give streams, so memory stays small."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from ticketing.errors import InvalidInput

S3 = "s3://"
PART_BYTES = 8 * 1024 * 1024  # S3 takes 10,000 parts, so a file of 80 GB; each file under way holds one in memory


class Sink(Protocol):
    """What a file of a backup is written to."""

    def write(self, data: bytes, /) -> Any: ...


class Stream(Protocol):
    """What a file of a backup is read from; may give less than it is asked for."""

    def read(self, size: int, /) -> bytes: ...


class Place(Protocol):
    """Names are relative, with slashes. Every method raises InvalidInput for what cannot be read or written."""

    def check_empty(self) -> None: ...

    def write(self, name: str) -> AbstractContextManager[Sink]:
        """A new file. It is there when the block ends, and not when the block fails."""
        ...

    def read(self, name: str) -> AbstractContextManager[Stream]: ...

    def settle(self) -> None:
        """Makes sure that all that was written survives a power failure."""
        ...


def open_place(address: str) -> Place:
    """The place of an address: a folder's path, or ``s3://bucket/prefix``."""
    if address.startswith(S3):
        bucket, _, prefix = address.removeprefix(S3).partition("/")
        if not bucket:
            raise InvalidInput.of("place", f"{address} names no bucket")
        return Bucket(bucket, prefix.strip("/"))
    return Folder(Path(address))


class Folder:
    """A folder that only its owner can read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __str__(self) -> str:
        return str(self._path)

    def check_empty(self) -> None:
        with _told_from_os(self._path):
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(self._path.iterdir()):
                raise InvalidInput.of("place", f"{self} is not empty")
            self._path.chmod(0o700)

    @contextmanager
    def write(self, name: str) -> Iterator[BinaryIO]:
        path = self._path / name
        with _told_from_os(path):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        with _told_from_os(path):
            try:
                with file:
                    yield file
            except BaseException:
                path.unlink()
                raise

    @contextmanager
    def read(self, name: str) -> Iterator[BinaryIO]:
        path = self._path / name
        with _told_from_os(path), path.open("rb") as file:
            yield file

    def settle(self) -> None:
        os.sync()


class Bucket:
    """A prefix in an S3 bucket; credentials and region are found as boto3 finds them."""

    def __init__(self, bucket: str, prefix: str) -> None:
        import boto3

        self._bucket, self._prefix = bucket, prefix
        self._client = boto3.client("s3")

    def __str__(self) -> str:
        return f"{S3}{self._bucket}/{self._prefix}"

    def check_empty(self) -> None:
        with _told_from_s3(str(self)):
            prefix = f"{self._prefix}/" if self._prefix else ""
            if self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix, MaxKeys=1)["KeyCount"]:
                raise InvalidInput.of("place", f"{self} is not empty")

    @contextmanager
    def write(self, name: str) -> Iterator[Sink]:
        with _told_from_s3(f"{self}/{name}"):
            upload = _Upload(self._client, Bucket=self._bucket, Key=self._key(name))
            try:
                yield upload
                upload.complete()
            except BaseException:
                upload.abort()
                raise

    @contextmanager
    def read(self, name: str) -> Iterator[Stream]:
        with _told_from_s3(f"{self}/{name}"):
            body = self._client.get_object(Bucket=self._bucket, Key=self._key(name))["Body"]
            try:
                yield body
            finally:
                body.close()

    def settle(self) -> None:
        """S3 has answered only when it was."""

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}" if self._prefix else name


class _Upload:
    """A stream into one object, a part at a time; S3 wants to know a file's size before, which nobody does."""

    def __init__(self, client: Any, **where: str) -> None:
        self._client, self._where = client, where
        self._buffer = bytearray()
        self._id = ""
        self._parts: list[dict[str, Any]] = []

    def write(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= PART_BYTES:
            with memoryview(self._buffer) as buffer:
                part = bytes(buffer[:PART_BYTES])
            del self._buffer[:PART_BYTES]
            self._send(part)

    def complete(self) -> None:
        if not self._id:
            self._client.put_object(Body=bytes(self._buffer), **self._where)
            return
        if self._buffer:
            self._send(bytes(self._buffer))
        self._client.complete_multipart_upload(UploadId=self._id, MultipartUpload={"Parts": self._parts}, **self._where)

    def abort(self) -> None:
        if self._id:
            self._client.abort_multipart_upload(UploadId=self._id, **self._where)

    def _send(self, part: bytes) -> None:
        if not self._id:
            self._id = self._client.create_multipart_upload(**self._where)["UploadId"]
        number = len(self._parts) + 1
        answer = self._client.upload_part(UploadId=self._id, PartNumber=number, Body=part, **self._where)
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"]})


@contextmanager
def _told_from_os(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # Others' files are read within the block too: only what is ours is told of.
        if error.filename is not None and Path(error.filename) != path:
            raise
        raise InvalidInput.of("place", f"{path}: {error.strerror or error}") from error


@contextmanager
def _told_from_s3(what: str) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise InvalidInput.of("place", f"{what}: {error}") from error
