"""The base repository's contract, on mongomock and on the real server.

What mongomock cannot do is skipped there, with its reason.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import mongomock
import pytest

from ticketing.errors import AlreadyExists, CrossTenantWrite, InvalidInput, NotFound, StaleVersion, TenantScopeMissing
from ticketing.mongo import ObjectId
from ticketing.mongo.client import get_database
from ticketing.mongo.pages import PageRequest
from ticketing.mongo.repository import PlatformRepository, Repository

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORDER = (("at", -1), ("_id", -1))


class Things(Repository):
    collection_name = "test_things"
    noun = "The thing"


class Shelves(PlatformRepository):
    collection_name = "test_shelves"


@pytest.fixture(params=["mongomock", "server"])
def database(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "mongomock":
        yield mongomock.MongoClient()["contract"]
        return
    request.getfixturevalue("db")
    yield get_database()


@pytest.fixture
def acme(database: Any) -> Things:
    return Things(ObjectId(), database)


@pytest.fixture
def globex(database: Any) -> Things:
    return Things(ObjectId(), database)


def thing(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "at": NOON, "version": 1, **more}


def test_needs_a_tenant() -> None:
    with pytest.raises(TenantScopeMissing):
        Things(None)  # type: ignore[arg-type]


def test_insert_stamps_the_tenant_and_returns_what_is_stored(acme: Things) -> None:
    stored = acme.insert(thing("lamp"))
    assert stored["tenant_id"] == acme.tenant_id
    assert acme.get(stored["_id"]) == stored


def test_times_come_back_aware(acme: Things) -> None:
    assert acme.get(acme.insert(thing("lamp"))["_id"])["at"] == NOON


def test_insert_refuses_another_tenant(acme: Things, globex: Things) -> None:
    with pytest.raises(CrossTenantWrite):
        acme.insert(thing("lamp", tenant_id=globex.tenant_id))
    with pytest.raises(CrossTenantWrite):
        acme.insert_many([thing("lamp"), thing("lamp", tenant_id=globex.tenant_id)])
    assert globex.find({}) == acme.find({}) == []


def test_insert_translates_a_duplicate(acme: Things) -> None:
    stored = acme.insert(thing("lamp"))
    with pytest.raises(AlreadyExists, match="The thing"):
        acme.insert(thing("lamp", _id=stored["_id"]))


def test_another_tenants_document_is_missing(acme: Things, globex: Things) -> None:
    theirs = globex.insert(thing("lamp"))
    with pytest.raises(NotFound) as foreign:
        acme.get(theirs["_id"])
    with pytest.raises(NotFound) as missing:
        acme.get(ObjectId())
    assert str(foreign.value) == str(missing.value)
    assert acme.find_by_ids([theirs["_id"], None]) == {}
    assert acme.count({}) == 0


@pytest.mark.parametrize(
    "widening", [{"$or": [{}, {"name": "lamp"}]}, {"tenant_id": {"$exists": True}}, {"name": {"$ne": 1}}]
)
def test_no_filter_leaves_the_tenant(acme: Things, globex: Things, widening: dict[str, Any]) -> None:
    theirs = globex.insert(thing("lamp"))
    assert acme.find(widening) == []
    assert acme.update_where(widening, {"name": "mine"}) is None
    assert acme.delete(widening) == 0
    assert globex.get(theirs["_id"]) == theirs


def test_naming_the_other_tenant_in_a_filter_finds_nothing(acme: Things, globex: Things) -> None:
    globex.insert(thing("lamp"))
    assert acme.find({"tenant_id": globex.tenant_id}) == []


def test_update_counts_the_version_up(acme: Things) -> None:
    stored = acme.insert(thing("lamp"))
    changed = acme.update(stored["_id"], {"name": "desk"}, expected_version=1, operators={"$inc": {"uses": 2}})
    assert (changed["name"], changed["version"], changed["uses"]) == ("desk", 2, 2)


def test_a_stale_update_changes_nothing_and_tells_the_current_version(acme: Things) -> None:
    stored = acme.insert(thing("lamp"))
    acme.update(stored["_id"], {"name": "desk"}, expected_version=1)
    with pytest.raises(StaleVersion) as stale:
        acme.update(stored["_id"], {"name": "chair"}, expected_version=1)
    assert stale.value.data == {"current_version": 2}
    assert acme.get(stored["_id"])["name"] == "desk"


def test_update_of_a_foreign_document_is_not_found(acme: Things, globex: Things) -> None:
    theirs = globex.insert(thing("lamp"))
    with pytest.raises(NotFound):
        acme.update(theirs["_id"], {"name": "mine"}, expected_version=1)


@pytest.mark.parametrize("field", ["tenant_id", "tenant_id.x"])
def test_updates_may_not_name_the_tenant(acme: Things, field: str) -> None:
    stored = acme.insert(thing("lamp"))
    with pytest.raises(CrossTenantWrite):
        acme.update(stored["_id"], {field: ObjectId()}, expected_version=1)
    with pytest.raises(CrossTenantWrite):
        acme.update_where({}, {}, operators={"$unset": {field: ""}})


def test_upsert_creates_within_the_tenant(database: Any, acme: Things, globex: Things) -> None:
    if isinstance(database, mongomock.Database):
        pytest.skip("mongomock's upsert does not take over equalities from $and")
    created = acme.update_where({"name": "lamp"}, {"colour": "red"}, upsert=True)
    assert created is not None
    assert created["tenant_id"] == acme.tenant_id
    acme.increment_many([({"name": "lamp"}, {"uses": 2}), ({"name": "desk"}, {"uses": 1})])
    assert sorted((found["name"], found["uses"]) for found in acme.find({})) == [("desk", 1), ("lamp", 2)]
    assert globex.find({}) == []


def test_count_stops_at_its_cap(acme: Things) -> None:
    acme.insert_many(thing(str(n)) for n in range(7))
    assert acme.count({}) == 7
    assert acme.count({}, cap=5) == 5


def test_counts_each_of_several_filters_at_once(database: Any, acme: Things, globex: Things) -> None:
    if isinstance(database, mongomock.Database):
        pytest.skip("mongomock has no $unionWith")
    acme.insert_many(thing("lamp") for _ in range(4))
    acme.insert(thing("desk"))
    globex.insert_many(thing("desk") for _ in range(2))
    filters = [{"name": "nothing"}, {"name": "lamp"}, {}, {"name": "desk"}]
    assert acme.count_each(filters, cap=3) == [0, 3, 3, 1]
    assert acme.count_each([], cap=3) == []


def test_a_pipeline_may_not_reach_other_collections(acme: Things) -> None:
    acme.insert(thing("lamp"))
    assert [row["n"] for row in acme.aggregate({}, [{"$group": {"_id": None, "n": {"$sum": 1}}}])] == [1]
    with pytest.raises(CrossTenantWrite):
        acme.aggregate({}, [{"$unionWith": "users"}])
    with pytest.raises(CrossTenantWrite):
        acme.aggregate({}, [{"$facet": {"all": [{"$lookup": {"from": "users", "pipeline": [], "as": "all"}}]}}])


def test_pages_walk_forth_and_back_over_equal_times(acme: Things, globex: Things) -> None:
    acme.insert_many(thing(str(n), at=NOON + timedelta(minutes=n // 4)) for n in range(23))
    globex.insert_many(thing("theirs") for _ in range(5))
    everything = [row["_id"] for row in acme.find({}, sort=ORDER)]

    forward, pages, request = [], [], PageRequest(limit=5)
    while True:
        page = acme.page({}, ORDER, request)
        pages.append([row["_id"] for row in page.rows])
        forward += pages[-1]
        if not page.has_more:
            break
        request = PageRequest(limit=5, after=page.after or "")
    assert forward == everything
    assert [len(rows) for rows in pages] == [5, 5, 5, 5, 3]

    backward = []
    while page.before:
        page = acme.page({}, ORDER, PageRequest(limit=5, before=page.before))
        backward.append([row["_id"] for row in page.rows])
    assert backward == pages[-2::-1]
    assert page.has_more


def test_a_row_that_arrives_between_pages_shifts_nothing(acme: Things) -> None:
    acme.insert_many(thing(str(n), at=NOON + timedelta(minutes=n)) for n in range(6))
    first = acme.page({}, ORDER, PageRequest(limit=3))
    acme.insert(thing("newest", at=NOON + timedelta(hours=1)))
    second = acme.page({}, ORDER, PageRequest(limit=3, after=first.after or ""))
    assert [row["name"] for row in first.rows + second.rows] == ["5", "4", "3", "2", "1", "0"]


def test_an_empty_page_has_no_neighbours(acme: Things) -> None:
    page = acme.page({}, ORDER, PageRequest(limit=3))
    assert (page.rows, page.after, page.before, page.has_more) == ([], None, None, False)


@pytest.mark.parametrize("cursor", ["x", "!!!!", "é", "AAAA", "a" * 5000, "eyJhIjoxfQ"])
def test_a_made_up_cursor_is_refused(acme: Things, cursor: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        acme.page({}, ORDER, PageRequest(limit=3, after=cursor))
    assert refused.value.errors[0].field == "after"


def test_a_cursor_of_another_order_or_with_operators_is_refused(acme: Things) -> None:
    import base64

    import bson

    acme.insert_many(thing(str(n)) for n in range(4))
    after = acme.page({}, ORDER, PageRequest(limit=1)).after or ""
    with pytest.raises(InvalidInput):
        acme.page({}, (("name", 1), ("_id", 1)), PageRequest(limit=1, after=after))
    hostile = base64.urlsafe_b64encode(bson.encode({"s": "at:-1,_id:-1", "v": [{"$gt": 0}, {"$gt": 0}]})).decode()
    with pytest.raises(InvalidInput):
        acme.page({}, ORDER, PageRequest(limit=1, after=hostile))
    with pytest.raises(InvalidInput, match="not both"):
        acme.page({}, ORDER, PageRequest(limit=1, after=after, before=after))


def test_a_platform_repository_has_no_tenant(database: Any) -> None:
    shelves = Shelves(database)
    stored = shelves.insert({"name": "top"})
    assert "tenant_id" not in stored
    assert shelves.find({"name": "top"}) == [stored]
