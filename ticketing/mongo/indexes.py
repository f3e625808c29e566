"""Index kinds that Django's own `Index` and `UniqueConstraint` cannot declare. Use them in `Meta.indexes`."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Field, Index, Model
from pymongo import ASCENDING, DESCENDING
from pymongo.operations import IndexModel


class MongoIndex(Index):
    """An index with options as MongoDB knows them; `partial` is a filter in MQL, on column names.

    `fields` are field names, "-name" descends; "pk" is `_id`. Mapped by the engine's schema editor.
    """

    server_options: Mapping[str, Any] = {}

    def __init__(self, *, fields: Sequence[str], name: str, partial: Mapping[str, Any] | None = None) -> None:
        super().__init__(fields=[_without_pk(field) for field in fields], name=name)
        self.partial = dict(partial or {})

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        path, arguments, keywords = super().deconstruct()
        if self.partial:
            keywords["partial"] = self.partial
        return path, arguments, keywords

    def get_pymongo_index_model(
        self,
        model: type[Model],
        schema_editor: Any,
        field: "Field[Any, Any] | None" = None,
        unique: bool = False,
        column_prefix: str = "",
    ) -> IndexModel:
        """What the backend's schema editor asks of an index that it is to create."""
        keys = [
            (f"{column_prefix}{model._meta.get_field(name).column}", DESCENDING if order else ASCENDING)  # type: ignore[union-attr]
            for name, order in self.fields_orders
        ]
        partial = {"partialFilterExpression": self.partial} if self.partial else {}
        return IndexModel(keys, name=self.name, **self.server_options, **partial)


class UniqueIndex(MongoIndex):
    """No two documents with the same values. A missing field counts as null, and null as a value.

    Django's `UniqueConstraint` becomes an index partial on `$type` here, which look-ups do not use; this one they do.
    """

    server_options = {"unique": True}


class PartialIndex(MongoIndex):
    """Holds only the documents that match `partial`; a query uses it when its filter includes `partial`."""

    def __init__(self, *, fields: Sequence[str], name: str, partial: Mapping[str, Any]) -> None:
        if not partial:
            raise ValueError(f"PartialIndex {name!r} takes a filter in `partial`; for all documents use Index")
        super().__init__(fields=fields, name=name, partial=partial)


class TTLIndex(MongoIndex):
    """The server deletes a document `expire_after_seconds` after the time in `field`, within a minute or so.

    https://www.mongodb.com/docs/manual/core/index-ttl/
    """

    def __init__(self, field: str, name: str, expire_after_seconds: int = 0) -> None:
        super().__init__(fields=[field], name=name)
        self.expire_after_seconds = expire_after_seconds
        self.server_options = {"expireAfterSeconds": expire_after_seconds}

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        path, arguments, _ = super().deconstruct()
        keywords = {"field": self.fields[0], "name": self.name, "expire_after_seconds": self.expire_after_seconds}
        return path, arguments, keywords


def _without_pk(field: str) -> str:
    """Django's system checks know an index's fields by their names only."""
    return {"pk": "id", "-pk": "-id"}.get(field, field)
