"""The database handle and the transaction that repositories share with Django's connection."""

import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from itertools import count
from typing import Any, ParamSpec, TypeVar

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from django.db import connection
from django.db.utils import DatabaseError
from pymongo import errors as driver
from pymongo import timeout as client_timeout
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.read_concern import ReadConcern

from ticketing.errors import AlreadyExists, StorageUnavailable

P = ParamSpec("P")
R = TypeVar("R")

DOCUMENT_OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True)
# A document in the bytes that the server sent; its fields are decoded when one of them is asked for.
StoredDocument = RawBSONDocument
STORED_OPTIONS: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument, tz_aware=True)
RETRY_AFTER_SECONDS = 5
TRANSACTION_SECONDS = 20
SHORTEST_PAUSE, LONGEST_PAUSE = 0.005, 0.5
DUPLICATE_KEY, SNAPSHOT_TOO_OLD, SNAPSHOT_UNAVAILABLE = 11000, 239, 246  # the server's error codes
UNAUTHORIZED = 13
# It knows our user no more, or has no room: UserNotFound, Unauthorized, AuthenticationFailed, OutOfDiskSpace.
_REFUSALS = frozenset({11, UNAUTHORIZED, 18, 14031})
logger = logging.getLogger("ticketing.mongo")


class SnapshotTooOld(StorageUnavailable):
    """Reading took longer than the server keeps a snapshot for."""

    code, title = "snapshot_too_old", "The server's minSnapshotHistoryWindowInSeconds is too short for this; raise it"


# WriteConcernError: the primary that took a write went away, or was too slow, before a majority had it.
_UNREACHABLE = (
    driver.ConnectionFailure,
    driver.ExecutionTimeout,
    driver.WriteConcernError,
    driver.WaitQueueTimeoutError,
)
_after_commit: ContextVar[list[Callable[[], None]] | None] = ContextVar("after_commit", default=None)


def get_database() -> Database[dict[str, Any]]:
    """The platform's database, on the one MongoClient that Django's connection keeps for the process."""
    database: Database[dict[str, Any]] = connection.database  # type: ignore[attr-defined]
    return database.with_options(codec_options=DOCUMENT_OPTIONS)


def get_collection(name: str, options: CodecOptions[Any] = DOCUMENT_OPTIONS) -> Collection[Any]:
    """A collection of that database; its documents come as ``options`` say."""
    collection: Collection[Any] = connection.collection_of(name, options)  # type: ignore[attr-defined]
    return collection


def decoded(document: bytes) -> dict[str, Any]:
    """The document of a ``StoredDocument``'s bytes."""
    return bson.decode(document, DOCUMENT_OPTIONS)


def current_session() -> ClientSession | None:
    """The session of the transaction under way in this thread, or None; Django's own queries use the same one."""
    session: ClientSession | None = connection.session  # type: ignore[attr-defined]
    return session


@contextmanager
def translated_errors(what: str = "") -> Iterator[None]:
    """Turns the driver's errors into ours where a caller can act on them; all others pass unchanged.

    A duplicate key becomes AlreadyExists (``what`` names the thing), an unreachable or overloaded server
    StorageUnavailable. What a transaction must retry passes, so that the retry sees it.
    """
    try:
        yield
    except driver.DuplicateKeyError as error:
        raise AlreadyExists(f"{what or 'It'} exists already") from error
    except driver.BulkWriteError as error:
        if error.details["writeErrors"] and error.details["writeErrors"][0]["code"] == DUPLICATE_KEY:
            raise AlreadyExists(f"{what or 'It'} exists already") from error
        raise
    except driver.PyMongoError as error:
        if _must_retry(error) or not (is_unreachable(error) or _is_transient(error)):
            raise
        raise unavailable(error) from error


def is_unreachable(error: BaseException | None) -> bool:
    """Whether an error, or the one it was raised from, says that the server could not be reached in time, or that it
    takes nothing from us just now: its disk is full, or it does not know our user."""
    while error is not None:
        if isinstance(error, _UNREACHABLE) or (isinstance(error, driver.OperationFailure) and error.code in _REFUSALS):
            return True
        error = error.__cause__ if isinstance(error, DatabaseError | driver.PyMongoError) else None
    return False


def ran_out_of_time(error: BaseException) -> bool:
    """Whether a read was stopped because it took longer than it was given (``maxTimeMS``)."""
    return isinstance(error.__cause__, driver.ExecutionTimeout)


def is_reachable(seconds: float) -> bool:
    """Whether the server answers within so many seconds; for health checks."""
    try:
        with client_timeout(seconds):
            get_database().command("ping")
    except (driver.PyMongoError, DatabaseError) as error:
        logger.warning("the database does not answer: %s", error)
        return False
    return True


def unavailable(error: BaseException | None = None) -> StorageUnavailable:
    """The error for an unreachable server, with the header that tells when to try again."""
    cause = error.__cause__ if isinstance(error, DatabaseError) else error
    if isinstance(cause, driver.OperationFailure) and cause.code == UNAUTHORIZED:
        # Connections of a user who was dropped stay nobody's, also when he is there again.
        connection.forget_client()  # type: ignore[attr-defined]
    return StorageUnavailable(headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def transactional(function: Callable[P, R]) -> Callable[P, R]:
    """Runs the function in one transaction: all of its writes happen or none.

    A call within a transaction joins it. The outermost one is retried as a whole on transient errors (write conflicts,
    elections), so the function must not have effects outside MongoDB; those belong into ``after_commit``.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if current_session() is not None:
            return function(*args, **kwargs)
        with translated_errors():
            return _run_outermost(lambda: function(*args, **kwargs))

    return run


@contextmanager
def snapshot() -> Iterator[None]:
    """Every read of the block sees the data as it is at the first one; the server refuses writes.

    The server keeps what it needs for that for minSnapshotHistoryWindowInSeconds, five minutes by default; a read after
    that raises SnapshotTooOld, one while a collection is being changed StorageUnavailable.
    https://www.mongodb.com/docs/manual/reference/read-concern-snapshot/
    """
    if current_session() is not None:
        raise RuntimeError("a snapshot cannot begin within a transaction or another snapshot")
    with translated_errors(), get_database().client.start_session(snapshot=True) as session:
        connection.session = session  # type: ignore[attr-defined]
        try:
            yield
        except driver.OperationFailure as error:
            if error.code == SNAPSHOT_TOO_OLD:
                raise SnapshotTooOld from error
            if error.code == SNAPSHOT_UNAVAILABLE:  # an index is being made just now
                raise unavailable(error) from error
            raise
        finally:
            connection.session = None  # type: ignore[attr-defined]


def after_commit(callback: Callable[[], None]) -> None:
    """Calls back once the transaction under way has committed; at once when there is none. Dropped on a roll-back."""
    callbacks = _after_commit.get()
    if callbacks is None:
        callback()
    else:
        callbacks.append(callback)


def _run_outermost(function: Callable[[], R]) -> R:
    callbacks: list[Callable[[], None]] = []
    token = _after_commit.set(callbacks)
    try:
        with get_database().client.start_session() as session:
            result = _until_committed(session, function, callbacks)
    finally:
        _after_commit.reset(token)
    for callback in callbacks:
        callback()
    return result


def _until_committed(session: ClientSession, function: Callable[[], R], callbacks: list[Callable[[], None]]) -> R:
    """The driver's own ``with_transaction`` would go on for two minutes, which is longer than any caller waits.

    https://github.com/mongodb/specifications/blob/master/source/transactions-convenient-api/transactions-convenient-api.md
    """
    deadline = time.monotonic() + TRANSACTION_SECONDS
    for attempt in count():
        callbacks.clear()
        # All reads of a replica set are of one moment, the latest. With "snapshot" it is one before which no write of
        # anybody is under way: a number that this session has just taken may lie behind it, and the commit conflicts.
        session.start_transaction(read_concern=ReadConcern("majority"))
        try:
            result = _attempt(session, function)
        except BaseException as error:
            if session.in_transaction:
                session.abort_transaction()
            if not _is_transient(error) or time.monotonic() > deadline:
                raise
        else:
            if _committed(session, deadline):
                return result
        # Those who conflicted must not meet again at once.
        time.sleep(random.random() * min(LONGEST_PAUSE, SHORTEST_PAUSE * 1.5**attempt))  # nosec B311 # noqa: S311
    raise AssertionError("unreachable")


def _attempt(session: ClientSession, function: Callable[[], R]) -> R:
    connection.session = session  # type: ignore[attr-defined]
    try:
        return function()
    except (DatabaseError, driver.PyMongoError) as error:
        cause = error.__cause__ if isinstance(error, DatabaseError) else error
        if isinstance(cause, driver.ServerSelectionTimeoutError):
            raise unavailable() from error  # there has been a wait for a server already
        # Django's wrapper hides the label that says that a retry may help.
        if cause is not None and cause is not error and _must_retry(cause):
            raise cause from error
        raise
    finally:
        connection.session = None  # type: ignore[attr-defined]


def _committed(session: ClientSession, deadline: float) -> bool:
    """Commits; False when the transaction has to run again. A commit whose outcome is unknown may be repeated."""
    while True:
        try:
            session.commit_transaction()
            return True
        except driver.PyMongoError as error:
            if time.monotonic() > deadline or isinstance(error, driver.ExecutionTimeout):
                raise
            if error.has_error_label("UnknownTransactionCommitResult"):
                continue
            if _is_transient(error):
                return False
            raise


def _must_retry(error: BaseException | None) -> bool:
    return current_session() is not None and _is_transient(error)


def _is_transient(error: BaseException | None) -> bool:
    return isinstance(error, driver.PyMongoError) and error.has_error_label("TransientTransactionError")
