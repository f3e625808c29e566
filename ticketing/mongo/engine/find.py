"""Django queries that a single `find` answers: which ones they are, and the find itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from time import monotonic
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from django.db.models.expressions import Col
from django_mongodb_backend.query import MongoQuery, wrap_database_errors

from ticketing.mongo.engine.filters import Filter, IsScalar, simplified

_SCALAR_TYPES = {"binData", "bool", "date", "decimal", "double", "int", "long", "objectId", "string"}


class Rows:
    """The documents of a cursor. Every batch, not only the first, raises Django's database errors."""

    def __init__(self, cursor: Iterator[dict[str, Any]]) -> None:
        self._cursor = cursor
        # `find` is lazy: reading the first batch here makes its errors and its time those of the query.
        self._first = list(islice(cursor, 1))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self

    @wrap_database_errors  # type: ignore[untyped-decorator]
    def __next__(self) -> dict[str, Any]:
        return self._first.pop() if self._first else next(self._cursor)

    next = __next__


@dataclass(frozen=True)
class Find:
    """One `find` on one collection; `limit` 0 means all."""

    collection: str
    filter: Filter
    projection: dict[str, int] | None
    sort: dict[str, int]
    skip: int
    limit: int

    @wrap_database_errors  # type: ignore[untyped-decorator]
    def rows(self, connection: Any) -> Rows:
        """Runs the find. Raises DatabaseError."""
        options = {"sort": self.sort, "skip": self.skip, "limit": self.limit}
        with _logged(connection, self.collection, "find", self.filter, self.projection, options) as collection:
            return Rows(collection.find(**self.arguments(connection)))

    def arguments(self, connection: Any) -> dict[str, Any]:
        """What pymongo's `Collection.find` takes, within the connection's transaction if there is one."""
        return {
            "filter": self.filter,
            "projection": self.projection,
            "sort": self.sort,
            "skip": self.skip,
            "limit": self.limit,
            "session": connection.session,
        }

    @wrap_database_errors  # type: ignore[untyped-decorator]
    def count(self, connection: Any) -> int:
        """How many documents the find would return. Raises DatabaseError."""
        options = {key: value for key, value in (("skip", self.skip), ("limit", self.limit)) if value}
        with _logged(connection, self.collection, "countDocuments", self.filter, options) as collection:
            return int(collection.count_documents(self.filter, session=connection.session, **options))

    def command(self) -> dict[str, Any]:
        """The find as a server command, for `explain`."""
        command: dict[str, Any] = {"find": self.collection, "filter": self.filter, "skip": self.skip}
        if self.projection:
            command["projection"] = self.projection
        if self.sort:
            command["sort"] = self.sort
        if self.limit:
            command["limit"] = self.limit
        return command


def find_of(query: MongoQuery) -> Find | None:
    """The find that returns what `query`'s aggregation pipeline returns, or None when it takes a pipeline."""
    compiler = query.compiler
    if (
        query.search_pipeline
        or query.lookup_pipeline
        or query.subqueries
        or query.aggregation_pipeline
        or query.combinator_pipeline
        or compiler.base_table is None
    ):
        return None
    columns = {field.column for field in compiler.query.get_meta().concrete_fields}
    if not query.ordering.keys() <= columns:  # any other key is an expression that the pipeline computes
        return None
    if not all(isinstance(expression, Col) for _, expression in compiler.columns):
        return None
    selected = {name for name, _ in compiler.columns}
    return Find(
        collection=compiler.collection_name,
        filter=simplified(query.match_mql, is_scalar_column(compiler.query.model, compiler.connection)),
        projection=None if selected == columns else _projection(selected),
        sort=dict(query.ordering),
        skip=query.query.low_mark,
        limit=0 if query.query.high_mark is None else query.query.high_mark - query.query.low_mark,
    )


def _projection(selected: set[str]) -> dict[str, int]:
    """Leaves `_id` out where nobody asked for it, so that an index alone can answer."""
    if not selected:
        return {"_id": 1}
    return {**dict.fromkeys(sorted(selected), 1), **({} if "_id" in selected else {"_id": 0})}


def is_scalar_column(model: type[Model], connection: BaseDatabaseWrapper) -> IsScalar:
    """A test whether a column of `model` can only hold single values: no array, no document."""

    def is_scalar(column: str) -> bool:
        return any(
            field.column == column and field.db_type(connection) in _SCALAR_TYPES
            for field in model._meta.concrete_fields
        )

    return is_scalar


@contextmanager
def _logged(connection: Any, name: str, operation: str, *arguments: Any) -> Iterator[Any]:
    """Yields the collection; adds what was asked of it, as mongosh would write it, to the connection's query log."""
    collection = connection.get_collection(name)
    started = monotonic()
    yield collection
    if connection.queries_logged:
        collection.log(operation, monotonic() - started, arguments)
