"""Files that have no row, because a process died between storing the file and the row; and rows that have no file."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from django.core.files.storage import default_storage

from ticketing import clock
from ticketing.mongo import ObjectId
from tickets.attachments.files import folder_of
from tickets.attachments.repository import AttachmentRepository


@dataclass(slots=True)
class SweepReport:
    """Storage keys of files without a row (removed, unless it was a dry run), and of rows without a file."""

    orphans: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def sweep_files(tenant_id: ObjectId, *, older_than: timedelta, dry_run: bool = False) -> SweepReport:
    """Removes a tenant's files that have had no row for so long; younger ones may be uploads under way."""
    # Files first: whatever gets its row while this runs is then either not listed or has it.
    listed = set(_files_of(tenant_id))
    known = {row["storage_key"] for row in AttachmentRepository(tenant_id).stream({}, sort=[("storage_key", 1)])}
    report = SweepReport(missing=sorted(key for key in known - listed if not default_storage.exists(key)))
    limit = clock.now() - older_than
    for key in sorted(listed - known):
        if default_storage.get_modified_time(key) <= limit:
            report.orphans.append(key)
            if not dry_run:
                default_storage.delete(key)
    return report


def _files_of(tenant_id: ObjectId) -> Iterator[str]:
    folder = folder_of(tenant_id)
    try:
        _, names = default_storage.listdir(folder)
    except FileNotFoundError:  # nothing was ever stored
        return
    yield from (f"{folder}/{name}" for name in names)
