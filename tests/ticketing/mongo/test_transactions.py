"""All or nothing, retried on conflicts, and driver errors told as ours: on the real server."""

import threading

import pytest
from pymongo import IndexModel, MongoClient
from pymongo.client_session import ClientSession
from pymongo.errors import AutoReconnect, OperationFailure, PyMongoError, ServerSelectionTimeoutError

from ticketing.errors import StorageUnavailable
from ticketing.mongo import ObjectId
from ticketing.mongo.client import (
    after_commit,
    current_session,
    get_database,
    snapshot,
    transactional,
    translated_errors,
)
from ticketing.mongo.counters import next_number
from ticketing.mongo.repository import Repository

pytestmark = pytest.mark.django_db


class Accounts(Repository):
    collection_name = "test_accounts"


@pytest.fixture
def accounts() -> Accounts:
    return Accounts(ObjectId())


def test_a_failure_leaves_nothing(accounts: Accounts) -> None:
    called = []

    @transactional
    def work() -> None:
        accounts.insert({"name": "one"})
        after_commit(lambda: called.append(1))
        raise LookupError

    with pytest.raises(LookupError):
        work()
    assert accounts.find({}) == []
    assert called == []
    assert current_session() is None


def test_an_inner_transaction_joins_the_outer(accounts: Accounts) -> None:
    @transactional
    def inner() -> None:
        accounts.insert({"name": "inner"})

    @transactional
    def outer() -> None:
        inner()
        raise LookupError

    with pytest.raises(LookupError):
        outer()
    assert accounts.find({}) == []


def test_after_commit_sees_what_was_committed(accounts: Accounts) -> None:
    seen: list[int] = []

    @transactional
    def work() -> None:
        after_commit(lambda: seen.append(accounts.count({})))
        accounts.insert({"name": "one"})
        assert seen == []

    work()
    assert seen == [1]
    after_commit(lambda: seen.append(7))
    assert seen == [1, 7]


def test_conflicting_transactions_are_retried_and_lose_nothing(accounts: Accounts) -> None:
    account = accounts.insert({"name": "shared", "version": 1, "balance": 0})
    attempts: list[int] = []

    @transactional
    def add_one() -> None:
        attempts.append(1)
        found = accounts.get(account["_id"])
        accounts.update(account["_id"], {"balance": found["balance"] + 1}, expected_version=found["version"])

    threads = [threading.Thread(target=lambda: [add_one() for _ in range(5)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = accounts.get(account["_id"])
    assert (stored["balance"], stored["version"]) == (40, 41)
    assert len(attempts) >= 40


def test_all_reads_are_of_one_moment(accounts: Accounts) -> None:
    accounts.insert({"name": "first"})

    @transactional
    def work() -> list[int]:
        before = accounts.count({})
        thread = threading.Thread(target=lambda: accounts.insert({"name": "meanwhile"}))
        thread.start()
        thread.join()
        return [before, accounts.count({})]

    assert work() == [1, 1]
    assert accounts.count({}) == 2


def test_long_writes_of_others_disturb_nobody(accounts: Accounts) -> None:
    """Each transaction runs once, though it begins with a number, and sees what the last one has written."""
    written, end = threading.Event(), threading.Event()
    attempts: list[int] = []

    def make_collections() -> None:
        while not end.is_set():
            get_database()["test_made"].create_indexes([IndexModel(name) for name in ("a", "b", "c")])
            get_database()["test_made"].drop()
            written.set()

    @transactional
    def add_one() -> None:
        next_number(accounts.tenant_id, "test")
        attempts.append(accounts.count({}))
        accounts.insert({"name": "one"})

    maker = threading.Thread(target=make_collections)
    maker.start()
    try:
        assert written.wait(20)
        for _ in range(100):
            add_one()
    finally:
        end.set()
        maker.join()
    assert attempts == list(range(100))


def test_an_unreachable_server_is_storage_unavailable() -> None:
    client: MongoClient[dict[str, object]] = MongoClient("127.0.0.1", 1, serverSelectionTimeoutMS=50)
    with pytest.raises(StorageUnavailable) as raised:
        Accounts(ObjectId(), client["nowhere"]).find({})
    assert raised.value.headers["Retry-After"]
    client.close()


def test_a_transaction_does_not_wait_again_and_again_for_a_server(accounts: Accounts) -> None:
    attempts = []

    @transactional
    def write() -> None:
        attempts.append(1)
        error = ServerSelectionTimeoutError("gone")
        error._add_error_label("TransientTransactionError")  # as the driver does within a transaction
        raise error

    with pytest.raises(StorageUnavailable) as raised:
        write()
    assert (len(attempts), raised.value.headers["Retry-After"]) == (1, "5")


def test_other_driver_errors_are_not_hidden() -> None:
    with pytest.raises(OperationFailure), translated_errors():
        get_database().command("no such command")


def test_numbers_have_no_twins_even_within_transactions_that_roll_back() -> None:
    tenant, taken = ObjectId(), []

    @transactional
    def take() -> None:
        taken.append(next_number(tenant, "tickets"))
        if len(taken) % 3 == 0:
            raise LookupError

    def work() -> None:
        for _ in range(10):
            try:
                take()
            except LookupError:
                continue

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(1, 81))
    assert next_number(tenant, "tickets", 10) == 90
    assert next_number(ObjectId(), "tickets") == 1


def test_a_transaction_that_never_gets_through_gives_up_in_time(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[int] = []

    @transactional
    def never() -> None:
        attempts.append(1)
        error = PyMongoError("conflict")
        error._add_error_label("TransientTransactionError")
        raise error

    monkeypatch.setattr("ticketing.mongo.client.TRANSACTION_SECONDS", 0.2)
    with pytest.raises(StorageUnavailable):
        never()
    assert len(attempts) >= 2


def test_a_commit_of_unknown_outcome_is_repeated(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    commit, calls = ClientSession.commit_transaction, []

    def lost_answer(session: ClientSession) -> None:
        commit(session)
        calls.append(1)
        if len(calls) == 1:
            error = AutoReconnect("the answer was lost")
            error._add_error_label("UnknownTransactionCommitResult")
            raise error

    monkeypatch.setattr(ClientSession, "commit_transaction", lost_answer)
    transactional(lambda: accounts.insert({"name": "once"}))()
    assert len(calls) == 2
    assert accounts.count({"name": "once"}) == 1


def test_a_snapshot_during_a_change_of_a_collection_can_be_asked_for_again(db: None) -> None:
    pending = OperationFailure("Unable to read from a snapshot due to pending collection catalog changes", 246)
    with pytest.raises(StorageUnavailable) as refused, snapshot():
        raise pending
    assert refused.value.headers["Retry-After"]
    assert current_session() is None
