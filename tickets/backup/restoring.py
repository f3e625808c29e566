"""Puts a backup back: into an empty database, or one tenant beside others. All of it, or nothing.

What makes the rest reachable is written last, and until then a marker says that a restore is under way. One that fails
removes its documents again; of one that was killed the marker stays, and the next one has to be told to start over.
Files stay in either case: their keys are nobody else's, and the next restore passes over those that are there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from accounts.browser import end_browser_sessions
from tenants.services import record
from ticketing import clock
from ticketing.errors import AlreadyExists, Conflict, InvalidInput
from ticketing.mongo import ObjectId, dump
from tickets.backup.contents import LEFT_OUT, STAYS, TENANTS, load_order, of_tenant
from tickets.backup.files import OnProgress, load_files
from tickets.backup.manifest import Manifest
from tickets.backup.places import Place
from tickets.backup.verifying import documents_of, find_tenant, verify

MARKERS = "restores_under_way"
_EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Restored:
    """``to_migrate`` are the migrations that this version has and the backup had not."""

    documents: int
    files: int
    to_migrate: list[str]


def count_steps(manifest: Manifest) -> int:
    """How many steps ``restore`` tells of at most; for a progress bar."""
    return 2 * (manifest.documents + (manifest.files.count if manifest.files else 0))


def restore(
    place: Place, *, slug: str = "", start_over: bool = False, by: str, on_progress: OnProgress = lambda _: None
) -> Restored:
    """Restores everything into a database that has no collections; or one tenant, which must not exist.

    ``slug`` takes one tenant out of a backup of all. ``start_over`` removes what a killed restore has left. Everything
    is verified before anything is written. Raises InvalidInput for a damaged backup, Conflict when the target, its
    schema or the files that are there do not allow it.
    """
    manifest = Manifest.read(place)
    tenant = find_tenant(place, manifest, slug or manifest.tenant) if slug or manifest.tenant else None
    tenant_id: ObjectId | None = tenant["_id"] if tenant else None
    to_migrate = _check_schema(manifest, whole=tenant is None)
    marker: Any = tenant_id or _EVERYTHING
    if start_over:
        _remove_remains(marker, tenant_id)
    _check_ended(marker)
    _check_target(manifest, tenant)
    counts = verify(place, manifest, tenant_id, on_progress).documents
    _mark(marker, place)
    try:
        _check_target(manifest, tenant)  # again, since verifying takes long: a failure removes what it finds there
    except BaseException:
        _unmark(marker)
        raise
    try:
        files = load_files(place, manifest, tenant_id, on_progress)
        for name in load_order(list(manifest.collections)):
            _load(place, manifest, name, tenant_id, counts[name], on_progress)
    except BaseException:
        _remove(tenant_id)
        _unmark(marker)
        raise
    if tenant_id is not None:
        end_browser_sessions(tenant_id)
    _unmark(marker)
    record("backup.restored", by=by, tenant_id=tenant_id, place=str(place), made_at=manifest.made_at)
    return Restored(sum(counts.values()), files, to_migrate)


def _check_schema(manifest: Manifest, *, whole: bool) -> list[str]:
    """Which migrations have to follow. Raises Conflict where this version cannot take the backup."""
    known = {".".join(key) for key in MigrationLoader(None).disk_migrations}
    backed_up = set(manifest.migrations)
    if newer := backed_up - known:
        raise Conflict(f"The backup is of a newer version, which has {_few(newer)}: restore it with that version")
    if whole:
        return sorted(known - backed_up)
    applied = {".".join(key) for key in MigrationRecorder(connection).applied_migrations()}
    if newer := backed_up - applied:
        raise Conflict(f"The database lacks {_few(newer)}: run manage.py migrate first")
    if older := applied - backed_up:
        raise Conflict(
            f"The backup is of an older version, without {_few(older)}. Restore it into a database of its own "
            "(MONGODB_DATABASE=another manage.py restore …), run manage.py migrate there, back the tenant up from "
            "there, and restore that"
        )
    return []


def _check_ended(marker: Any) -> None:
    if found := dump.find_raw(MARKERS, {"_id": marker}):
        raise Conflict(
            f"A restore from {found['place']} began at {found['at']:%Y-%m-%d %H:%M:%S} UTC and has not ended. If it is "
            "not running any more, repeat it with --start-over, which removes what it has left"
        )


def _check_target(manifest: Manifest, tenant: dump.RawDocument | None) -> None:
    if tenant is None:
        if present := set(dump.collection_names()) - {MARKERS}:
            raise Conflict(
                f"The database {connection.settings_dict['NAME']} has collections ({_few(present)}): restore into an "
                "empty one, which MONGODB_DATABASE names, or drop it first"
            )
        return
    taken = {"$or": [{"_id": tenant["_id"]}, {"slug": tenant["slug"]}, {"hosts": {"$in": list(tenant["hosts"])}}]}
    if other := dump.find_raw(TENANTS, taken):
        raise Conflict(f"The tenant {other['slug']} exists and has the same id, slug or host name")
    for name in sorted({*dump.collection_names(), *manifest.collections} - STAYS - LEFT_OUT.keys()):
        if number := dump.count(name, of_tenant(name, tenant["_id"])):
            raise Conflict(f"{name} still has {number} documents of the tenant {tenant['slug']}: remove them first")


def _load(
    place: Place, manifest: Manifest, name: str, tenant_id: ObjectId | None, expected: int, on_progress: OnProgress
) -> None:
    entry = manifest.collections[name]
    if tenant_id is None:
        # Indexes first: to build one over millions of documents takes longer than a command may.
        dump.create_collection(name, entry.options)
        dump.create_indexes(name, entry.indexes)
    elif name in LEFT_OUT:
        dump.remove(name, of_tenant(name, tenant_id))
    documents = documents_of(place, manifest, name, tenant_id, lambda _: None)
    stays = tenant_id is not None and name in STAYS
    loaded = 0
    for number in dump.load(name, documents, keep_present=stays):
        loaded += number
        on_progress(number)
    if loaded != expected:
        raise InvalidInput.of("backup", f"{place} has changed meanwhile")


def _mark(marker: Any, place: Place) -> None:
    try:
        dump.insert(MARKERS, {"_id": marker, "place": str(place), "at": clock.now()})
    except AlreadyExists:
        raise Conflict("Another restore has just begun") from None


def _unmark(marker: Any) -> None:
    dump.remove(MARKERS, {"_id": marker})
    if marker == _EVERYTHING and not dump.find_raw(MARKERS, {}):
        dump.drop(MARKERS)


def _remove_remains(marker: Any, tenant_id: ObjectId | None) -> None:
    """Raises Conflict where no restore has left anything."""
    if dump.find_raw(MARKERS, {"_id": marker}) is None:
        raise Conflict("No restore was interrupted here; repeat it without --start-over")
    _remove(tenant_id)
    _unmark(marker)


def _remove(tenant_id: ObjectId | None) -> None:
    """The marker goes last; of what may have been there before nothing is removed."""
    for name in set(dump.collection_names()) - {MARKERS}:
        if tenant_id is None:
            dump.drop(name)
        elif name not in STAYS:
            dump.remove(name, of_tenant(name, tenant_id))


def _few(names: Iterable[str]) -> str:
    ordered = sorted(names)
    return ", ".join(ordered[:3]) + (f" and {len(ordered) - 3} more" if len(ordered) > 3 else "")
