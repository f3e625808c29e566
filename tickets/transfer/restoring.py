"""Makes a tenant of an export: all of it, or nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage

from accounts.models import email_key
from accounts.repository import UserRepository
from accounts.rules import clean_role
from tenants.models import Tenant, TenantStatus
from tenants.repository import AuditRepository, TenantRepository
from tenants.rules import EDITABLE, clean_tenant
from tenants.services import get_tenant, reactivate_tenant, record
from ticketing.errors import Conflict, InvalidInput
from ticketing.mongo import ObjectId
from ticketing.mongo.client import transactional
from ticketing.mongo.counters import last_number, next_number
from ticketing.mongo.repository import Document
from tickets.attachments.files import new_key
from tickets.attachments.repository import AttachmentRepository
from tickets.conversation.markdown import mentioned_addresses, render_markdown
from tickets.conversation.repository import CommentRepository
from tickets.stats.repository import CellRepository, DeltaRepository, LedgerRepository
from tickets.stats.services import note_new_tickets
from tickets.transfer.archive import (
    ATTACHMENTS,
    COLLECTIONS,
    FILES,
    TENANT,
    TICKETS,
    Collection,
    Manifest,
    hash_of,
    read_documents,
)
from tickets.transfer.batches import batches
from tickets.transfer.ids import IdMapping

BATCH = 500
_STARTED, _DONE = "tenant.import_started", "tenant.imported"
OnProgress = Callable[[int], None]


class NotEmpty(Conflict):
    """A tenant is only ever imported into one that has no data."""

    code, title = "not_empty", "The tenant has data already"


@dataclass(frozen=True, slots=True)
class Restored:
    """``same_ids`` tells whether all ids are those of the export; ``lost_hosts`` are names that another tenant has."""

    tenant: Tenant
    documents: int
    files: int
    same_ids: bool
    lost_hosts: list[str]


def count_steps(manifest: Manifest) -> int:
    """How many steps ``import_tenant`` tells of; for a progress bar."""
    return sum(entry.rows for entry in manifest.files.values()) + 2 * manifest.attachment_files


def import_tenant(folder: Path, slug: str, *, by: str, on_progress: OnProgress = lambda _: None) -> Restored:
    """Imports an export as the tenant ``slug``, which is new or has no data. All checksums are compared first.

    Ids stay as they are, unless the exported tenant lives in this deployment: then each gets a new one. The tenant is
    suspended until all is there. A failure removes everything; what a killed import left is removed by the next one.
    Raises InvalidInput for a damaged export, NotEmpty.
    """
    manifest = Manifest.read(folder)
    check_export(folder, manifest, on_progress)
    exported = next(read_documents(folder / TENANT))
    is_new = TenantRepository().find_by_slug(slug) is None
    target, lost_hosts = _prepare_target(exported, slug)
    ids = IdMapping(exported["_id"], target["_id"])
    record(_STARTED, by=by, tenant_id=target["_id"], exported_from=manifest.tenant)
    try:
        for each in COLLECTIONS:
            if each.file_name in manifest.files:
                _import_collection(each, folder, ids, on_progress)
        TenantRepository().add_storage(target["_id"], manifest.attachment_bytes)
        _count_on(target["_id"], manifest.last_number)
    except BaseException:
        remove_data(target["_id"])
        if is_new:
            TenantRepository().delete({"_id": target["_id"]})
        raise
    tenant = get_tenant(target["_id"])
    record(_DONE, by=by, tenant_id=target["_id"], exported_from=manifest.tenant)
    if exported["status"] == TenantStatus.ACTIVE:
        tenant = reactivate_tenant(tenant, by=by)
    rows = sum(entry.rows for entry in manifest.files.values())
    return Restored(tenant, rows, manifest.attachment_files, ids.old_tenant == ids.new_tenant, lost_hosts)


def check_export(folder: Path, manifest: Manifest, on_progress: OnProgress = lambda _: None) -> None:
    """Compares every file with its checksum. Raises InvalidInput naming the file."""
    for name, entry in manifest.files.items():
        found = hash_of(folder / name)
        if (found.sha256, found.bytes) != (entry.sha256, entry.bytes):
            raise InvalidInput.of("folder", f"{folder / name} is not the file that was exported")
    for row in read_documents(folder / ATTACHMENTS.file_name):
        path = folder / FILES / str(row["_id"])
        found = hash_of(path)
        if (found.sha256, found.bytes) != (row["sha256"], row["size"]):
            raise InvalidInput.of("folder", f"{path} is not the file that was exported")
        on_progress(1)


def remove_data(tenant_id: ObjectId) -> None:
    """Removes everything that an import brings, and keeps the tenant itself."""
    for row in AttachmentRepository(tenant_id).stream({}, sort=ATTACHMENTS.order):
        default_storage.delete(row["storage_key"])
    for repository in (*(each.repository for each in COLLECTIONS), CellRepository, DeltaRepository, LedgerRepository):
        repository(tenant_id).delete({})
    TenantRepository().update_where({"_id": tenant_id}, {"storage_bytes": 0})


def _prepare_target(exported: Document, slug: str) -> tuple[Document, list[str]]:
    """The suspended, empty tenant to import into, and the host names that it cannot have."""
    tenants = TenantRepository()
    present = tenants.find_by_slug(slug)
    if present is not None:
        _check_empty(present)
    elsewhere = {host for host in exported["hosts"] if (owner := tenants.find_by_host(host)) and owner["slug"] != slug}
    values = {name: exported[name] for name in EDITABLE if name in exported} | {
        "slug": slug,
        "hosts": [host for host in exported["hosts"] if host not in elsewhere],
    }
    languages = [code for code, _ in settings.LANGUAGES]
    if values.get("locale") not in languages:  # earlier versions let a tenant choose others
        values["locale"] = settings.LANGUAGE_CODE
    cleaned = clean_tenant(values, allowed=EDITABLE, locales=languages)
    fresh = {**cleaned, "status": TenantStatus.SUSPENDED.value, "created_at": exported["created_at"]}
    if present is None:
        # The same ids, unless they belong to the tenant that lives here.
        taken = tenants.find_one({"_id": exported["_id"]}, fields=["_id"])
        id_ = ObjectId() if taken else exported["_id"]
        target = tenants.insert({"_id": id_, **fresh, "staff_changes": 0, "storage_bytes": 0, "version": 1})
    else:
        target = tenants.update_where({"_id": present["_id"]}, fresh, operators={"$inc": {"version": 1}}) or present
    return target, sorted(elsewhere)


def _check_empty(tenant: Document) -> None:
    """Raises NotEmpty, unless the data is what an import that was killed has left; that is removed."""
    if not any(each.repository(tenant["_id"]).count({}, cap=1) for each in COLLECTIONS):
        return
    imports = {"tenant_id": tenant["_id"], "action": {"$in": [_STARTED, _DONE]}}
    last = AuditRepository().find(imports, sort=[("at", -1), ("_id", -1)], limit=1)
    if not last or last[0]["action"] == _DONE or tenant["status"] != TenantStatus.SUSPENDED:
        raise NotEmpty(f"The tenant {tenant['slug']} has data; import under another name")
    remove_data(tenant["_id"])


def _import_collection(each: Collection, folder: Path, ids: IdMapping, on_progress: OnProgress) -> None:
    store = _STORING.get(each.name, _store)
    for rows in batches(read_documents(folder / each.file_name), BATCH):
        if any(row.get("tenant_id") != ids.old_tenant for row in rows):
            raise InvalidInput.of("folder", f"{each.file_name} holds a row of another tenant")
        store(each, [ids.map(row) for row in rows], [folder / FILES / str(row["_id"]) for row in rows], ids.new_tenant)
        on_progress(len(rows))


def _store(each: Collection, rows: list[Document], _files: list[Path], tenant_id: ObjectId) -> None:
    each.repository(tenant_id).insert_many(rows)


def _store_users(each: Collection, rows: list[Document], files: list[Path], tenant_id: ObjectId) -> None:
    """Whoever made the export must not become an operator of this platform by it."""
    for row in rows:
        clean_role(row.get("role"))
    _store(each, rows, files, tenant_id)


def _store_comments(each: Collection, rows: list[Document], files: list[Path], tenant_id: ObjectId) -> None:
    named = [id_ for row in rows for id_ in row.get("mention_ids", ())]
    people = UserRepository(tenant_id).find_by_ids(named, fields=["email_key"])

    def rendered(row: Document) -> str:
        keys = {people[id_]["email_key"] for id_ in row.get("mention_ids", ()) if id_ in people}
        written = mentioned_addresses(row["body"]) if keys else []
        return render_markdown(row["body"], [address for address in written if email_key(address) in keys])

    _store(each, [row | {"body_html": rendered(row)} for row in rows], files, tenant_id)


@transactional
def _store_tickets(each: Collection, rows: list[Document], _files: list[Path], tenant_id: ObjectId) -> None:
    # HTML is made anew: pages show it as it is, and the export may be anybody's.
    rows = [row | {"description_html": render_markdown(row["description"])} for row in rows]
    each.repository(tenant_id).insert_many(rows)
    note_new_tickets(tenant_id, rows)


def _store_attachments(each: Collection, rows: list[Document], files: list[Path], tenant_id: ObjectId) -> None:
    for row, path in zip(rows, files, strict=True):
        with path.open("rb") as file:
            key = default_storage.save(new_key(tenant_id), File(file))
        # One by one, so that an interruption leaves no file without its row.
        each.repository(tenant_id).insert({**row, "storage_key": key})


_STORING = {
    UserRepository.collection_name: _store_users,
    TICKETS.name: _store_tickets,
    CommentRepository.collection_name: _store_comments,
    ATTACHMENTS.name: _store_attachments,
}


def _count_on(tenant_id: ObjectId, last: int) -> None:
    missing = last - last_number(tenant_id, "tickets")
    if missing > 0:
        next_number(tenant_id, "tickets", missing)
