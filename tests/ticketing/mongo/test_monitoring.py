"""What commands cost, and the line of a slow one."""

import logging
import threading
from typing import Any

import pytest

from tests.cast import Cast, api
from ticketing.mongo.client import get_database
from ticketing.mongo.monitoring import CommandListener, DatabaseCost, database_cost, shape_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> Any:
    """Everything is slow."""
    get_database()  # the client's listener is made by the first connection
    [listener] = [each for each in get_database().client.options.event_listeners if isinstance(each, CommandListener)]
    monkeypatch.setattr(listener, "_slow_microseconds", 0)
    caplog.set_level(logging.WARNING, "ticketing.mongo.slow")
    return caplog


def last(slow: Any) -> Any:
    return [record for record in slow.records if record.name == "ticketing.mongo.slow"][-1]


class TestCost:
    def test_commands_are_counted_for_the_context_that_asks(self) -> None:
        cost = DatabaseCost()
        token = database_cost.set(cost)
        try:
            get_database()["things"].insert_one({"_id": 1})
            get_database()["things"].find_one({"_id": 1})
        finally:
            database_cost.reset(token)
        get_database()["things"].find_one({"_id": 1})
        assert cost.calls == 2
        assert cost.microseconds > 0

    def test_threads_do_not_count_for_one_another(self) -> None:
        def work(amount: int) -> None:
            cost = costs[amount] = DatabaseCost()
            database_cost.set(cost)
            for _ in range(amount):
                get_database()["things"].find_one({})

        costs: dict[int, DatabaseCost] = {}
        threads = [threading.Thread(target=work, args=[amount]) for amount in range(1, 9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {amount: cost.calls for amount, cost in costs.items()} == {amount: amount for amount in range(1, 9)}

    def test_a_failing_command_counts(self) -> None:
        cost = DatabaseCost()
        token = database_cost.set(cost)
        try:
            with pytest.raises(Exception, match="no such command"):
                get_database().command("nonsense")
        finally:
            database_cost.reset(token)
        assert cost.calls == 1


class TestSlowCommands:
    def test_a_find_is_told_by_its_shape(self, slow: Any) -> None:
        get_database()["things"].insert_many([{"name": "secret"} for _ in range(3)])
        list(get_database()["things"].find({"name": "secret", "$or": [{"age": {"$gt": 4}}, {"tags": {"$in": ["x"]}}]}))
        record = last(slow)
        assert (record.command, record.collection, record.documents) == ("find", "things", 0)
        assert record.shape == {"name": "?", "$or": [{"age": {"$gt": "?"}}, {"tags": {"$in": "?"}}]}
        assert record.milliseconds > 0
        assert "secret" not in str(record.__dict__)

    def test_what_was_found_or_written_is_counted(self, slow: Any) -> None:
        things = get_database()["things"]
        things.insert_many([{"name": "a"} for _ in range(3)])
        assert (last(slow).command, last(slow).documents, last(slow).shape) == ("insert", 3, {})
        list(things.find({"name": "a"}))
        assert last(slow).documents == 3
        things.update_many({"name": "a"}, {"$set": {"name": "secret"}})
        assert (last(slow).command, last(slow).documents, last(slow).shape) == ("update", 3, {"name": "?"})
        things.delete_many({"name": "secret"})
        assert (last(slow).command, last(slow).documents, last(slow).shape) == ("delete", 3, {"name": "?"})

    def test_a_pipeline_and_a_claim_are_told_too(self, slow: Any) -> None:
        things = get_database()["things"]
        list(things.aggregate([{"$match": {"name": "secret"}}, {"$group": {"_id": "$name"}}]))
        assert last(slow).shape == [{"$match": {"name": "?"}}, {"$group": {"_id": "?"}}]
        things.find_one_and_update({"name": "secret"}, {"$set": {"age": 1}})
        assert (last(slow).command, last(slow).shape) == ("findAndModify", {"name": "?"})

    def test_a_fast_one_is_not_told(self, cast: Cast, caplog: Any) -> None:
        caplog.set_level(logging.WARNING, "ticketing.mongo.slow")
        api(cast.amir).get("/api/v1/tickets")
        assert [record for record in caplog.records if record.name == "ticketing.mongo.slow"] == []

    def test_a_shape_ends_somewhere(self) -> None:
        deep: Any = "x"
        for _ in range(100):
            deep = {"a": deep}
        assert str(shape_of(deep)).count("a") < 10
        assert len(shape_of({str(number): 1 for number in range(1000)})) < 50
