"""Schema changes can be repeated, and leave alone what a running version writes."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.apps.registry import Apps
from django.db import connection, models
from django.db.utils import DatabaseError, IntegrityError
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

from tests.mongo_app.models import Book, Loan
from ticketing.mongo.indexes import UniqueIndex


def collection_of(model: type[models.Model]) -> Collection[dict[str, Any]]:
    collection: Collection[dict[str, Any]] = connection.database[model._meta.db_table]  # type: ignore[attr-defined]
    return collection


def change(name: str, *arguments: Any) -> None:
    with connection.schema_editor() as editor:
        getattr(editor, name)(*arguments)


def field_of(kind: "models.Field[Any, Any]", name: str = "colour") -> "models.Field[Any, Any]":
    kind.set_attributes_from_name(name)
    kind.model = Book
    return kind


@pytest.fixture
def no_collections(db: None) -> Iterator[None]:
    yield
    for model in (Book, Loan):
        change("delete_model", model)


@pytest.mark.usefixtures("no_collections")
class TestModels:
    def test_created_twice(self) -> None:
        change("create_model", Book)
        Book.objects.create(title="kept", pages=1)
        indexes = collection_of(Book).index_information()
        change("create_model", Book)
        assert Book.objects.count() == 1
        assert collection_of(Book).index_information() == indexes
        assert {"book_newest", "book_rating", "book_tags"} < set(indexes)

    def test_interrupted_before_the_indexes(self) -> None:
        connection.database.create_collection(Book._meta.db_table)  # type: ignore[attr-defined]
        change("create_model", Book)
        assert "book_newest" in collection_of(Book).index_information()

    def test_two_at_once(self) -> None:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda _: change("create_model", Loan), range(8)))
        assert set(collection_of(Loan).index_information()) == {"_id_", "loan_number", "loan_borrower", "loan_ttl"}

    def test_other_refusals_are_errors(self) -> None:
        class Bad(models.Model):
            class Meta:
                app_label = "mongo_app"
                apps = Apps()
                db_table = "system.refused"

        with pytest.raises(DatabaseError):
            change("create_model", Bad)

    def test_deleted_twice(self) -> None:
        change("create_model", Book)
        change("delete_model", Book)
        change("delete_model", Book)
        assert Book._meta.db_table not in connection.introspection.table_names()

    def test_renamed_twice(self) -> None:
        change("create_model", Book)
        for _ in range(2):
            change("alter_db_table", Book, Book._meta.db_table, "mongo_app_volume")
        assert "mongo_app_volume" in connection.introspection.table_names()
        change("alter_db_table", Book, "mongo_app_volume", Book._meta.db_table)


@pytest.mark.usefixtures("library")
class TestIndexes:
    def test_added_and_removed_twice(self) -> None:
        index = models.Index(fields=["title", "-pages"], name="book_title")
        for _ in range(2):
            change("add_index", Book, index)
        assert collection_of(Book).index_information()["book_title"]["key"] == [("title", 1), ("pages", -1)]
        for _ in range(2):
            change("remove_index", Book, index)
        assert "book_title" not in collection_of(Book).index_information()

    def test_another_index_of_the_same_name_is_an_error(self) -> None:
        with pytest.raises(OperationFailure, match="book_newest"):
            change("add_index", Book, models.Index(fields=["title"], name="book_newest"))

    def test_removed_with_its_collection_gone(self) -> None:
        change("delete_model", Book)
        change("remove_index", Book, Book._meta.indexes[0])

    @pytest.mark.parametrize("option", ["db_index", "unique"])
    def test_of_a_field_removed_twice(self, option: str) -> None:
        plain = field_of(models.CharField(max_length=9), "title")
        indexed = field_of(models.CharField(max_length=9, **{option: True}), "title")  # type: ignore[arg-type]
        for _ in range(2):
            change("alter_field", Book, plain, indexed)
        assert len(collection_of(Book).index_information()) == 5
        for _ in range(2):
            change("alter_field", Book, indexed, plain)
        assert len(collection_of(Book).index_information()) == 4

    def test_a_unique_rule_over_required_fields_serves_look_ups(self) -> None:
        change("add_constraint", Book, models.UniqueConstraint(fields=["title", "pages"], name="book_once"))
        assert collection_of(Book).index_information()["book_once"] == {
            "v": 2,
            "key": [("title", 1), ("pages", 1)],
            "unique": True,
        }
        assert '"indexName": "book_once"' in Book.objects.filter(title="a", pages=1).explain()

    def test_a_unique_rule_with_an_optional_field_lets_nulls_repeat(self) -> None:
        change("add_constraint", Book, models.UniqueConstraint(fields=["title", "rating"], name="book_once"))
        Book.objects.bulk_create(Book(title="same", pages=1) for _ in range(2))
        with pytest.raises(IntegrityError):
            Book.objects.bulk_create(Book(title="same", pages=1, rating=1) for _ in range(2))

    def test_duplicates_stop_a_unique_index(self) -> None:
        Book.objects.bulk_create(Book(title="same", pages=1) for _ in range(2))
        with pytest.raises(OperationFailure, match="E11000"):
            change("add_index", Book, UniqueIndex(fields=["title"], name="book_unique"))


@pytest.mark.usefixtures("library")
class TestFields:
    def test_the_default_is_only_for_documents_without_the_field(self) -> None:
        collection_of(Book).insert_many([{"title": "old"}, {"title": "written meanwhile", "colour": "red"}])
        for default in ("$blue", "green"):
            change("add_field", Book, field_of(models.CharField(max_length=9, default=default)))
        assert {book["title"]: book["colour"] for book in collection_of(Book).find()} == {
            "old": "$blue",
            "written meanwhile": "red",
        }

    def test_an_index_comes_with_the_field(self) -> None:
        for _ in range(2):
            change("add_field", Book, field_of(models.IntegerField(null=True, db_index=True)))
        assert [("colour", 1)] in [index["key"] for index in collection_of(Book).index_information().values()]

    def test_removed_twice(self) -> None:
        collection_of(Book).insert_one({"title": "old", "colour": "red"})
        for _ in range(2):
            change("remove_field", Book, field_of(models.CharField(max_length=9, unique=True)))
        assert "colour" not in (collection_of(Book).find_one() or {})
