"""What something has cost: the commands that MongoDB itself says it was sent, from its profiler; passwords hashed."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def recorded_commands() -> Iterator[list[str]]:
    """Fills the list, when the block ends, with the commands sent within: ``"find users"``, in order.

    What belongs to any request (rate limits, sessions) is left out.
    """
    from ticketing.mongo.client import get_database

    database = get_database()
    database.drop_collection("system.profile")
    database.command("profile", 2)
    sent: list[str] = []
    try:
        yield sent
    finally:
        database.command("profile", 0)
        for entry in database["system.profile"].find(sort=[("ts", 1)]):
            command = entry["command"]
            name = next((n for n in _COMMANDS if n in command), "")
            if name and command[name] not in _OF_ANY_REQUEST:
                sent.append(f"{name} {command[name]}")
        database.drop_collection("system.profile")


_COMMANDS = ("find", "aggregate", "findAndModify", "update", "insert", "delete", "count")
_OF_ANY_REQUEST = {"rate_windows", "django_session", "system.profile"}


def hashings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A list that from now on gets an entry with each password that is hashed."""
    from django.contrib.auth.hashers import MD5PasswordHasher

    hashed: list[str] = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *args: hashed.append("") or encode(*args))
    return hashed
