"""The comparison of declared and stored indexes, and the command that prints it."""

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import override_settings
from pymongo.collection import Collection

from tests.mongo_app.models import Book, Loan, Shelf
from ticketing.mongo.index_report import Finding, State, compare_indexes, declared_indexes

pytestmark = pytest.mark.usefixtures("library")


def found(*states: State) -> dict[str, Finding]:
    findings = compare_indexes([Shelf, Book, Loan], connection)
    return {finding.index: finding for finding in findings if finding.state in states}


@pytest.fixture
def loans() -> Collection[dict[str, Any]]:
    collection: Collection[dict[str, Any]] = connection.database["mongo_app_loan"]  # type: ignore[attr-defined]
    return collection


def test_what_a_model_declares() -> None:
    assert declared_indexes(Book, connection) == {
        "book_newest": {"key": [("shelf_id", 1), ("published", -1), ("_id", -1)]},
        "book_rating": {"key": [("shelf_id", 1), ("rating", 1)]},
        "book_tags": {"key": [("tags", 1)]},
    }


def test_all_is_well() -> None:
    assert found(State.MISSING, State.DIFFERS, State.EXTRA) == {}


def test_missing(loans: Collection[dict[str, Any]]) -> None:
    loans.drop_index("loan_number")
    [finding] = found(State.MISSING, State.DIFFERS, State.EXTRA).values()
    assert finding == Finding(State.MISSING, "mongo_app_loan", "loan_number", "(number, -borrower) unique=True")
    assert finding.is_fault


def test_missing_with_its_collection(loans: Collection[dict[str, Any]]) -> None:
    loans.drop()
    assert set(found(State.MISSING)) == {"loan_number", "loan_borrower", "loan_ttl"}


@pytest.mark.parametrize(
    ("keys", "options"),
    [
        ([("number", 1)], {"unique": True}),
        ([("number", 1), ("borrower", 1)], {"unique": True}),
        ([("number", 1), ("borrower", -1)], {}),
        ([("number", 1), ("borrower", -1)], {"unique": True, "partialFilterExpression": {"number": {"$gt": 1}}}),
        ([("number", 1), ("borrower", -1)], {"unique": True, "sparse": True}),
    ],
)
def test_differing(loans: Collection[dict[str, Any]], keys: Any, options: Any) -> None:
    loans.drop_index("loan_number")
    loans.create_index(keys, name="loan_number", **options)
    [finding] = found(State.MISSING, State.DIFFERS, State.EXTRA).values()
    assert (finding.state, finding.index) == (State.DIFFERS, "loan_number")
    assert finding.detail.startswith("declared (number, -borrower) unique=True, stored (number")
    assert finding.is_fault


def test_another_time_to_live_differs(loans: Collection[dict[str, Any]]) -> None:
    loans.drop_index("loan_ttl")
    loans.create_index("due_at", name="loan_ttl", expireAfterSeconds=0)
    assert set(found(State.DIFFERS)) == {"loan_ttl"}


def test_another_name(loans: Collection[dict[str, Any]]) -> None:
    loans.drop_index("loan_number")
    loans.create_index([("number", 1), ("borrower", -1)], name="old_name", unique=True)
    assert found(State.DIFFERS)["loan_number"].detail == "is named old_name"


def test_extra(loans: Collection[dict[str, Any]]) -> None:
    loans.create_index([("borrower", 1)], name="by_hand")
    loans.create_index([("borrower", "text")], name="words")
    findings = found(State.MISSING, State.DIFFERS, State.EXTRA)
    assert {name: finding.state for name, finding in findings.items()} == {
        "by_hand": State.EXTRA,
        "words": State.EXTRA,
    }
    assert not findings["by_hand"].is_fault


def test_unused_until_a_query_uses_it() -> None:
    unused = found(State.UNUSED)
    assert {"loan_number", "book_newest"} <= set(unused)
    assert "since 2" in unused["loan_number"].detail
    assert not unused["loan_number"].is_fault
    assert not Loan.objects.filter(number=1).exists()
    assert "loan_number" not in found(State.UNUSED)


class TestCommand:
    @pytest.fixture(autouse=True)
    def only_the_library(self) -> Iterator[None]:
        with override_settings(INSTALLED_APPS=["ticketing", "tests.mongo_app"]):
            yield

    def run(self, *arguments: str) -> tuple[int, str]:
        output = StringIO()
        try:
            call_command("check_indexes", *arguments, stdout=output)
        except SystemExit as exit_:
            return int(str(exit_.code)), output.getvalue()
        return 0, output.getvalue()

    def test_unused_and_extra_ones_are_no_failure(self, loans: Collection[dict[str, Any]]) -> None:
        loans.create_index([("borrower", 1)], name="by_hand")
        code, output = self.run()
        assert code == 0
        assert ["extra", "mongo_app_loan", "by_hand", "(borrower)"] in [line.split() for line in output.splitlines()]

    def test_a_missing_one_is(self, loans: Collection[dict[str, Any]]) -> None:
        loans.drop_index("loan_number")
        code, output = self.run()
        assert code == 1
        [line] = [line for line in output.splitlines() if line.startswith("missing")]
        assert line.split() == ["missing", "mongo_app_loan", "loan_number", "(number,", "-borrower)", "unique=True"]

    def test_json(self, loans: Collection[dict[str, Any]]) -> None:
        loans.drop_index("loan_number")
        code, output = self.run("--json")
        assert code == 1
        assert {
            "state": "missing",
            "collection": "mongo_app_loan",
            "index": "loan_number",
            "detail": "(number, -borrower) unique=True",
        } in json.loads(output)
