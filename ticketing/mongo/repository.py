"""The base repository: every write, and the reads that services decide on.

A repository is bound to one tenant for life. Filters are combined as ``{"$and": [{"tenant_id": t}, where]}``, so
nothing in ``where`` can widen them. Documents go in and come out as plain dicts with aware UTC times.
"""

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Self

from bson.codec_options import CodecOptions
from pymongo import ReturnDocument, UpdateOne
from pymongo.collection import Collection
from pymongo.database import Database

from ticketing.errors import CrossTenantWrite, NotFound, StaleVersion, TenantScopeMissing
from ticketing.mongo import ObjectId, parse_object_id
from ticketing.mongo.client import (
    DOCUMENT_OPTIONS,
    STORED_OPTIONS,
    current_session,
    get_collection,
    translated_errors,
)
from ticketing.mongo.pages import Page, PageRequest, Sort, page_of, seek_filter

Document = dict[str, Any]
Where = Mapping[str, Any]

_CROSSING = frozenset({"$lookup", "$graphLookup", "$unionWith", "$out", "$merge"})

_POSITION = "_position"
STREAM_BATCH = 500  # documents; the server's own 16 MB become ten times that in memory


class Repository:
    """Tenant-bound access to one collection. Subclasses name it and add the domain's own questions."""

    collection_name: ClassVar[str]
    noun: ClassVar[str] = "It"
    _found: CodecOptions[Any] = DOCUMENT_OPTIONS

    def __init__(self, tenant_id: ObjectId, database: Database[Document] | None = None) -> None:
        """``database`` defaults to the platform's. Raises TenantScopeMissing without a tenant."""
        if not isinstance(tenant_id, ObjectId):
            raise TenantScopeMissing(f"{type(self).__name__} needs a tenant's id, not {tenant_id!r}")
        self.tenant_id = tenant_id
        self._database = database

    @property
    def collection(self) -> Collection[Document]:
        return self._collection(DOCUMENT_OPTIONS)

    def _collection(self, options: CodecOptions[Any]) -> Collection[Any]:
        if self._database is None:
            return get_collection(self.collection_name, options)
        return self._database.get_collection(self.collection_name, codec_options=options)

    def as_stored(self) -> Self:
        """This repository, but ``find`` gives ``StoredDocument``s: for lists whose rows are mostly known already."""
        same = copy.copy(self)
        same._found = STORED_OPTIONS
        return same

    def find_one(self, where: Where, *, fields: Sequence[str] = ()) -> Document | None:
        """The first match, or None. ``fields`` limits what is read (none: everything)."""
        with translated_errors(self.noun):
            return self.collection.find_one(self.scoped(where), _projection(fields), session=_session())

    def get(self, id_: ObjectId | None, *, fields: Sequence[str] = ()) -> Document:
        """The document with this id. Raises NotFound, for another tenant's document just the same."""
        document = self.find_one({"_id": id_}, fields=fields)
        if document is None:
            raise NotFound(f"{self.noun} does not exist")
        return document

    def get_by_reference(self, reference: str | ObjectId) -> Document:
        """The document with this id, or with the one that a request's text stands for. Raises NotFound."""
        return self.get(reference if isinstance(reference, ObjectId) else parse_object_id(reference))

    def find(
        self,
        where: Where,
        *,
        fields: Sequence[str] = (),
        sort: Sort | None = None,
        skip: int = 0,
        limit: int = 0,
        hint: str = "",
        milliseconds: int = 0,
    ) -> list[Document]:
        """All matches in ``sort`` order, at most ``limit`` (0: no limit; only where the caller knows a bound).

        ``hint`` names the index to read by where the planner's choice would read more (none: the planner's choice).
        Raises StorageUnavailable where reading takes longer than ``milliseconds`` (0: no limit).
        """
        with translated_errors(self.noun):
            cursor = self._collection(self._found).find(
                self.scoped(where),
                _projection(fields),
                skip=skip,
                limit=limit,
                sort=list(sort) if sort else None,
                hint=hint or None,
                max_time_ms=milliseconds or None,
                session=_session(),
            )
            return list(cursor)

    def stream(self, where: Where, *, sort: Sort, fields: Sequence[str] = ()) -> Iterator[Document]:
        """All matches in ``sort`` order, one after another in constant memory; for exports and jobs."""
        with translated_errors(self.noun):
            yield from self.collection.find(
                self.scoped(where), _projection(fields), sort=list(sort), batch_size=STREAM_BATCH, session=_session()
            )

    def find_by_ids(self, ids: Iterable[ObjectId | None], *, fields: Sequence[str] = ()) -> dict[ObjectId, Document]:
        """Documents by id in one round trip; None and unknown ids are left out."""
        wanted = sorted({id_ for id_ in ids if id_ is not None})
        if not wanted:
            return {}
        return {document["_id"]: document for document in self.find({"_id": {"$in": wanted}}, fields=fields)}

    def page(
        self, where: Where, sort: Sort, request: PageRequest, *, fields: Sequence[str] = (), hint: str = ""
    ) -> Page:
        """One keyset page of the matches. ``sort`` must end in a unique key. Raises InvalidInput for a bad cursor."""
        seek, order = seek_filter(sort, request)
        wanted = {"$and": [where, seek]} if seek else where
        return page_of(self.find(wanted, fields=fields, sort=order, limit=request.limit + 1, hint=hint), sort, request)

    def count(self, where: Where, *, cap: int = 0, hint: str = "") -> int:
        """How many match, counting no further than ``cap`` (0: all). ``hint`` as for ``find``."""
        options: dict[str, Any] = {**({"limit": cap} if cap else {}), **({"hint": hint} if hint else {})}
        with translated_errors(self.noun):
            return self.collection.count_documents(self.scoped(where), session=_session(), **options)

    def count_each(self, filters: Sequence[Where], *, cap: int) -> list[int]:
        """How many match each of the filters, counting no further than ``cap`` for any, in one round trip."""
        branches: list[list[Document]] = [
            [{"$match": self.scoped(where)}, {"$limit": cap}, {"$group": {"_id": position, "count": {"$sum": 1}}}]
            for position, where in enumerate(filters)
        ]
        counts = {each["_id"]: each["count"] for each in _united([(self, branch) for branch in branches])}
        return [counts.get(position, 0) for position in range(len(branches))]

    def find_each(
        self, filters: Sequence[Where], *, fields: Sequence[str], sort: Sort, skip: int
    ) -> list[Document | None]:
        """Of each of the filters the match behind the first ``skip`` ones in ``sort`` order, None where there are no
        more, in one round trip. For filters and fields that an index answers."""
        shown = {**dict.fromkeys(fields, 1), "_id": 0}
        branches: list[list[Document]] = [
            [
                {"$match": self.scoped(where)},
                {"$sort": dict(sort)},
                {"$skip": skip},
                {"$limit": 1},
                {"$project": {**shown, "position": {"$literal": position}}},
            ]
            for position, where in enumerate(filters)
        ]
        by_position = {each.pop("position"): each for each in _united([(self, branch) for branch in branches])}
        return [by_position.get(position) for position in range(len(branches))]

    def insert(self, document: Mapping[str, Any]) -> Document:
        """Stores a new document and returns it with ``_id`` and ``tenant_id``. Raises AlreadyExists."""
        stored = self._owned(document)
        with translated_errors(self.noun):
            self.collection.insert_one(stored, session=_session())
        return stored

    def insert_many(self, documents: Iterable[Mapping[str, Any]]) -> list[Document]:
        """Stores new documents in one round trip and returns them. None is a valid amount. Raises AlreadyExists."""
        stored = [self._owned(document) for document in documents]
        if len(stored) == 1:  # the driver's bulk is the slower way for one
            with translated_errors(self.noun):
                self.collection.insert_one(stored[0], session=_session())
        elif stored:
            with translated_errors(self.noun):
                self.collection.insert_many(stored, session=_session())
        return stored

    def update(
        self,
        id_: ObjectId,
        changes: Mapping[str, Any],
        *,
        expected_version: int,
        operators: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Document:
        """Compare-and-set: applies the changes if the stored version is still the expected one, and counts it up.

        ``changes`` are set; ``operators`` holds further MongoDB update operators. Returns the new document.
        Raises NotFound, StaleVersion (with ``current_version``), CrossTenantWrite when an update names the tenant.
        """
        update = self._update_document(changes, operators, versioned=True)
        with translated_errors(self.noun):
            document = self.collection.find_one_and_update(
                self.scoped({"_id": id_, "version": expected_version}),
                update,
                return_document=ReturnDocument.AFTER,
                session=_session(),
            )
        if document is None:
            current = self.get(id_, fields=["version"])
            raise StaleVersion(data={"current_version": current["version"]})
        return document

    def update_where(
        self,
        where: Where,
        changes: Mapping[str, Any],
        *,
        operators: Mapping[str, Mapping[str, Any]] | None = None,
        upsert: bool = False,
    ) -> Document | None:
        """Changes the first match at once and returns it as it is now, or None; ``where`` is what to claim by."""
        update = self._update_document(changes, operators, versioned=False)
        with translated_errors(self.noun):
            return self.collection.find_one_and_update(
                self.scoped(where), update, upsert=upsert, return_document=ReturnDocument.AFTER, session=_session()
            )

    def update_all(
        self,
        where: Where,
        changes: Mapping[str, Any],
        *,
        operators: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> int:
        """Changes all matches in one round trip and tells how many there were; versions stay as they are."""
        update = self._update_document(changes, operators, versioned=False)
        with translated_errors(self.noun):
            return self.collection.update_many(self.scoped(where), update, session=_session()).matched_count

    def increment_many(self, increments: Iterable[tuple[Where, Mapping[str, float]]]) -> None:
        """Adds to counters, creating what is missing, in one round trip."""
        writes = [UpdateOne(self.scoped(where), {"$inc": dict(amounts)}, upsert=True) for where, amounts in increments]
        if writes:
            with translated_errors(self.noun):
                self.collection.bulk_write(writes, ordered=False, session=_session())

    def delete(self, where: Where) -> int:
        """Removes all matches and tells how many there were."""
        with translated_errors(self.noun):
            return self.collection.delete_many(self.scoped(where), session=_session()).deleted_count

    def aggregate(self, where: Where, stages: Sequence[Mapping[str, Any]], **options: Any) -> list[Document]:
        """Runs pipeline stages over the tenant's matches. Stages that read other collections are not allowed."""
        _check_stages(stages)
        with translated_errors(self.noun):
            pipeline = [{"$match": self.scoped(where)}, *stages]
            return list(self.collection.aggregate(pipeline, session=_session(), **options))

    def scoped(self, where: Where) -> Document:
        """The filter with this repository's tenant in front."""
        return {"$and": [{"tenant_id": self.tenant_id}, dict(where)]} if where else {"tenant_id": self.tenant_id}

    def _owned(self, document: Mapping[str, Any]) -> Document:
        if document.get("tenant_id", self.tenant_id) != self.tenant_id:
            raise CrossTenantWrite(f"{self.noun} names another tenant than the one it is written for")
        return {"_id": ObjectId(), **document, "tenant_id": self.tenant_id}

    def _update_document(
        self, changes: Mapping[str, Any], operators: Mapping[str, Mapping[str, Any]] | None, *, versioned: bool
    ) -> Document:
        update: Document = {name: dict(value) for name, value in (operators or {}).items()}
        if changes:
            update["$set"] = {**update.get("$set", {}), **changes}
        if versioned:
            update["$inc"] = {**update.get("$inc", {}), "version": 1}
        if any(_names_tenant(name) for fields in update.values() for name in fields):
            raise CrossTenantWrite("an update may not name tenant_id")
        return update


class PlatformRepository(Repository):
    """Access to a collection that belongs to the platform itself (the tenants, sign-in attempts, rate limits)."""

    def __init__(self, database: Database[Document] | None = None) -> None:
        self._database = database

    def scoped(self, where: Where) -> Document:
        return dict(where)

    def _owned(self, document: Mapping[str, Any]) -> Document:
        return {"_id": ObjectId(), **document}


def _session() -> Any:
    return current_session()


def _projection(fields: Sequence[str]) -> dict[str, int] | None:
    return dict.fromkeys(fields, 1) or None


def _names_tenant(path: str) -> bool:
    return path == "tenant_id" or path.startswith("tenant_id.")


def _check_stages(stages: Sequence[Mapping[str, Any]]) -> None:
    for stage in stages:
        if _CROSSING & stage.keys():
            raise CrossTenantWrite("a pipeline stage that reaches other collections would leave the tenant")
        for branch in stage.get("$facet", {}).values():
            _check_stages(branch)


class Find(NamedTuple):
    """A question to one collection, as ``Repository.find`` takes it."""

    repository: Repository
    where: Where
    fields: Sequence[str] = ()
    sort: Sort = ()
    limit: int = 0

    def pipeline(self, position: int) -> list[Document]:
        """Its stages; what is found is marked with the ``position``."""
        stages: list[Document] = [{"$match": self.repository.scoped(self.where)}]
        if self.sort:
            stages.append({"$sort": dict(self.sort)})
        if self.limit:
            stages.append({"$limit": self.limit})
        if self.fields:
            stages.append({"$project": dict.fromkeys(self.fields, 1)})
        return [*stages, {"$set": {_POSITION: {"$literal": position}}}]


def find_together(finds: Sequence[Find]) -> list[list[Document]]:
    """What each of the finds matches, of whichever collections, in one round trip."""
    found: list[list[Document]] = [[] for _ in finds]
    for document in _united([(find.repository, find.pipeline(position)) for position, find in enumerate(finds)]):
        found[document.pop(_POSITION)].append(document)
    return found


def _united(branches: Sequence[tuple[Repository, list[Document]]]) -> Iterator[Document]:
    """What all the pipelines give, one after the other, in one round trip. Each has to be scoped already."""
    if not branches:
        return
    (first, stages), *others = branches
    unions = [{"$unionWith": {"coll": other.collection_name, "pipeline": branch}} for other, branch in others]
    with translated_errors(first.noun):
        yield from first.collection.aggregate([*stages, *unions], session=_session())
