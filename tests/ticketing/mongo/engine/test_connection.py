"""A thread's connection to the process's client."""

from typing import Any

import pytest
from django.db import connection
from django_mongodb_backend import base
from pymongo.errors import ServerSelectionTimeoutError

from ticketing.mongo.client import get_collection

pytestmark = pytest.mark.django_db


def test_a_thread_that_found_no_server_works_once_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: Any) -> None:
        self.database = self.connection[self.settings_dict["NAME"]]
        raise ServerSelectionTimeoutError("no server")

    connection.forget_client()  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:
        patch.setattr(base.DatabaseWrapper, "init_connection_state", fails)
        with pytest.raises(ServerSelectionTimeoutError):
            get_collection("test_collection")
    assert get_collection("test_collection").count_documents({}) == 0
