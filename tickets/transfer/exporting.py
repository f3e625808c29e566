"""Writes everything a tenant owns into a folder, as it was at one moment."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.core.files.storage import default_storage

from accounts.repository import ApiKeyRepository, UserRepository
from tenants.models import Tenant
from tenants.repository import TenantRepository
from tenants.services import record
from ticketing import clock
from ticketing.errors import Conflict, InvalidInput
from ticketing.mongo.client import snapshot
from ticketing.mongo.counters import last_number
from ticketing.mongo.extended_json import to_json
from ticketing.mongo.repository import Document
from tickets.attachments.repository import AttachmentRepository
from tickets.transfer.archive import (
    ATTACHMENTS,
    COLLECTIONS,
    FILES,
    MANIFEST,
    TENANT,
    Collection,
    FileEntry,
    Manifest,
    read_documents,
)
from tickets.transfer.batches import batches

FILES_AT_ONCE = 500
OnProgress = Callable[[int], None]
# What the tenant is, without what the place it lies in makes of it.
_NOT_OF_THE_TENANT = ("staff_changes", "hold_changes", "storage_bytes", "version")


class FileMissing(Conflict):
    """An attachment's row has no file of its size and checksum in the storage."""

    code, title = "file_missing", "An attachment's file is missing or damaged"


def count_documents(tenant: Tenant) -> int:
    """How many documents and files an export has about; for a progress bar."""
    counts = {each.name: each.repository(tenant.pk).count({}) for each in COLLECTIONS}
    return sum(counts.values()) + counts[ATTACHMENTS.name]


def export_tenant(
    tenant: Tenant, folder: Path, *, by: str, credentials: bool = True, on_progress: OnProgress = lambda _: None
) -> Manifest:
    """Writes the tenant's export into a new or empty folder, readable by its owner only. The manifest comes last.

    Without ``credentials`` nobody has a password in it, and there are no API keys. All documents are of one moment;
    reading them may take as long as ticketing.mongo.client.snapshot says. Raises InvalidInput for a folder that cannot
    be used, FileMissing, SnapshotTooOld.
    """
    _prepare(folder)
    record("tenant.exported", by=by, tenant_id=tenant.pk)
    files: dict[str, FileEntry] = {}
    with snapshot():
        exported_at = clock.now()
        own = _without(TenantRepository().get(tenant.pk), _NOT_OF_THE_TENANT)
        files[TENANT] = _write(folder / TENANT, [dict(sorted(own.items()))])
        for each in COLLECTIONS:
            rows = _counted(each.repository(tenant.pk).stream({}, sort=each.order), on_progress)
            if each is ATTACHMENTS:
                rows = (_without(row, ("storage_key",)) for row in rows)
            if not credentials:
                rows = _without_credentials(each, rows)
            files[each.file_name] = _write(folder / each.file_name, rows)
        number = last_number(tenant.pk, "tickets")
    # Files never change, so they need not be read at that moment.
    size = sum(_fetch_files(tenant, folder, on_progress))
    manifest = Manifest(
        tenant=tenant.slug,
        tenant_id=str(tenant.pk),
        exported_at=exported_at.isoformat(),
        last_number=number,
        attachment_files=files[ATTACHMENTS.file_name].rows,
        attachment_bytes=size,
        files=files,
        credentials=credentials,
    )
    with _private(folder / MANIFEST) as file:
        file.write(manifest.to_text().encode())
    return manifest


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise InvalidInput.of("folder", f"{folder} is not empty")
        folder.chmod(0o700)
        (folder / FILES).mkdir(mode=0o700)
    except OSError as error:
        raise InvalidInput.of("folder", f"{folder}: {error.strerror}") from None


def _write(path: Path, documents: Iterable[Document]) -> FileEntry:
    digest = hashlib.sha256()
    size = rows = 0
    with _private(path) as file:
        for document in documents:
            line = to_json(document).encode() + b"\n"
            digest.update(line)
            file.write(line)
            size += len(line)
            rows += 1
    return FileEntry(digest.hexdigest(), size, rows)


def _fetch_files(tenant: Tenant, folder: Path, on_progress: OnProgress) -> Iterator[int]:
    """Copies the files of the exported attachments out of the storage; yields their sizes."""
    for rows in batches(read_documents(folder / ATTACHMENTS.file_name), FILES_AT_ONCE):
        keys = AttachmentRepository(tenant.pk).find_by_ids([row["_id"] for row in rows], fields=["storage_key"])
        for row in rows:
            yield _fetch(row, keys.get(row["_id"], {}).get("storage_key"), folder / FILES / str(row["_id"]))
            on_progress(1)


def _fetch(row: Document, key: str | None, target: Path) -> int:
    digest = hashlib.sha256()
    size = 0
    try:
        with default_storage.open(key or "") as source, _private(target) as file:
            for chunk in source.chunks():
                digest.update(chunk)
                file.write(chunk)
                size += len(chunk)
    except OSError as error:
        raise FileMissing(f"The file of attachment {row['_id']} ({row['name']}) cannot be read: {error}") from None
    if (digest.hexdigest(), size) != (row["sha256"], row["size"]):
        raise FileMissing(f"The file of attachment {row['_id']} ({row['name']}) is not the one that was uploaded")
    return size


def _counted(rows: Iterable[Document], on_progress: OnProgress) -> Iterator[Document]:
    for row in rows:
        yield row
        on_progress(1)


def _without(document: Document, names: Iterable[str]) -> Document:
    return {name: value for name, value in document.items() if name not in names}


def _without_credentials(each: Collection, rows: Iterator[Document]) -> Iterator[Document]:
    if each.repository is ApiKeyRepository:
        return iter(())
    if each.repository is UserRepository:
        return (row | {"password": UNUSABLE_PASSWORD_PREFIX} for row in rows)
    return rows


def _private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
