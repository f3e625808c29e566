"""Files that have no row, because a process died between storing the file and the row; and rows that have no file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from operator import itemgetter

from django.core.files.storage import default_storage

from tenants.models import Tenant
from ticketing import clock
from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Repository
from tickets.attachments.files import exports_folder_of, find_bucket, folder_of, incoming_folder_of
from tickets.attachments.repository import AttachmentRepository, UploadRepository
from tickets.transfer.repository import ExportRepository

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Swept:
    """The storage keys of one batch's files without a row, and the last key that was looked at."""

    orphans: list[str]
    last: str


def sweep_all(*, older_than: timedelta, after: str = "") -> Iterator[Swept]:
    """``sweep_files`` for all tenants, in the order of the storage's keys; ``after`` is where an earlier one ended."""
    tenants = Tenant.objects.values_list("pk", flat=True)
    folders = {folder: owner for tenant_id in tenants for folder, owner in _folders_of(tenant_id).items()}
    for folder, owner in sorted(folders.items(), key=itemgetter(0)):
        if f"{folder}/~" > after:  # a key has letters, digits and a point only
            yield from _sweep_folder(folder, owner, older_than, after=after)


def sweep_files(tenant_id: ObjectId, *, older_than: timedelta, dry_run: bool = False) -> list[str]:
    """Removes a tenant's files that have had no row for so long, and returns their keys; unless it is a dry run.

    Younger ones may be attachments in the making.
    """
    return [
        key
        for folder, owner in _folders_of(tenant_id).items()
        for swept in _sweep_folder(folder, owner, older_than, dry_run=dry_run)
        for key in swept.orphans
    ]


def find_missing_files(tenant_id: ObjectId) -> list[str]:
    """The storage keys of attachments whose file is not there."""
    listed = {key for key, _ in _files_in(folder_of(tenant_id))}
    rows = AttachmentRepository(tenant_id).stream({}, sort=[("storage_key", 1)])
    keys = (row["storage_key"] for row in rows)
    return [key for key in keys if key not in listed and not default_storage.exists(key)]


def _folders_of(tenant_id: ObjectId) -> dict[str, Repository]:
    """The tenant's folders, each with whose rows know the files in it."""
    return {
        folder_of(tenant_id): AttachmentRepository(tenant_id),
        incoming_folder_of(tenant_id): UploadRepository(tenant_id),
        exports_folder_of(tenant_id): ExportRepository(tenant_id),
    }


def _sweep_folder(
    folder: str, owner: Repository, older_than: timedelta, *, after: str = "", dry_run: bool = False
) -> Iterator[Swept]:
    files = _files_in(folder, after)
    limit = clock.now() - older_than
    while batch := dict(islice(files, BATCH)):
        # The files were listed first: whatever gets its row meanwhile is either not among them or has it.
        rows = owner.find({"storage_key": {"$in": list(batch)}}, fields=["storage_key"])
        known = {row["storage_key"] for row in rows}
        orphans = [key for key, changed_at in batch.items() if key not in known and changed_at <= limit]
        for key in orphans if not dry_run else ():
            default_storage.delete(key)
        yield Swept(orphans, max(batch))


def _files_in(folder: str, after: str = "") -> Iterator[tuple[str, datetime]]:
    """The keys of a folder's files in their order, each with the time of its last change."""
    bucket = find_bucket()
    if bucket is not None:
        yield from bucket.entries(folder, after)
        return
    try:
        _, names = default_storage.listdir(folder)
    except FileNotFoundError:  # nothing was ever stored
        return
    for key in sorted(f"{folder}/{name}" for name in names):
        if key > after:
            try:
                yield key, default_storage.get_modified_time(key)
            except FileNotFoundError:  # it was moved or removed just now
                continue
