"""Whether a MongoDB server can carry the platform: reachable, and with transactions."""

from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError, ServerSelectionTimeoutError
from pymongo.uri_parser import parse_uri

SELECTION_SECONDS = 3


class ServerUnusableError(Exception):
    """The server cannot be used; the text is one line that says why and what to do."""


def check_server(uri: str, seconds: float = SELECTION_SECONDS) -> None:
    """Pass when the server answers within so many seconds, lets us in and supports transactions.

    Raises ServerUnusableError otherwise. Transactions need a replica set or a sharded cluster.
    """
    where = without_credentials(uri)
    timeout = int(seconds * 1000)
    try:
        nodes = parse_uri(uri)["nodelist"]
        with MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=timeout, connectTimeoutMS=timeout) as client:
            hello = client.admin.command("hello")
            client.admin.command("ping")  # hello is answered before sign-in
    except ServerSelectionTimeoutError:
        if _answers_alone(*nodes[0]):
            raise _no_replica_set(where) from None
        raise ServerUnusableError(
            f"MongoDB at {where} has no reachable primary: start it, or correct MONGODB_URI (is its replicaSet right?)"
        ) from None
    except OperationFailure as error:
        raise ServerUnusableError(
            f"MongoDB at {where} refuses: {_first_line(error)}; correct the user and password in MONGODB_URI"
        ) from None
    except (PyMongoError, ValueError) as error:
        raise ServerUnusableError(f"MONGODB_URI does not work: {_first_line(error)}") from None
    if not _has_transactions(hello):
        raise _no_replica_set(where)


def without_credentials(uri: str) -> str:
    """The URI's hosts, for messages and logs: never the user, password or options."""
    return uri.split("://", 1)[-1].rsplit("@", 1)[-1].split("/", 1)[0].split("?", 1)[0]


def _answers_alone(host: str, port: int | None) -> bool:
    """Whether this is a standalone server, which a URI with replicaSet= never selects."""
    try:
        with MongoClient[dict[str, Any]](host, port, directConnection=True, serverSelectionTimeoutMS=500) as client:
            return not _has_transactions(client.admin.command("hello"))
    except PyMongoError:
        return False


def _has_transactions(hello: dict[str, Any]) -> bool:
    return "setName" in hello or hello.get("msg") == "isdbgrid"


def _no_replica_set(where: str) -> ServerUnusableError:
    return ServerUnusableError(
        f"MongoDB at {where} is not a replica set, so it has no transactions: "
        "start it with --replSet rs0 and run rs.initiate() once"
    )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
