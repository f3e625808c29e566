"""A server that refuses us is told as one that cannot be reached, and needs no restart once it takes us back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from deploy.trials.replica_set import wait_for
from ticketing.errors import StorageUnavailable
from ticketing.mongo.client import get_database, is_unreachable, translated_errors
from ticketing.mongo.embedded import find_mongod
from ticketing.processes import free_port, start_child

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MongoClient[dict[str, Any]]]:
    """A MongoDB that asks for a user and a password, as its administrator."""
    port = free_port()
    command = [str(find_mongod()), "--auth", "--dbpath", str(tmp_path), "--port", str(port), "--bind_ip", "127.0.0.1"]
    process = start_child([*command, "--nounixsocket", "--logpath", str(tmp_path / "log")])
    try:
        with MongoClient[dict[str, Any]]("127.0.0.1", port) as first:
            wait_for(lambda: first.admin.command("createUser", "root", pwd="root", roles=["root"]))
        with MongoClient[dict[str, Any]](f"mongodb://root:root@127.0.0.1:{port}") as client:
            yield client
    finally:
        process.kill()
        process.wait()


def test_a_user_who_was_dropped_is_taken_back_without_a_restart(
    server: MongoClient[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def create_user() -> None:
        server.admin.command("createUser", "platform", pwd="x", roles=["readWriteAnyDatabase"])

    def count() -> int:
        with translated_errors():
            return get_database()["things"].count_documents({})

    create_user()
    wrapper: Any = connections["default"]
    address = f"mongodb://platform:x@{server.address[0]}:{server.address[1]}"  # type: ignore[index]
    monkeypatch.setitem(wrapper.settings_dict, "HOST", address)
    monkeypatch.setattr(type(wrapper), "_connection_pools", {})
    wrapper.forget_client()
    assert count() == 0
    server.admin.command("dropUser", "platform")
    for _ in range(3):
        with pytest.raises(StorageUnavailable) as refused:
            count()
        assert refused.value.headers["Retry-After"]
    create_user()
    assert count() == 0
    wrapper.forget_client()


@pytest.mark.parametrize("code", [11, 13, 18, 14031])
def test_a_refusal_is_no_bug_of_ours(code: int) -> None:
    assert is_unreachable(OperationFailure("no", code))
    assert not is_unreachable(OperationFailure("bad query", 2))
