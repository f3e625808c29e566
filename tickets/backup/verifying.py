"""Proves that a backup is whole, and finds a tenant in it. Nothing is written."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ticketing.errors import InvalidInput
from ticketing.mongo import ObjectId
from ticketing.mongo.dump import RawDocument, split
from tickets.backup.contents import ATTACHMENTS, TENANTS, owner_of
from tickets.backup.files import check_files
from tickets.backup.manifest import Manifest, collection_file
from tickets.backup.places import Place
from tickets.backup.streams import checked

REPORT_EVERY = 1000
OnProgress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Verified:
    """How many documents of each collection, and files, are the tenant's, or there are at all."""

    documents: Mapping[str, int]
    files: int


def verify(
    place: Place, manifest: Manifest, tenant_id: ObjectId | None = None, on_progress: OnProgress = lambda _: None
) -> Verified:
    """Compares every collection and file with its checksum and count; with ``tenant_id`` only that tenant's files.

    Raises InvalidInput naming what is damaged, missing or another tenant's.
    """
    counts = {}
    for name in manifest.collections:
        counts[name] = sum(1 for _ in documents_of(place, manifest, name, tenant_id, on_progress))
    expected = counts.get(ATTACHMENTS, 0)
    found = check_files(place, manifest, tenant_id, on_progress)
    if manifest.files is not None and not expected - len(manifest.files.missing) <= found <= expected:
        raise InvalidInput.of("backup", f"{place} lists {found} files for {expected} attachments")
    return Verified(counts, found)


def documents_of(
    place: Place, manifest: Manifest, name: str, tenant_id: ObjectId | None, on_progress: OnProgress
) -> Iterator[RawDocument]:
    """The documents of a collection in the backup, or a tenant's; it is checked when they have been read."""
    entry = manifest.collections[name]
    own = manifest.tenant_object_id
    documents = size = 0
    with checked(place, collection_file(name), entry.file) as stream:
        for document in split(stream):
            documents += 1
            size += len(document.raw)
            if own is not None and owner_of(name, document) != own:
                raise ValueError("it holds a document of another tenant")
            if tenant_id is None or owner_of(name, document) == tenant_id:
                yield document
            if documents % REPORT_EVERY == 0:
                on_progress(REPORT_EVERY)
    on_progress(documents % REPORT_EVERY)
    if (documents, size) != (entry.documents, entry.document_bytes):
        raise InvalidInput.of("backup", f"{place} has {documents} documents of {name}, not {entry.documents}")


def find_tenant(place: Place, manifest: Manifest, slug: str) -> RawDocument:
    """The tenant of this name as the backup has it. Raises InvalidInput."""
    if TENANTS in manifest.collections:
        tenants = list(documents_of(place, manifest, TENANTS, None, lambda _: None))
        for tenant in tenants:
            if tenant["slug"] == slug:
                return tenant
    raise InvalidInput.of("tenant", f"{place} has no tenant {slug!r}")
