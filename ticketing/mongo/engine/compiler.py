"""Compiles plain queries to `find` and `count_documents`; the backend compiles all others to aggregation pipelines.

Why: the backend's pipeline for a list adds the sort columns with `$addFields` ahead of `$sort`, and counts through
`$facet`. Neither can use an index, so each page costs as much as the whole collection.
"""

from typing import Any

from bson import json_util
from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Count, QuerySet, Value
from django.db.models.expressions import Star
from django.db.models.sql import Query
from django.db.models.sql.constants import GET_ITERATOR_CHUNK_SIZE, MULTI, SINGLE
from django.db.models.sql.subqueries import AggregateQuery
from django_mongodb_backend import compiler
from django_mongodb_backend.compiler import SQLDeleteCompiler, SQLInsertCompiler, SQLUpdateCompiler
from django_mongodb_backend.query import MongoQuery

from ticketing.mongo.engine.filters import Filter
from ticketing.mongo.engine.find import Find, find_of

__all__ = ["SQLAggregateCompiler", "SQLCompiler", "SQLDeleteCompiler", "SQLInsertCompiler", "SQLUpdateCompiler"]

NO_DOCUMENT: Filter = {"_id": {"$in": []}}


class NotPlainQuery(ValueError):
    """The queryset cannot be told as a filter alone: it joins, groups, slices or computes."""


class PlainQuery(MongoQuery):  # type: ignore[misc]
    """A query that runs as a find where one gives the same result as its pipeline."""

    def get_cursor(self) -> Any:
        find = find_of(self)
        return super().get_cursor() if find is None else find.rows(self.compiler.connection)


class SQLCompiler(compiler.SQLCompiler):  # type: ignore[misc]
    query_class = PlainQuery

    def execute_sql(
        self, result_type: str = MULTI, chunked_fetch: bool = False, chunk_size: int = GET_ITERATOR_CHUNK_SIZE
    ) -> Any:
        if result_type == SINGLE and (summarised := _summarised(self.query)):
            try:
                find = _find(summarised, self.connection, self.using)
            except EmptyResultSet:
                return None
            if find is not None:
                return self._summary(find)
        return super().execute_sql(result_type, chunked_fetch, chunk_size)

    def explain_query(self) -> Any:
        """The plan of the command that the query would run. Takes the options `comment` and `verbosity`."""
        options = self.connection.ops.explain_query_prefix(
            self.query.explain_info.format, **self.query.explain_info.options
        )
        find = _find(self.query, self.connection, self.using)
        if find is None:
            return super().explain_query()
        plan = self.connection.database.command("explain", find.command(), **options)
        return [json_util.dumps(plan, indent=4, ensure_ascii=False)]

    def _summary(self, find: Find) -> list[Any] | None:
        """The row of count() or exists(); None when exists() finds nothing."""
        if _is_count(self.query):
            return [find.count(self.connection)]
        return [True] if any(True for _ in find.rows(self.connection)) else None


class SQLAggregateCompiler(compiler.SQLAggregateCompiler, SQLCompiler):  # type: ignore[misc]
    """MRO: the backend's aggregate compiler, then the plain compiler, then the backend's base."""


def match_of(queryset: QuerySet[Any]) -> Filter:
    """The filter that `queryset` puts to its collection, without its ordering and its columns.

    Raises NotPlainQuery when a filter alone cannot tell which documents the queryset holds.
    """
    if queryset.query.is_sliced:
        raise NotPlainQuery("the queryset is sliced: slice after paging, not before")
    query = queryset.query.clone()
    query.clear_ordering(force=True)
    if not query.distinct:
        query.clear_select_clause()
    try:
        return _plain_find(query, queryset.db).filter
    except EmptyResultSet:
        return NO_DOCUMENT


def find_arguments(queryset: QuerySet[Any]) -> dict[str, Any] | None:
    """What pymongo's `Collection.find` takes to return the queryset's documents, in its order and slice.

    None when the queryset is empty whatever is stored. Raises NotPlainQuery when it takes a pipeline.
    """
    query = queryset.query.clone()
    query.select_related = False
    try:
        return _plain_find(query, queryset.db).arguments(connections[queryset.db])
    except EmptyResultSet:
        return None


def _plain_find(query: Query, using: str) -> Find:
    find = _find(query, connections[using], using)
    if find is None:
        raise NotPlainQuery("the queryset joins, groups, combines or computes: it takes an aggregation pipeline")
    return find


def _find(query: Query, connection: BaseDatabaseWrapper, using: str) -> Find | None:
    """The find that answers `query`; None when it takes a pipeline. Raises EmptyResultSet."""
    if query.combinator:
        return None
    plain = SQLCompiler(query.clone(), connection, using)
    plain.pre_sql_setup()
    return find_of(plain.build_query(plain.columns))


def _summarised(query: Query) -> Query | None:
    """The query whose rows `query` counts or proves to exist; None when it does neither."""
    if _is_count(query) and isinstance(query, AggregateQuery):
        return query.inner_query
    annotations = query.annotation_select.values()
    if not _is_count(query) and not (annotations and all(type(value) is Value for value in annotations)):
        return None
    rows = query.clone()
    rows.clear_select_clause()
    return rows


def _is_count(query: Query) -> bool:
    """Whether `query` asks for COUNT(*) and nothing else."""
    annotations = list(query.annotation_select.values())
    if len(annotations) != 1 or type(annotations[0]) is not Count:
        return False
    [count] = annotations
    return isinstance(count.get_source_expressions()[0], Star) and not count.distinct
