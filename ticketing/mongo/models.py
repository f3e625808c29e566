"""Base models: data that only services write, and data that belongs to one tenant."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, ClassVar, NoReturn, Self

from django.db import DEFAULT_DB_ALIAS, connections, models
from django_mongodb_backend.fields import ObjectIdField
from django_mongodb_backend.managers import MongoManager
from django_mongodb_backend.queryset import MongoQuerySet

from ticketing.errors import DirectWriteError, TenantScopeMissing
from ticketing.mongo.client import DOCUMENT_OPTIONS, get_database
from ticketing.mongo.pages import Page, PageRequest, Sort, page_of, seek_filter
from ticketing.mongo.scope import current_scope

Document = dict[str, Any]


def _refuse_write(*_args: Any, **_kwargs: Any) -> NoReturn:
    raise DirectWriteError(
        "This data is written by services only, so that history, counters and notifications cannot be skipped. "
        "Call the service (for a ticket: tickets.services), not the model or the queryset."
    )


def _refuse_raw(*_args: Any, **_kwargs: Any) -> NoReturn:
    raise TenantScopeMissing("A raw pipeline bypasses the tenant filter; write a repository method instead.")


class ServiceWrittenQuerySet(MongoQuerySet):  # type: ignore[misc]
    """Reads like any queryset; refuses every write."""

    create = acreate = bulk_create = abulk_create = bulk_update = abulk_update = _refuse_write
    get_or_create = aget_or_create = update_or_create = aupdate_or_create = _refuse_write
    update = aupdate = _update = delete = adelete = _raw_delete = _insert = _refuse_write

    @cached_property
    def _matched(self) -> Document:
        from ticketing.mongo.engine import match_of

        return match_of(self)

    def match(self) -> Document:
        """The MongoDB filter of this queryset, not to be changed. Raises NotPlainQuery where a find filter cannot
        express it."""
        return self._matched

    def documents(self, *fields: str) -> Iterator[Document]:
        """The matching documents as MongoDB stores them (``_id``, column names, aware UTC times), without instances.

        ``fields`` are column names (none: all). Keeps the queryset's ordering and slice.
        """
        from ticketing.mongo.engine import find_arguments

        collection = connections[self.db].database.get_collection(  # type: ignore[attr-defined]
            self.model._meta.db_table, codec_options=DOCUMENT_OPTIONS
        )
        projection = dict.fromkeys(fields, 1) or None
        arguments = find_arguments(self)
        if arguments is None:
            return iter(())
        return iter(collection.find(**{**arguments, "projection": projection}))

    def page(self, sort: Sort, request: PageRequest, *fields: str) -> Page:
        """One keyset page of the matching documents in the order of ``sort``, which must end in a unique key.

        ``fields`` as for ``documents``; they must hold the keys of ``sort``. Raises InvalidInput for a bad cursor.
        """
        seek, order = seek_filter(sort, request)
        where = {"$and": [self.match(), seek]} if seek else self.match()
        collection = get_database()[self.model._meta.db_table]
        found = collection.find(where, dict.fromkeys(fields, 1) or None, limit=request.limit + 1, sort=list(order))
        return page_of(list(found), sort, request)


class TenantQuerySet(ServiceWrittenQuerySet):
    """A queryset of one tenant's rows; pipelines that would bypass the tenant filter are refused."""

    raw_aggregate = raw = _refuse_raw


class TenantManager(MongoManager.from_queryset(TenantQuerySet)):  # type: ignore[misc]
    """Fails closed: without a scope there is no queryset at all, whatever method is called on the manager."""

    def get_queryset(self) -> TenantQuerySet:
        scope = current_scope()
        queryset: TenantQuerySet = super().get_queryset()
        return queryset if scope.tenant_id is None else queryset.filter(tenant_id=scope.tenant_id)


class ServiceWrittenManager(MongoManager.from_queryset(ServiceWrittenQuerySet)):  # type: ignore[misc]
    """Reads; the platform's own rows have no tenant to be filtered by."""


class ServiceWrittenModel(models.Model):
    """A model whose rows are written by repositories only."""

    objects: ClassVar[Any] = ServiceWrittenManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def save(self, *args: Any, **kwargs: Any) -> None:
        _refuse_write()

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        _refuse_write()

    @classmethod
    def from_document(cls, document: Document) -> Self:
        """A read-only instance of a stored document, such as a repository returns; absent fields stay unset."""
        present = [(field.attname, str(field.column)) for field in cls._meta.concrete_fields]
        stored = {name: document[column] for name, column in present if column in document}
        return cls.from_db(DEFAULT_DB_ALIAS, list(stored), list(stored.values()))


class TenantModel(ServiceWrittenModel):
    """A model whose rows belong to one tenant. ``tenant_id`` leads every index and never changes."""

    tenant_id = ObjectIdField(editable=False)

    objects: ClassVar[Any] = TenantManager()

    class Meta(ServiceWrittenModel.Meta):
        abstract = True
