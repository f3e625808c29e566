"""What MongoDB itself says it was asked, from its profiler."""

from collections.abc import Iterator
from contextlib import contextmanager


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
