"""Whole collections as the bytes that the server keeps, out of a snapshot and back in; what backups are made with.

Nothing here knows tenants, models or versions: only operators' commands may use it, on filters that they answer for.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from pymongo import errors as driver
from pymongo.errors import OperationFailure

from ticketing.errors import Conflict
from ticketing.mongo.client import DUPLICATE_KEY, current_session, get_database, translated_errors
from ticketing.mongo.extended_json import from_json, to_json

MAX_DOCUMENT_BYTES = 16 * 1024 * 1024 + 16 * 1024  # the server's own limit for what it stores
READ_AT_ONCE = LOAD_AT_ONCE = 1_000  # documents; the server cuts what it gives at 16 MB
SNAPSHOT_UNAVAILABLE = 246  # the server's error code for a collection whose indexes changed after the snapshot

RawDocument = RawBSONDocument
DamagedDocument = BSONError  # a RawDocument is looked into when a field is asked for, and raises it then


class Source(Protocol):
    """What documents are read from: any binary stream."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class ClusterTime:
    """The server's logical clock: seconds since 1970, and a counter within the second."""

    seconds: int
    increment: int


@dataclass(frozen=True, slots=True)
class Description:
    """A collection without its documents: its options and indexes, as values that JSON can hold."""

    options: dict[str, Any]
    indexes: list[dict[str, Any]]


def begin_moment() -> tuple[ClusterTime, list[str]]:
    """Fixes the snapshot under way: its time, and the names of all collections that exist in it.

    Raises Conflict when there are none, and while they are being made or removed.
    """
    database = get_database()
    before = collection_names()
    if not before:
        raise Conflict("There is nothing to back up: the database has no collections")
    reply = database.command({"find": before[0], "limit": 1, "singleBatch": True}, session=current_session())
    if collection_names() != before:
        raise _changing()
    time = reply["cursor"]["atClusterTime"]
    return ClusterTime(time.time, time.inc), before


def collection_names() -> list[str]:
    """The database's collections, sorted; neither the server's own nor views."""
    with translated_errors():
        found = get_database().list_collections(filter={"type": "collection"})
        return sorted(each["name"] for each in found if not each["name"].startswith("system."))


def server_version() -> str:
    version: str = get_database().client.server_info()["version"]
    return version


def describe(name: str) -> Description:
    """How to make the collection anew."""
    collection = get_database()[name]
    indexes = [
        {option: value for option, value in index.items() if option not in {"v", "ns"}}
        for index in collection.list_indexes()
        if index["name"] != "_id_"
    ]
    return Description(_to_json(collection.options()), [_to_json(index) for index in indexes])


def read_raw(name: str, where: Mapping[str, Any]) -> Iterator[bytes]:
    """All matches in the snapshot under way: whole documents, many at once, in constant memory. Raises Conflict."""
    try:
        yield from get_database()[name].find_raw_batches(where, batch_size=READ_AT_ONCE, session=current_session())
    except OperationFailure as error:
        if error.code == SNAPSHOT_UNAVAILABLE:
            raise _changing() from None
        raise


def count_raw(batch: bytes) -> int:
    """How many documents ``read_raw`` has given in one piece."""
    position = number = 0
    while position < len(batch):
        position += int.from_bytes(batch[position : position + 4], "little")
        number += 1
    return number


def split(stream: Source) -> Iterator[RawDocument]:
    """The documents of a stream that ``read_raw`` filled. Raises ValueError where it is damaged or ends too early.

    BSON begins with its length: https://bsonspec.org/spec.html
    """
    while head := _read_fully(stream, 4):
        length = int.from_bytes(head, "little")
        if len(head) < 4 or not 5 <= length <= MAX_DOCUMENT_BYTES:
            raise ValueError("not BSON")
        rest = _read_fully(stream, length - 4)
        if len(rest) < length - 4 or rest[-1]:
            raise ValueError("not BSON, or cut off")
        yield RawBSONDocument(head + rest)


def count(name: str, where: Mapping[str, Any]) -> int:
    """How many documents match; how many there are about, when nothing is asked for."""
    collection = get_database()[name]
    with translated_errors():
        return collection.count_documents(where) if where else collection.estimated_document_count()


def create_collection(name: str, options: Mapping[str, Any]) -> None:
    """An empty collection with the options that ``describe`` told, unless it exists."""
    with translated_errors(name):
        if name not in collection_names():
            get_database().create_collection(name, **from_json(json.dumps(options)))


def create_indexes(name: str, indexes: Iterable[Mapping[str, Any]]) -> None:
    """The indexes that ``describe`` told."""
    if specifications := [from_json(json.dumps(index)) for index in indexes]:
        with translated_errors(name):
            get_database().command({"createIndexes": name, "indexes": specifications})


def load(name: str, documents: Iterable[RawDocument], *, keep_present: bool = False) -> Iterator[int]:
    """Inserts documents as they are; yields how many were dealt with at each step.

    ``keep_present`` passes over those whose id is there already, otherwise they raise AlreadyExists.
    """
    collection = get_database()[name]
    remaining = iter(documents)
    while batch := list(islice(remaining, LOAD_AT_ONCE)):
        with translated_errors(f"A document of {name}"):
            try:
                collection.insert_many(batch, ordered=not keep_present)
            except driver.BulkWriteError as error:
                if not keep_present or any(each["code"] != DUPLICATE_KEY for each in error.details["writeErrors"]):
                    raise
        yield len(batch)


def find_raw(name: str, where: Mapping[str, Any]) -> dict[str, Any] | None:
    """The first match, outside any snapshot."""
    with translated_errors():
        return get_database()[name].find_one(where)


def insert(name: str, document: Mapping[str, Any]) -> None:
    """Stores one document. Raises AlreadyExists."""
    with translated_errors(f"A document of {name}"):
        get_database()[name].insert_one(dict(document))


def remove(name: str, where: Mapping[str, Any]) -> int:
    """Removes all matches, some at a time, so that no command outlasts the socket; tells how many there were."""
    collection, removed = get_database()[name], 0
    with translated_errors():
        while ids := [each["_id"] for each in collection.find(where, {"_id": 1}, limit=LOAD_AT_ONCE)]:
            removed += collection.delete_many({"_id": {"$in": ids}}).deleted_count
    return removed


def drop(name: str) -> None:
    """Removes a collection with its indexes."""
    with translated_errors():
        get_database().drop_collection(name)


def _read_fully(stream: Source, size: int) -> bytes:
    """Streams may give less than they are asked for; only nothing means the end."""
    data = stream.read(size)
    while data and len(data) < size and (more := stream.read(size - len(data))):
        data += more
    return data


def _changing() -> Conflict:
    return Conflict("Collections or indexes are being made or removed (manage.py migrate?); run it again afterwards")


def _to_json(value: Mapping[str, Any]) -> dict[str, Any]:
    converted: dict[str, Any] = json.loads(to_json(dict(value)))
    return converted
