"""Exports that a tenant's admins ask for: made by a job as one zip file in the storage, kept for EXPORT_DAYS.

They hold no hash of a password or key: whoever may export a tenant need not be able to guess its people's passwords.
"""

import logging
import secrets
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage

from accounts.actor import Actor
from accounts.roles import Action
from tenants.models import Tenant
from tenants.services import record
from ticketing import clock
from ticketing.errors import AlreadyExists, Conflict, NotFound, TicketingError
from ticketing.mongo import ObjectId
from ticketing.mongo.client import current_session, transactional
from ticketing.mongo.models import TenantQuerySet
from ticketing.mongo.pages import Page, PageRequest
from ticketing.mongo.repository import Document
from tickets.attachments.files import exports_folder_of
from tickets.privacy.repository import FileRemovalRepository
from tickets.transfer.archive import hash_of
from tickets.transfer.exporting import count_documents, export_tenant
from tickets.transfer.models import Export, ExportState
from tickets.transfer.repository import ExportRepository

ATTEMPTS = 3
PROGRESS_EVERY_SECONDS = 2.0
EXPORT_ORDER = (("requested_at", -1), ("_id", -1))
logger = logging.getLogger("ticketing.transfer")


class ExportUnderWay(Conflict):
    """``data["export"]`` may name the one that is queued or running."""

    code, title = "export_under_way", "An export is under way already"


class ExportNotReady(Conflict):
    code, title = "export_not_ready", "The export is not done"


class Interrupted(Exception):
    """The export is to be made later, or not at all."""


def request_export(actor: Actor) -> Document:
    """Queues an export of everything the tenant owns. Raises NotAllowed, ExportUnderWay."""
    actor.check(Action.EXPORTS_MANAGE)
    exports = ExportRepository(actor.tenant_id)
    pending = exports.find_pending()
    if pending is not None:
        raise ExportUnderWay(data={"export": pending["_id"]})
    try:
        export = exports.insert(_new_export(actor))
    except AlreadyExists:  # by somebody at the same moment
        raise ExportUnderWay from None
    record("export.requested", by=actor.by, tenant_id=actor.tenant_id, export=str(export["_id"]))
    return export


def access_export(actor: Actor, export_id: str | ObjectId) -> Document:
    """An export of the tenant, for whoever may ask for one. Raises NotAllowed, NotFound."""
    actor.check(Action.EXPORTS_MANAGE)
    return ExportRepository(actor.tenant_id).get_by_reference(export_id)


def access_archive(actor: Actor, export_id: str | ObjectId) -> Document:
    """A finished export's file as attachments describe theirs, to be sent now. Raises as above, ExportNotReady."""
    export = access_export(actor, export_id)
    if export["state"] != ExportState.DONE:
        raise ExportNotReady(f"The export is {export['state']}")
    if not is_kept(export):
        raise NotFound("The export was kept long enough and is gone")
    record("export.downloaded", by=actor.by, tenant_id=actor.tenant_id, export=str(export["_id"]))
    name = f"{actor.tenant.slug}-{export['requested_at']:%Y-%m-%d}.zip"
    return {"_id": export["_id"], "name": name, "size": export["bytes"], "storage_key": export["storage_key"]}


def is_kept(export: Document) -> bool:
    """Whether a finished export can still be had; the job that removes it may come later."""
    kept: bool = export["expires_at"] > clock.now()
    return kept


def visible_exports(actor: Actor) -> TenantQuerySet:
    """All exports of the tenant, for whoever may ask for one. Raises NotAllowed."""
    actor.check(Action.EXPORTS_MANAGE)
    exports: TenantQuerySet = Export.objects.all()
    return exports


def find_pending_export(actor: Actor) -> Export | None:
    """The one that is queued or running. Raises NotAllowed."""
    actor.check(Action.EXPORTS_MANAGE)
    found = ExportRepository(actor.tenant_id).find_pending()
    return None if found is None else Export.from_document(found)


def page_of_exports(actor: Actor, request: PageRequest) -> Page:
    """One page of the tenant's exports, the newest first. Raises NotAllowed, InvalidInput."""
    actor.check(Action.EXPORTS_MANAGE)
    return ExportRepository(actor.tenant_id).page({}, EXPORT_ORDER, request)


def count_exports(actor: Actor, *, cap: int) -> int:
    """How many there are, counting no further than ``cap``. Raises NotAllowed."""
    actor.check(Action.EXPORTS_MANAGE)
    return ExportRepository(actor.tenant_id).count({}, cap=cap)


def remove_export(actor: Actor, export_id: str | ObjectId) -> None:
    """Removes an export and its file; one that is under way is given up. Raises NotAllowed, NotFound."""
    export = access_export(actor, export_id)
    record("export.removed", by=actor.by, tenant_id=actor.tenant_id, export=str(export["_id"]))
    _discard(actor.tenant_id, export)


def remove_exports(tenant_id: ObjectId) -> int:
    """Removes all of the tenant's exports, because they hold what was erased; tells how many."""
    found = ExportRepository(tenant_id).find({}, fields=["storage_key"])
    for export in found:
        _discard(tenant_id, export)
    return len(found)


def remove_expired(tenant_id: ObjectId) -> int:
    """Removes what was kept for EXPORT_DAYS; tells how many."""
    expired = ExportRepository(tenant_id).expired(clock.now())
    for export in expired:
        _discard(tenant_id, export)
    return len(expired)


def make_pending_export(tenant: Tenant, stopping: Callable[[], bool] = lambda: False) -> Document | None:
    """Makes the tenant's pending export, if there is one, and returns it as it is then; for the one runner of the job.

    One that is running already was left by a runner that died, and ``stopping`` puts it back into the queue: it is
    begun anew, ATTEMPTS times at most, or one that takes longer than any run may would be made for ever.
    """
    exports = ExportRepository(tenant.pk)
    pending = exports.find_pending()
    if pending is None:
        return None
    if pending["storage_key"]:
        default_storage.delete(pending["storage_key"])
    if pending["attempts"] >= ATTEMPTS:
        return _finish(tenant.pk, pending["_id"], ExportState.FAILED, error="It was interrupted too often")
    begun = {"state": ExportState.RUNNING.value, "attempts": pending["attempts"] + 1, "storage_key": _new_key(tenant)}
    export = exports.update_where({"_id": pending["_id"]}, {**begun, "steps": count_documents(tenant), "steps_done": 0})
    if export is None:
        return None
    try:
        size, sha256 = _make(tenant, export, stopping)
    except Interrupted:
        return exports.change_running(export["_id"], state=ExportState.QUEUED.value)
    except TicketingError as error:
        logger.exception("the export %s failed", export["_id"])
        return _finish(tenant.pk, export["_id"], ExportState.FAILED, error=error.detail[:500])
    done = _finish(tenant.pk, export["_id"], ExportState.DONE, bytes=size, sha256=sha256, steps_done=export["steps"])
    if done is None:  # removed meanwhile
        default_storage.delete(export["storage_key"])
    return done


def _make(tenant: Tenant, export: Document, stopping: Callable[[], bool]) -> tuple[int, str]:
    """Stores the archive and returns its size and checksum. Raises Interrupted, FileMissing, SnapshotTooOld."""
    from tempfile import TemporaryDirectory

    progress = _Progress(tenant.pk, export["_id"], stopping)
    with TemporaryDirectory(prefix="export-") as folder:
        exported, archive = Path(folder) / tenant.slug, Path(folder) / "archive.zip"
        export_tenant(tenant, exported, by="the platform (job)", credentials=False, on_progress=progress.add)
        _pack(exported, archive)
        packed = hash_of(archive)
        progress.check()
        with archive.open("rb") as file:
            default_storage.save(export["storage_key"], File(file))
    return packed.bytes, packed.sha256


def _pack(folder: Path, archive: Path) -> None:
    """Moves a folder's files into a zip file, one by one, so that they hardly take their place twice."""
    from zipfile import ZIP_DEFLATED, ZipFile

    with ZipFile(archive, "x", ZIP_DEFLATED) as packed:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            packed.write(path, path.relative_to(folder.parent))
            path.unlink()


class _Progress:
    """Counts steps, stores them now and then, and stops an export that is to stop."""

    def __init__(self, tenant_id: ObjectId, export_id: ObjectId, stopping: Callable[[], bool]) -> None:
        self._exports, self._id, self._stopping = ExportRepository(tenant_id), export_id, stopping
        self._done, self._told_at = 0, time.monotonic()

    def add(self, steps: int) -> None:
        self._done += steps
        if time.monotonic() - self._told_at >= PROGRESS_EVERY_SECONDS:
            self.check()

    def check(self) -> None:
        """Raises Interrupted."""
        self._told_at = time.monotonic()
        if self._stopping():
            raise Interrupted
        # While documents are read there is a snapshot, in which nothing can be written.
        if current_session() is None and self._exports.change_running(self._id, steps_done=self._done) is None:
            raise Interrupted


def _new_export(actor: Actor) -> Document:
    return {
        "state": ExportState.QUEUED.value,
        "is_pending": True,
        "requested_by_id": actor.user_id,
        "requested_at": clock.now(),
        "finished_at": None,
        "expires_at": None,
        "attempts": 0,
        "steps": 0,
        "steps_done": 0,
        "bytes": None,
        "sha256": None,
        "storage_key": None,
        "error": "",
    }


def _finish(tenant_id: ObjectId, export_id: ObjectId, state: ExportState, **changes: object) -> Document | None:
    now = clock.now()
    kept = {"finished_at": now, "expires_at": now + timedelta(days=settings.EXPORT_DAYS), "is_pending": False}
    return ExportRepository(tenant_id).update_where({"_id": export_id}, {**kept, "state": state.value, **changes})


@transactional
def _discard(tenant_id: ObjectId, export: Document) -> None:
    """The job privacy.erase removes the file within a minute."""
    if export["storage_key"]:
        FileRemovalRepository(tenant_id).insert({"storage_key": export["storage_key"]})
    ExportRepository(tenant_id).delete({"_id": export["_id"]})


def _new_key(tenant: Tenant) -> str:
    return f"{exports_folder_of(tenant.pk)}/{secrets.token_hex(16)}.zip"
