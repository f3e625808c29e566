"""Whatever is asked, the engine answers what the unmodified backend answers."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import Avg, Count, F, Max, Q, QuerySet, Value
from django.db.models.functions import Upper
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.mongo_app.models import Book, Shelf

WORDS = ["", "a", "ab", "B", "a.b", "^a$", "é"]
NUMBERS = [-2, 0, 1, 2, 3, 2**40]
DAY = datetime(2024, 2, 29, 12, tzinfo=UTC)
TIMES = [DAY + timedelta(days=days) for days in (-1, 0, 1)]
PRICES = [Decimal("0.50"), Decimal("2.00"), Decimal("10.25")]

Operation = Callable[[QuerySet[Any]], Any]


def lookups(field: str, values: list[Any], *names: str) -> st.SearchStrategy[Q]:
    return st.builds(
        lambda name, value: Q(**{f"{field}__{name}": value}), st.sampled_from(names), st.sampled_from(values)
    )


def is_null(field: str) -> st.SearchStrategy[Q]:
    return st.booleans().map(lambda null: Q(**{f"{field}__isnull": null}))


def within(field: str, values: list[Any]) -> st.SearchStrategy[Q]:
    chosen = st.lists(st.sampled_from([*values, None]), max_size=4)
    return st.one_of(
        chosen.map(lambda some: Q(**{f"{field}__in": some})),
        st.tuples(st.sampled_from(values), st.sampled_from(values)).map(lambda ends: Q(**{f"{field}__range": ends})),
    )


COMPARED = ("exact", "lt", "lte", "gt", "gte")
TEXT = ("exact", "iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "lt", "gte")
LEAVES = st.one_of(
    *(lookups(field, WORDS, *TEXT) for field in ("title", "subtitle")),
    lookups("title", ["^a", "b$"], "regex", "iregex"),
    *(lookups(field, NUMBERS, *COMPARED) for field in ("pages", "rating")),
    lookups("published", TIMES, *COMPARED),
    lookups("published", [2023, 2024], "year"),
    lookups("published", [DAY.date()], "date"),
    lookups("price", PRICES, *COMPARED),
    lookups("lent", [True, False], "exact"),
    lookups("tags", [[], ["a"], ["a", "b"]], "exact", "contains", "overlap", "lt", "gte"),
    lookups("tags__0", ["a", "b"], "exact", "gt"),
    lookups("tags__len", [0, 1, 2], "exact", "lt"),
    lookups("extra__n", [0, 1], *COMPARED),
    lookups("extra__list__0", [1, 2], "exact", "lt"),
    lookups("extra", [{"n": 1}, [1, None], 1], "exact", "lt"),
    lookups("extra", ["n", "list"], "has_key"),
    lookups("shelf__name", ["top", "low"], "exact", "startswith"),
    *(
        within(field, values)
        for field, values in (("title", WORDS), ("rating", NUMBERS), ("published", TIMES), ("price", PRICES))
    ),
    *(is_null(field) for field in ("subtitle", "rating", "published", "tags", "extra", "extra__n", "shelf", "pk")),
    st.sampled_from([Q(rating=F("pages")), Q(rating__lt=F("pages")), Q(pk__in=[]), ~Q(pk__in=[]), Q()]),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Q.__and__, inner, inner),
        st.builds(Q.__or__, inner, inner),
        st.builds(Q.__xor__, inner, inner),
        inner.map(Q.__invert__),
    ),
    max_leaves=5,
)
ORDERINGS = st.one_of(
    st.lists(
        st.sampled_from(
            [
                "title",
                "-title",
                "rating",
                "-rating",
                "published",
                "-published",
                "lent",
                "price",
                "-shelf",
                "shelf__name",
            ]
        ),
        max_size=2,
    ),
    st.sampled_from(
        [
            [F("rating").asc(nulls_last=True)],
            [F("rating").desc(nulls_last=True)],
            [F("subtitle").asc(nulls_first=True), "-pages"],
            [Upper("title")],
            ["-extra__n"],
        ]
    ),
)


def plain(row: Any) -> Any:
    """An instance as the columns it holds (deferred ones are absent), everything else as it is."""
    return {k: v for k, v in vars(row).items() if k != "_state"} if isinstance(row, Book) else row


def listed(rows: Iterable[Any]) -> list[Any]:
    return [plain(row) for row in rows]


SELECTIONS: dict[str, Operation] = {
    "instances": lambda books: books,
    "only": lambda books: books.only("title", "rating"),
    "defer": lambda books: books.defer("tags", "extra"),
    "values": lambda books: books.values("title", "shelf", "tags"),
    "values of all": lambda books: books.values(),
    "values through a join": lambda books: books.values("title", "shelf__name"),
    "values_list": lambda books: books.values_list("rating", "pk", "published"),
    "flat": lambda books: books.values_list("price", flat=True),
    "json key": lambda books: books.values_list("extra__n", flat=True),
    "named": lambda books: books.values_list("lent", "title", named=True),
    "distinct": lambda books: books.values("lent", "rating", "pk").distinct(),
    "annotated": lambda books: books.annotate(double=F("pages") * 2, constant=Value(1)),
    "alias": lambda books: books.alias(double=F("pages") * 2).filter(double__gte=2),
    "select_related": lambda books: books.select_related("shelf"),
    "reversed": lambda books: books.reverse(),
}
ENDS: dict[str, Operation] = {
    "list": listed,
    "count": lambda books: books.count(),
    "exists": lambda books: books.exists(),
    "first": lambda books: plain(books.first()),
    "last": lambda books: plain(books.last()),
    "iterator": lambda books: listed(books.iterator(chunk_size=3)),
    "contains": lambda books: books.contains(Book(pk="000000000000000000000000")),
    "maximum": lambda books: books.aggregate(Max("rating"), mean=Avg("pages")),
    "counts": lambda books: books.aggregate(all=Count("*"), rated=Count("rating"), kinds=Count("title", distinct=True)),
    "one count": lambda books: books.aggregate(rated=Count("rating")),
}


@pytest.fixture
def books(unmodified: str) -> str:
    """Books with every value of every field, null, missing, empty and mixed."""
    shelves = [Shelf.objects.create(name=name) for name in ("top", "low")]
    tags: list[list[str | None] | None] = [None, [], ["a"], ["a", "b"], ["b", None], [None]]
    extras: list[Any] = [None, {}, {"n": 0}, {"n": 1, "list": [1, 2]}, {"n": None}, [1, None], 1, {"list": [{"n": 1}]}]
    Book.objects.bulk_create(
        Book(
            title=WORDS[number % len(WORDS)],
            subtitle=[*WORDS, None][number % 8],
            pages=NUMBERS[number % 6],
            rating=[*NUMBERS, None][number % 7],
            lent=number % 2 == 0,
            published=[*TIMES, None][number % 4],
            price=[*PRICES, None][number % 4],
            tags=tags[number % 6],
            extra=extras[number % 8],
            shelf=[*shelves, None][number % 3],
        )
        for number in range(60)
    )
    # As documents written before the fields were added. Not so `tags`: the backend's expressions fail on an array that
    # is missing, or do not, as the server happens to evaluate them first or last.
    connection.get_collection(Book._meta.db_table).update_many(  # type: ignore[attr-defined]
        {"pages": 2}, {"$unset": {"rating": "", "extra": "", "subtitle": "", "shelf_id": ""}}
    )
    return unmodified


def answer(operation: Operation, queryset: QuerySet[Any]) -> Any:
    """The operation's result, or the error it ends in."""
    try:
        return operation(queryset)
    except Exception as error:  # noqa: BLE001 - both backends must fail alike, whatever the failure
        return type(error), str(error)


def test_no_difference_to_the_unmodified_backend(books: str) -> None:
    @settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        CONDITIONS,
        st.none() | CONDITIONS,
        st.none() | ORDERINGS,
        st.sampled_from(sorted(SELECTIONS)),
        st.sampled_from(sorted(ENDS)),
        st.none() | st.tuples(st.integers(0, 6), st.none() | st.integers(0, 9)),
    )
    def compare(
        wanted: Q,
        unwanted: Q | None,
        ordering: list[Any] | None,
        selection: str,
        end: str,
        piece: tuple[int, int] | None,
    ) -> None:
        def run(alias: str) -> Any:
            queryset: QuerySet[Any] = Book.objects.using(alias).filter(wanted)
            if unwanted is not None:
                queryset = queryset.exclude(unwanted)
            # Ties are in no order at all, so every order ends with the key.
            queryset = SELECTIONS[selection](queryset.order_by(*(ordering or []), "pk"))
            if piece is not None:
                start, length = piece
                queryset = queryset[start : None if length is None else start + length]
            return answer(ENDS[end], queryset)

        assert run("default") == run(books)

    compare()


@pytest.mark.parametrize("end", ["list", "count", "exists"])
def test_unordered(books: str, end: str) -> None:
    def run(alias: str) -> Any:
        return answer(ENDS[end], Book.objects.using(alias).filter(rating__lt=3))

    assert run("default") == run(books)


def test_lookup_by_keys(books: str) -> None:
    keys = list(Book.objects.values_list("pk", flat=True)[:5])
    found = Book.objects.in_bulk(keys)
    assert list(found) == list(Book.objects.using(books).in_bulk(keys))
    assert set(found) == set(keys)
    assert Book.objects.get(pk=keys[0]) == found[keys[0]]
    assert Book.objects.in_bulk([]) == {}
