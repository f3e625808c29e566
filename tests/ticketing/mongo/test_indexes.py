"""The kinds of index, from the model through the migration file to the server."""

from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.db.migrations.writer import MigrationWriter
from django.db.models import Index
from django.utils import timezone

from tests.mongo_app.models import Book, Loan
from ticketing.mongo.indexes import PartialIndex, TTLIndex, UniqueIndex

BY_FIELDS = UniqueIndex(fields=["tenant_id", "-pk"], name="u")
WITH_FILTER = UniqueIndex(fields=["hosts"], name="u", partial={"hosts.0": {"$exists": True}})
PARTIAL = PartialIndex(fields=("a", "b"), name="p", partial={"a": {"$gt": 1}})
TTL = TTLIndex("expires_at", name="t")


@pytest.mark.parametrize("index", [BY_FIELDS, WITH_FILTER, PARTIAL, TTL])
def test_survives_the_migration_file(index: Index) -> None:
    text, imports = MigrationWriter.serialize(index)
    names: dict[str, Any] = {}
    exec("\n".join(sorted(imports)), names)
    again = eval(text, names)
    assert type(again) is type(index)
    assert again == index
    assert again.clone() == index
    assert text.startswith("ticketing.mongo.indexes.")


def test_the_migration_file_names_the_options() -> None:
    assert MigrationWriter.serialize(WITH_FILTER)[0] == (
        "ticketing.mongo.indexes.UniqueIndex(fields=['hosts'], name='u', partial={'hosts.0': {'$exists': True}})"
    )
    assert MigrationWriter.serialize(TTL)[0] == (
        "ticketing.mongo.indexes.TTLIndex(expire_after_seconds=0, field='expires_at', name='t')"
    )


def test_a_change_of_an_option_is_a_change() -> None:
    assert TTLIndex("expires_at", name="t", expire_after_seconds=1) != TTL
    assert UniqueIndex(fields=["hosts"], name="u") != WITH_FILTER
    assert UniqueIndex(fields=["a"], name="x") != Index(fields=["a"], name="x")


def test_a_partial_index_needs_a_filter() -> None:
    with pytest.raises(ValueError, match="'p' takes a filter"):
        PartialIndex(fields=["a"], name="p", partial={})


def test_system_checks_accept_them() -> None:
    assert Loan.check(databases=["default"]) == []


@pytest.mark.usefixtures("library")
class TestOnTheServer:
    def test_as_declared(self) -> None:
        stored = connection.database["mongo_app_loan"].index_information()  # type: ignore[attr-defined]
        assert {name: {k: v for k, v in index.items() if k != "v"} for name, index in stored.items()} == {
            "_id_": {"key": [("_id", 1)]},
            "loan_number": {"key": [("number", 1), ("borrower", -1)], "unique": True},
            "loan_borrower": {
                "key": [("borrower", 1), ("_id", 1)],
                "partialFilterExpression": {"borrower": {"$exists": True}},
            },
            "loan_ttl": {"key": [("due_at", 1)], "expireAfterSeconds": 3600},
        }

    def test_arrays_are_indexed_by_their_elements(self) -> None:
        Book.objects.create(title="a", pages=1, tags=["new", "old"])
        plan = Book.objects.filter(tags__overlap=["new"]).explain()
        assert '"isMultiKey": true' in plan
        assert '"indexName": "book_tags"' in plan

    def test_unique_counts_null_as_a_value(self) -> None:
        Loan.objects.create(number=1, borrower=None, due_at=timezone.now())
        Loan.objects.create(number=1, borrower="Ann")
        with pytest.raises(IntegrityError):
            Loan.objects.create(number=1, borrower=None)

    def test_look_ups_use_the_unique_index(self) -> None:
        assert '"indexName": "loan_number"' in Loan.objects.filter(number=1, borrower="Ann").explain()
