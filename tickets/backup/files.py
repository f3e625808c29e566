"""The attachments' files: from the storage into a backup and back, some at a time, because storages answer slowly."""

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, Any, TypeVar, cast

from django.core.files.base import File
from django.core.files.storage import default_storage

from ticketing.errors import Conflict, InvalidInput
from ticketing.mongo import ObjectId
from ticketing.mongo.dump import RawDocument, split
from tickets.attachments.files import storage_errors
from tickets.backup.contents import ATTACHMENTS, owner_of
from tickets.backup.manifest import FILES_INDEX, Checksum, FilesEntry, Manifest, attachment_file, collection_file
from tickets.backup.places import Place
from tickets.backup.streams import CHUNK, Summed, checked, compressed
from tickets.transfer.batches import batches

AT_ONCE, IN_A_BATCH = 8, 64
IN_MEMORY = 4 * 1024 * 1024  # of a file; the rest of it waits on the disk
T = TypeVar("T")
R = TypeVar("R")
OnProgress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A line of the index: a file of the storage and the tenant that owns it."""

    key: str
    tenant: str
    sha256: str
    bytes: int

    @property
    def checksum(self) -> Checksum:
        return Checksum(self.sha256, self.bytes)


def save_files(place: Place, attachments: Checksum, on_progress: OnProgress) -> FilesEntry:
    """Copies the file of each attachment that is in the backup already, and writes their index.

    Files never change, so they need not be read at the backup's moment; one that was removed since counts as missing.
    """
    count, size, missing = 0, 0, []
    with place.write(FILES_INDEX) as file:
        summed = Summed(file)
        with compressed(summed) as index, checked(place, collection_file(ATTACHMENTS), attachments) as rows:
            for row, stored in _at_once(lambda row: _save(place, row), split(rows)):
                if stored is None:
                    missing.append(row["storage_key"])
                else:
                    index.write(json.dumps(asdict(stored)).encode() + b"\n")
                    count, size = count + 1, size + stored.bytes
                on_progress(1)
    return FilesEntry(summed.checksum, count, size, missing)


def check_files(place: Place, manifest: Manifest, tenant_id: ObjectId | None, on_progress: OnProgress) -> int:
    """Compares every file of the tenant, or of all, with its checksum; returns how many. Raises InvalidInput."""
    return sum(1 for _ in _at_once(lambda file: _check(place, file), _indexed(place, manifest, tenant_id, on_progress)))


def load_files(place: Place, manifest: Manifest, tenant_id: ObjectId | None, on_progress: OnProgress) -> int:
    """Stores every file of the tenant, or of all, under its old key; returns how many. What is there already stays.

    Raises Conflict where another file has the key.
    """
    return sum(1 for _ in _at_once(lambda file: _load(place, file), _indexed(place, manifest, tenant_id, on_progress)))


def _save(place: Place, row: RawDocument) -> StoredFile | None:
    """None when the file is not there, or not the one that was uploaded; then nothing is left in the backup.

    Raises FilesUnavailable where that cannot be told.
    """
    key: str = row["storage_key"]
    with SpooledTemporaryFile(IN_MEMORY) as copy:
        try:
            with storage_errors(), default_storage.open(key) as source:
                checksum = _copy(source, copy)
        except FileNotFoundError:
            return None
        if checksum != Checksum(row["sha256"], row["size"]):
            return None
        with place.write(attachment_file(key)) as target:
            _copy(copy, target)
    return StoredFile(key, str(owner_of(ATTACHMENTS, row)), checksum.sha256, checksum.bytes)


def _indexed(
    place: Place, manifest: Manifest, tenant_id: ObjectId | None, on_progress: OnProgress
) -> Iterator[StoredFile]:
    if manifest.files is None:
        return
    with checked(place, FILES_INDEX, manifest.files.index) as index:
        for line in index:
            try:
                file = StoredFile(**json.loads(line))
                attachment_file(file.key)
            except (TypeError, InvalidInput) as error:
                raise ValueError(str(error)) from None
            if tenant_id is None or file.tenant == str(tenant_id):
                yield file
                on_progress(1)


def _check(place: Place, file: StoredFile) -> None:
    with place.read(attachment_file(file.key)) as stored:
        summed = Summed(stored)
        while summed.read(CHUNK):
            pass
    if summed.checksum != file.checksum:
        raise InvalidInput.of("backup", f"{place}/{attachment_file(file.key)} is not the file that was backed up")


@storage_errors()
def _load(place: Place, file: StoredFile) -> None:
    if default_storage.exists(file.key):
        with default_storage.open(file.key) as present:
            if _copy(present, None) != file.checksum:
                raise Conflict(f"The storage has another file under the key {file.key}; move it away")
        return
    with SpooledTemporaryFile(IN_MEMORY) as copy:
        with place.read(attachment_file(file.key)) as stored:
            if _copy(stored, copy) != file.checksum:
                raise InvalidInput.of("backup", f"{place}/{attachment_file(file.key)} has changed meanwhile")
        name = default_storage.save(file.key, File(cast(IO[bytes], copy)))
    if name != file.key:
        default_storage.delete(name)
        raise Conflict(f"Something else is storing files at the same time: {file.key}")


def _copy(source: Any, target: Any) -> Checksum:
    """Passes one stream into another, or into nothing; the target is then at its start."""
    summed = Summed(source)
    while data := summed.read(CHUNK):
        if target is not None:
            target.write(data)
    if isinstance(target, SpooledTemporaryFile):
        target.seek(0)
    return summed.checksum


def _at_once(work: Callable[[T], R], items: Iterable[T]) -> Iterator[tuple[T, R]]:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for batch in batches(items, IN_A_BATCH):
            yield from zip(batch, threads.map(work, batch), strict=True)
