"""A simplified filter is smaller and matches the same documents."""

from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ticketing.mongo.engine.filters import Filter, simplified

SCALARS = {"a", "b"}
EXISTS, NOT_NULL = {"$exists": True}, {"$ne": None}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({}, {}),
        ({"$and": [{"a": 1}, {"$and": [{"b": 2}]}]}, {"a": 1, "b": 2}),
        ({"$and": [{"a": {"$lt": 3}}, {"$and": [{"a": EXISTS}, {"a": NOT_NULL}]}]}, {"a": {"$lt": 3}}),
        ({"$and": [{"list": {"$lt": 3}}, {"list": EXISTS}, {"list": NOT_NULL}]}, {"list": {"$lt": 3, "$ne": None}}),
        ({"$and": [{"a": {"$gte": 1}}, {"a": {"$lt": 3}}]}, {"a": {"$gte": 1, "$lt": 3}}),
        ({"$and": [{"a": {"$lt": 5}}, {"a": {"$lt": 3}}]}, {"$and": [{"a": {"$lt": 5}}, {"a": {"$lt": 3}}]}),
        ({"$and": [{"a": 1}, {"a": True}]}, {"$and": [{"a": 1}, {"a": True}]}),
        ({"$and": [{"a": EXISTS}, {"a": NOT_NULL}]}, {"a": NOT_NULL}),
        ({"$or": [{"a": {"$exists": False}}, {"a": None}]}, {"a": None}),
        ({"$or": [{"a.b": {"$exists": False}}, {"a.b": None}]}, {"$or": [{"a.b": {"$exists": False}}, {"a.b": None}]}),
        ({"$or": [{"$or": [{"a": 1}, {"a": 2}]}, {"b": 3}]}, {"$or": [{"a": 1}, {"a": 2}, {"b": 3}]}),
        ({"$nor": [{"a": 1}]}, {"a": {"$ne": 1}}),
        ({"$nor": [{"$and": [{"a": 1}, {"a": EXISTS}, {"a": NOT_NULL}]}]}, {"a": {"$ne": 1}}),
        ({"$nor": [{"a": {"$in": [1, 2]}}]}, {"a": {"$nin": [1, 2]}}),
        ({"$nor": [{"a": {"$lt": 3}}]}, {"a": {"$not": {"$lt": 3}}}),
        ({"$nor": [{"$or": [{"a": 1}, {"b": 2}]}]}, {"a": {"$ne": 1}, "b": {"$ne": 2}}),
        ({"$nor": [{"$nor": [{"a": 1}]}]}, {"a": 1}),
        ({"$nor": [{"$and": [{"a": 1}, {"b": 2}]}]}, {"$nor": [{"a": 1, "b": 2}]}),
        ({"$nor": [{"$expr": {"$eq": ["$a", 1]}}]}, {"$nor": [{"$expr": {"$eq": ["$a", 1]}}]}),
    ],
)
def test_simplified(condition: Filter, expected: Filter) -> None:
    assert simplified(condition, SCALARS.__contains__) == expected


VALUES = st.sampled_from([None, 0, 1, 1.5, True, "", "x", "xy", [], [None], [1, None], {}, {"b": None}, {"b": [1]}])
PATHS = st.sampled_from(["a", "b", "list", "list.b", "list.0"])
OPERATORS = st.one_of(
    st.tuples(st.sampled_from(["$lt", "$lte", "$gt", "$gte", "$ne", "$eq"]), VALUES),
    st.tuples(st.sampled_from(["$in", "$nin"]), st.lists(VALUES, max_size=3)),
    st.tuples(st.just("$exists"), st.booleans()),
    st.tuples(st.just("$regex"), st.sampled_from(["^x", "y"])),
).map(lambda pair: dict([pair]))
CONDITIONS = st.recursive(
    st.one_of(
        st.tuples(PATHS, st.one_of(VALUES, OPERATORS, OPERATORS.map(lambda one: {"$not": one}))),
        st.sampled_from([("$expr", {"$gt": ["$a", "$b"]}), ("$expr", {"$eq": ["$a", 1]})]),
    ).map(lambda pair: dict([pair])),
    lambda inner: st.tuples(st.sampled_from(["$and", "$or", "$nor"]), st.lists(inner, min_size=1, max_size=3)).map(
        lambda pair: dict([pair])
    ),
    max_leaves=6,
)
LISTS: list[Any] = [None, 1, "x", [], [1], [None], [1, None], {"b": 1}, [{"b": None}, {}]]
DOCUMENTS = [
    {**document, **extra}
    for document in [{}, *({"list": value} for value in LISTS)]
    for extra in ({}, {"a": None}, {"a": 1, "b": 0}, {"a": 1.5, "b": True}, {"a": "x", "b": "xy"}, {"a": True})
]


def test_matches_the_same_documents(db: None) -> None:
    collection = connection.database["simplified"]  # type: ignore[attr-defined]
    collection.insert_many({"_id": number, **document} for number, document in enumerate(DOCUMENTS))

    def matched(condition: Filter) -> Any:
        return [document["_id"] for document in collection.find(condition, {"_id": 1}).sort("_id")]

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(CONDITIONS)
    def compare(condition: Filter) -> None:
        assert matched(simplified(condition, SCALARS.__contains__)) == matched(condition)

    compare()
    collection.drop()
