"""Which queries run as a find or a count, and that those use indexes."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.db.models import Count, F, Max, Q, QuerySet
from django.test.utils import CaptureQueriesContext
from django_mongodb_backend.transaction import atomic
from pymongo.errors import OperationFailure

from tests.mongo_app.models import Book, Shelf
from ticketing.mongo.engine import NotPlainQuery, find_arguments, match_of

Books = QuerySet[Book]

PLAIN: dict[str, Callable[[Books], Any]] = {
    "all": list,
    "filter and order": lambda books: list(books.filter(rating__lt=3, title="a").order_by("-published", "-pk")[5:10]),
    "exclude": lambda books: list(books.exclude(rating=2)),
    "foreign key": lambda books: list(books.filter(shelf=Shelf(pk="0" * 24)).order_by("shelf_id")),
    "compared fields": lambda books: list(books.filter(rating__gt=F("pages"))),
    "values": lambda books: list(books.values("title", "shelf")),
    "flat": lambda books: list(books.values_list("pk", flat=True).order_by("title")),
    "only": lambda books: list(books.only("title")),
    "iterator": lambda books: list(books.iterator()),
    "first": lambda books: books.first(),
    "last": lambda books: books.last(),
    "in_bulk": lambda books: books.in_bulk(["0" * 24]),
    "exists": lambda books: books.filter(rating=2).exists(),
    "exists in a slice": lambda books: books.order_by("title")[3:5].exists(),
}
COUNTED: dict[str, Callable[[Books], Any]] = {
    "count": lambda books: books.filter(rating=2).count(),
    "count of a slice": lambda books: books.order_by("title")[2:5].count(),
    "count of a join that filters nothing": lambda books: books.select_related("shelf").count(),
    "aggregate": lambda books: books.aggregate(all=Count("*")),
}
PIPELINES: dict[str, Callable[[Books], Any]] = {
    "nulls last": lambda books: list(books.order_by(F("rating").asc(nulls_last=True))),
    "select_related": lambda books: list(books.select_related("shelf")),
    "filter through a join": lambda books: list(books.filter(shelf__name="top")),
    "order through a join": lambda books: list(books.order_by("shelf__name")),
    "distinct": lambda books: list(books.values("title").distinct()),
    "annotate": lambda books: list(books.annotate(double=F("pages") * 2)),
    "group": lambda books: list(books.values("title").annotate(Count("pk"))),
    "random": lambda books: list(books.order_by("?")),
    "union": lambda books: list(books.filter(pages=1).union(books.filter(pages=2))),
    "subquery": lambda books: list(books.filter(shelf__in=Shelf.objects.filter(name="top"))),
    "count through a join": lambda books: books.filter(shelf__name="top").count(),
    "count of distinct": lambda books: books.values("title").distinct().count(),
    "maximum": lambda books: books.aggregate(Max("pages")),
    "filtered count": lambda books: books.aggregate(rated=Count("pk", filter=Q(rating=1))),
    "count of a union": lambda books: books.filter(pages=1).union(books.filter(pages=2)).count(),
}


@pytest.fixture
def books(library: None) -> Books:
    shelves = Shelf.objects.bulk_create(Shelf(name=name) for name in ("top", "low"))
    Book.objects.bulk_create(
        Book(title="abc"[number % 3], pages=number, rating=number % 5 or None, shelf=shelves[number % 2])
        for number in range(40)
    )
    return Book.objects.all()


def operations(run: Callable[[Books], Any], books: Books) -> list[str]:
    """What was asked of the server, as the query log has it."""
    with CaptureQueriesContext(connection) as queries:
        run(books)
    return [query["sql"].split("(")[0] for query in queries]


@pytest.mark.parametrize("name", PLAIN)
def test_plain_queries_are_one_find(books: Books, name: str) -> None:
    assert operations(PLAIN[name], books) == ["db.mongo_app_book.find"]


@pytest.mark.parametrize("name", COUNTED)
def test_plain_counts_are_one_count(books: Books, name: str) -> None:
    assert operations(COUNTED[name], books) == ["db.mongo_app_book.countDocuments"]


@pytest.mark.parametrize("name", PIPELINES)
def test_all_else_stays_one_pipeline(books: Books, name: str) -> None:
    assert operations(PIPELINES[name], books) == ["db.mongo_app_book.aggregate"]


@pytest.mark.parametrize("ask", [list, Books.count, Books.exists, Books.first])
def test_impossible_conditions_ask_nothing(books: Books, ask: Callable[[Books], Any]) -> None:
    assert operations(ask, books.filter(pk__in=[])) == []


def test_the_log_shows_the_whole_find(books: Books) -> None:
    with CaptureQueriesContext(connection) as queries:
        list(books.filter(rating__lte=3).order_by("-pages").values_list("title")[2:4])
    [query] = queries
    assert query["sql"] == (
        "db.mongo_app_book.find({'rating': {'$lte': 3}}, {'title': 1, '_id': 0}, "
        "{'sort': {'pages': -1}, 'skip': 2, 'limit': 2})"
    )
    assert float(query["time"]) >= 0


def plan_of(queryset: QuerySet[Any]) -> dict[str, Any]:
    plan: dict[str, Any] = json.loads(queryset.explain(verbosity="executionStats"))
    return plan


def stages(plan: dict[str, Any]) -> list[str]:
    found, stage = [], plan["queryPlanner"]["winningPlan"]
    while stage:
        found.append(stage["stage"])
        stage = stage.get("inputStage")
    return found


@pytest.mark.parametrize(
    ("conditions", "ordering"),
    [
        ({}, ("-published", "-pk")),
        ({}, ("published", "pk")),
        ({"published__lt": "2030-01-01T00:00Z"}, ("-published", "-pk")),
        ({"published__isnull": True}, ("-published", "-pk")),
        ({"rating__lte": 3}, ("rating",)),
        ({"rating__gte": 1, "rating__lt": 3}, ("-rating",)),
    ],
)
def test_a_page_reads_an_index_and_sorts_nothing(books: Books, conditions: Any, ordering: Any) -> None:
    shelf = Shelf.objects.first()
    assert shelf is not None
    plan = plan_of(books.filter(shelf=shelf, **conditions).order_by(*ordering)[:5])
    assert "IXSCAN" in stages(plan)
    assert not {"SORT", "COLLSCAN"} & set(stages(plan))
    assert plan["executionStats"]["totalDocsExamined"] <= 5


def test_an_exclusion_is_a_range_of_the_index(books: Books) -> None:
    shelf = Shelf.objects.first()
    plan = plan_of(books.filter(shelf=shelf).exclude(rating=2).values_list("rating", "shelf_id"))
    assert stages(plan) == ["PROJECTION_COVERED", "IXSCAN"]
    assert plan["executionStats"]["totalDocsExamined"] == 0


def test_explain_of_a_pipeline(books: Books) -> None:
    assert "$lookup" in books.select_related("shelf").explain()
    with pytest.raises(ValueError, match="Unknown options: format_of_sql"):
        books.explain(format_of_sql=True)


def test_reads_within_a_transaction_see_its_writes(books: Books) -> None:
    new = books.filter(title="new")
    with suppress(LookupError), atomic():
        Book.objects.create(title="new", pages=1)
        assert (new.exists(), new.count(), len(new)) == (True, 1, 1)
        raise LookupError("roll back")
    assert not books.filter(title="new").exists()


@pytest.mark.parametrize("ask", [list, Books.count, Books.exists])
def test_errors_of_the_server_are_database_errors(books: Books, ask: Callable[[Books], Any]) -> None:
    with pytest.raises(DatabaseError) as raised:
        ask(books.filter(title__regex="("))
    assert isinstance(raised.value.__cause__, OperationFailure)


def test_errors_of_later_batches_are_database_errors(books: Books) -> None:
    Book.objects.bulk_create(Book(title="x", pages=0) for _ in range(200))
    rows = books.iterator(chunk_size=10)
    next(rows)
    with connection.schema_editor() as editor:
        editor.delete_model(Book)
    with pytest.raises(DatabaseError):
        list(rows)


def test_the_match_of_a_queryset(books: Books) -> None:
    shelf = Shelf.objects.first()
    assert shelf is not None
    assert match_of(books) == {}
    assert match_of(books.filter(shelf=shelf, rating__lt=3).order_by("title")) == {
        "shelf_id": shelf.pk,
        "rating": {"$lt": 3},
    }
    assert match_of(books.select_related("shelf").filter(rating__isnull=True)) == {"rating": None}
    collection = connection.get_collection("mongo_app_book")  # type: ignore[attr-defined]
    assert collection.count_documents(match_of(books.none())) == 0


@pytest.mark.parametrize(
    "make",
    [
        lambda books: books[:3],
        lambda books: books.filter(shelf__name="top"),
        lambda books: books.values("title").distinct(),
        lambda books: books.annotate(n=Count("shelf")).filter(n__gt=1),
        lambda books: books.union(books.filter(pages=2)),
        lambda books: books.filter(shelf__in=Shelf.objects.filter(name="top")),
    ],
)
def test_no_match_for_what_a_filter_cannot_tell(books: Books, make: Callable[[Books], Books]) -> None:
    with pytest.raises(NotPlainQuery):
        match_of(make(books))


def test_the_arguments_of_a_find(books: Books) -> None:
    arguments = find_arguments(books.filter(pages__gt=2).order_by("-pages")[1:4])
    assert arguments == {
        "filter": {"pages": {"$gt": 2}},
        "projection": None,
        "sort": {"pages": -1},
        "skip": 1,
        "limit": 3,
        "session": None,
    }
    assert find_arguments(books.none()) is None
    with pytest.raises(NotPlainQuery):
        find_arguments(books.order_by("shelf__name"))
