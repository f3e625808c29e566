"""Schema changes that can be interrupted, repeated, run twice at once, and run while the previous version serves."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.models import Field, Index, Model
from django_mongodb_backend.fields import EmbeddedModelField
from django_mongodb_backend.gis.schema import GISSchemaEditor
from django_mongodb_backend.query import wrap_database_errors
from django_mongodb_backend.schema import BaseSchemaEditor, ignore_embedded_models
from pymongo.errors import OperationFailure

from ticketing.mongo.indexes import UniqueIndex

# https://www.mongodb.com/docs/manual/reference/error-codes/
NAMESPACE_NOT_FOUND = 26
INDEX_NOT_FOUND = 27
NAMESPACE_EXISTS = 48


class RepeatableSchemaEditor(BaseSchemaEditor):  # type: ignore[misc]
    """Each change carries on where it finds itself done already."""

    @wrap_database_errors  # type: ignore[untyped-decorator]
    @ignore_embedded_models  # type: ignore[untyped-decorator]
    def create_model(self, model: type[Model]) -> None:
        with _already(NAMESPACE_EXISTS):
            # The server's own answer is the check: looking first would lose to another process.
            self.get_database().create_collection(model._meta.db_table, check_exists=False)
        self._create_model_indexes(model)
        for field in model._meta.local_many_to_many:
            through: Any = field.remote_field.through
            if through._meta.auto_created:
                self.create_model(through)

    @ignore_embedded_models  # type: ignore[untyped-decorator]
    def add_field(self, model: type[Model], field: "Field[Any, Any]") -> None:
        """Gives the field's default to the documents that lack the field; a value written meanwhile stays."""
        if field.many_to_many:
            super().add_field(model, field)
            return
        if field.column:
            self.get_collection(model._meta.db_table).update_many(
                {field.column: {"$exists": False}}, {"$set": {field.column: self.effective_default(field)}}
            )
        if isinstance(field, EmbeddedModelField):
            self._create_model_indexes(field.embedded_model, parent_model=model, column_prefix=f"{field.column}.")
        if self._field_should_be_indexed(model, field):
            self._add_field_index(model, field)
        elif self._field_should_have_unique(field):
            self._add_field_unique(model, field)

    def add_index(self, model: type[Model], index: Index, *, unique: bool = False, **options: Any) -> None:
        """Makes a unique rule over required fields a plain index.

        The backend restricts each to documents whose fields have their type, so that nulls may repeat; but no look-up
        uses such an index: Django's sessions would be found by reading all of them.
        """
        if unique and not index.condition and not options.get("column_prefix"):
            fields: list[Any] = [model._meta.get_field(name) for name, _ in index.fields_orders]
            if not any(field.null for field in fields):
                index = UniqueIndex(fields=index.fields, name=index.name)
        super().add_index(model, index, unique=unique, **options)

    def remove_index(self, model: type[Model], index: Index) -> None:
        with _already(NAMESPACE_NOT_FOUND, INDEX_NOT_FOUND):
            super().remove_index(model, index)

    def alter_db_table(self, model: type[Model], old_db_table: str, new_db_table: str) -> None:
        with _already(NAMESPACE_NOT_FOUND):
            super().alter_db_table(model, old_db_table, new_db_table)

    def _remove_field_index(self, *args: Any, **kwargs: Any) -> None:
        with _already_dropped():
            super()._remove_field_index(*args, **kwargs)

    def _remove_field_unique(self, *args: Any, **kwargs: Any) -> None:
        with _already_dropped():
            super()._remove_field_unique(*args, **kwargs)

    def _remove_composed_index(self, *args: Any, **kwargs: Any) -> None:
        with _already_dropped():
            super()._remove_composed_index(*args, **kwargs)


class DatabaseSchemaEditor(GISSchemaEditor, RepeatableSchemaEditor):  # type: ignore[misc]
    pass


@contextmanager
def _already(*codes: int) -> Iterator[None]:
    """Takes these answers of the server to mean that the change was made before."""
    try:
        yield
    except OperationFailure as error:
        if error.code not in codes:
            raise


@contextmanager
def _already_dropped() -> Iterator[None]:
    """The backend finds these indexes by their columns and says how many it found."""
    with _already(NAMESPACE_NOT_FOUND, INDEX_NOT_FOUND):
        try:
            yield
        except ValueError as error:
            if "Found wrong number (0)" not in str(error):
                raise
