"""Makes a backup: everything, or everything of one tenant, as it was at one moment."""

import time

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from tenants.models import Tenant
from tenants.services import record
from ticketing import clock
from ticketing.errors import Conflict
from ticketing.mongo import ObjectId, dump
from ticketing.mongo.client import SnapshotTooOld, snapshot
from tickets.backup.contents import ATTACHMENTS, LEFT_OUT, backed_up
from tickets.backup.files import OnProgress, save_files
from tickets.backup.manifest import CollectionEntry, Manifest, collection_file
from tickets.backup.places import Place
from tickets.backup.streams import Summed, compressed


def count_steps(tenant: Tenant | None, *, with_files: bool) -> int:
    """How many documents and files a backup has about; for a progress bar."""
    tenant_id = tenant.pk if tenant else None
    counts = {name: dump.count(name, backed_up(name, tenant_id)) for name in dump.collection_names()}
    return sum(counts.values()) + (counts.get(ATTACHMENTS, 0) if with_files else 0)


def back_up(
    place: Place, *, tenant: Tenant | None, with_files: bool, by: str, on_progress: OnProgress = lambda _: None
) -> Manifest:
    """Writes a backup into an empty place; the manifest comes last, and without it a backup counts as none.

    Raises InvalidInput for a place that cannot be used, Conflict while indexes change, and SnapshotTooOld when reading
    the documents took longer than the server keeps a moment for.
    """
    place.check_empty()
    tenant_id = tenant.pk if tenant else None
    started = time.monotonic()
    try:
        with snapshot():
            cluster_time, names = dump.begin_moment()
            made_at = clock.now()
            migrations = sorted(".".join(key) for key in MigrationRecorder(connection).applied_migrations())
            if not migrations:
                raise Conflict("There is nothing to back up: the database has never been migrated")
            entries = {name: _save(place, name, tenant_id, on_progress) for name in names}
    except SnapshotTooOld as error:
        raise _too_old(time.monotonic() - started) from error
    manifest = Manifest(
        made_at=made_at.isoformat(),
        cluster_time=cluster_time,
        server=dump.server_version(),
        database=connection.settings_dict["NAME"],
        tenant_id=str(tenant_id or ""),
        tenant=tenant.slug if tenant else "",
        migrations=migrations,
        left_out=sorted(LEFT_OUT.keys() & names),
        collections=entries,
        files=save_files(place, entries[ATTACHMENTS].file, on_progress) if with_files else None,
    )
    place.settle()
    manifest.write(place)
    place.settle()
    record("backup.made", by=by, tenant_id=tenant_id, place=str(place))
    return manifest


def _save(place: Place, name: str, tenant_id: ObjectId | None, on_progress: OnProgress) -> CollectionEntry:
    description = dump.describe(name)
    documents = size = 0
    with place.write(collection_file(name)) as file:
        summed = Summed(file)
        with compressed(summed) as stream:
            for batch in dump.read_raw(name, backed_up(name, tenant_id)):
                stream.write(batch)
                size += len(batch)
                documents += (number := dump.count_raw(batch))
                on_progress(number)
    return CollectionEntry(summed.checksum, documents, size, description.options, description.indexes)


def _too_old(seconds: float) -> SnapshotTooOld:
    wanted = int(max(600, seconds * 4))
    return SnapshotTooOld(
        f"After {seconds:.0f} s the server no longer had the moment that was being read. Let every node keep one for "
        f"longer, db.adminCommand({{setParameter: 1, minSnapshotHistoryWindowInSeconds: {wanted}}}), and run it again"
    )
