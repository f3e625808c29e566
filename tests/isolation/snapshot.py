"""The whole database at one moment: to see what a request wrote, and to take it back."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import bson
from bson import json_util
from bson.raw_bson import RawBSONDocument

from ticketing.mongo import ObjectId
from ticketing.mongo.client import get_database

Stored = dict[str, dict[bytes, bytes]]  # by collection, by encoded _id
# Kept for any request, whoever sends it.
_OF_ANY_REQUEST = {"rate_windows", "sign_in_attempts"}


@dataclass(frozen=True)
class Written:
    """A document that was added, changed or removed; `text` is how it is now."""

    collection: str
    tenant_id: ObjectId | None
    text: str


class Snapshot:
    """`take` reads everything; `undo` tells what was written since, and takes it back.

    Both can be told which collections to look at: to read them all after each request takes longer than the request.
    """

    def __init__(self, stored: Stored) -> None:
        self.stored = stored

    @classmethod
    def take(cls, names: Collection[str] | None = None) -> "Snapshot":
        database = get_database()
        options = database.codec_options.with_options(document_class=RawBSONDocument)
        if names is None:
            names = [each for each in database.list_collection_names() if not each.startswith("system.")]
        return cls(
            {
                name: {_key(document): document.raw for document in database.get_collection(name, options).find()}
                for name in sorted(names)
            }
        )

    def undo(self, names: Collection[str] | None = None) -> list[Written]:
        """Takes back everything that was written since, and tells what it was."""
        now = Snapshot.take(names).stored
        found = list(self._differences(now, names or self.stored.keys() | now.keys()))
        self._put_back(now, {name for name, _, _ in found})
        return [
            Written(name, _owner(name, after or before), "" if after is None else _text(after))
            for name, before, after in found
            if name not in _OF_ANY_REQUEST
        ]

    def texts_of(self, tenant_id: ObjectId) -> list[tuple[str, str]]:
        """The tenant's documents as extended JSON, each with its collection."""
        return [
            (name, _text(raw))
            for name, documents in self.stored.items()
            for raw in documents.values()
            if _owner(name, raw) == tenant_id
        ]

    def _put_back(self, now: Stored, names: set[str]) -> None:
        database = get_database()
        for name in names:
            before, after = self.stored.get(name, {}), now.get(name, {})
            gone = [RawBSONDocument(raw)["_id"] for key, raw in after.items() if before.get(key) != raw]
            lost = [RawBSONDocument(raw) for key, raw in before.items() if after.get(key) != raw]
            database[name].delete_many({"_id": {"$in": gone}})
            if lost:
                database[name].insert_many(lost)

    def _differences(self, now: Stored, names: Collection[str]) -> Iterator[tuple[str, bytes | None, bytes | None]]:
        for name in names:
            before, after = self.stored.get(name, {}), now.get(name, {})
            for key in before.keys() | after.keys():
                if before.get(key) != after.get(key):
                    yield name, before.get(key), after.get(key)


def _key(document: RawBSONDocument) -> bytes:
    return bson.encode({"_id": document["_id"]})


def _owner(collection: str, raw: bytes | None) -> ObjectId | None:
    document = RawBSONDocument(raw or b"")
    owner: ObjectId | None = document.get("_id" if collection == "tenants" else "tenant_id")
    return owner


def _text(raw: bytes) -> str:
    return json_util.dumps(RawBSONDocument(raw))
