"""The manifest: what a backup is made of, and how to tell that it is whole. It is written last.

A backup is ``manifest.json``, ``collections/<name>.bson.gz`` for each collection (documents one after another, as the
server keeps them), and, with files, ``files.jsonl.gz`` (a line for each file) and ``files/<storage key>``.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ticketing.errors import InvalidInput
from ticketing.mongo import ObjectId, parse_object_id
from ticketing.mongo.dump import ClusterTime
from tickets.backup.places import Place

FORMAT = 1
MANIFEST, FILES_INDEX = "manifest.json", "files.jsonl.gz"
LARGEST_MANIFEST = 64 * 1024 * 1024
_COLLECTION = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_KEY = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class Checksum:
    """Of a file as it lies in the backup."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class CollectionEntry:
    """``document_bytes`` is the documents' size before compression; options and indexes are as ``dump.Description``."""

    file: Checksum
    documents: int
    document_bytes: int
    options: dict[str, Any]
    indexes: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class FilesEntry:
    """``missing`` are the storage keys whose file was not there, or not the one that was uploaded."""

    index: Checksum
    count: int
    bytes: int
    missing: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Manifest:
    """``made_at`` is in ISO 8601; ``tenant_id`` and ``tenant`` (its slug) are empty for a backup of everything.

    ``migrations`` are those applied, as ``app.name``; ``files`` is None where files were left out.
    """

    made_at: str
    cluster_time: ClusterTime
    server: str
    database: str
    tenant_id: str
    tenant: str
    migrations: list[str]
    left_out: list[str]
    collections: Mapping[str, CollectionEntry]
    files: FilesEntry | None

    @property
    def tenant_object_id(self) -> ObjectId | None:
        return parse_object_id(self.tenant_id)

    @property
    def documents(self) -> int:
        return sum(entry.documents for entry in self.collections.values())

    @property
    def document_bytes(self) -> int:
        return sum(entry.document_bytes for entry in self.collections.values())

    @property
    def stored_bytes(self) -> int:
        return sum(entry.file.bytes for entry in self.collections.values())

    def write(self, place: Place) -> None:
        values = {"format": FORMAT, **asdict(self)}
        text = json.dumps({**values, "sha256": _digest(values)}, indent=2, ensure_ascii=False) + "\n"
        with place.write(MANIFEST) as file:
            file.write(text.encode())

    @classmethod
    def read(cls, place: Place) -> "Manifest":
        """Raises InvalidInput for a place without a complete backup of a format that is known here."""
        try:
            with place.read(MANIFEST) as file:
                values = json.loads(_read_all(file))
        except InvalidInput as error:
            raise InvalidInput.of("place", f"{place} holds no complete backup ({error.detail})") from None
        except ValueError as error:
            raise InvalidInput.of("manifest", f"{place}/{MANIFEST} is damaged: {error}") from None
        if not isinstance(values, dict) or "format" not in values:
            raise InvalidInput.of("manifest", f"{place}/{MANIFEST} is no backup's")
        if values["format"] != FORMAT:
            raise InvalidInput.of("manifest", f"{place} is of format {values['format']}, not {FORMAT}; use its version")
        if values.pop("sha256", "") != _digest(values):
            raise InvalidInput.of("manifest", f"{place}/{MANIFEST} is damaged: its checksum differs")
        try:
            return _parse(values)
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise InvalidInput.of("manifest", f"{place}/{MANIFEST} is damaged: {error}") from None


def collection_file(name: str) -> str:
    """Where a collection's documents are. Raises InvalidInput for a name that would lead elsewhere."""
    if not _COLLECTION.fullmatch(name):
        raise InvalidInput.of("manifest", f"{name!r} is no name of a collection")
    return f"collections/{name}.bson.gz"


def attachment_file(key: str) -> str:
    """Where the file of a storage key is. Raises InvalidInput for a key that would lead elsewhere."""
    if not _KEY.fullmatch(key):
        raise InvalidInput.of("files", f"{key!r} is no key of the storage")
    return f"files/{key}"


def _parse(values: dict[str, Any]) -> Manifest:
    del values["format"]
    for name in values["collections"]:
        collection_file(name)
    files = values.pop("files")
    return Manifest(
        cluster_time=ClusterTime(**values.pop("cluster_time")),
        collections={
            name: CollectionEntry(**{**entry, "file": Checksum(**entry["file"])})
            for name, entry in values.pop("collections").items()
        },
        files=files and FilesEntry(**{**files, "index": Checksum(**files["index"])}),
        **values,
    )


def _digest(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _read_all(file: Any) -> bytes:
    data: bytes = file.read(LARGEST_MANIFEST)
    return data
