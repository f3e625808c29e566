"""One MongoDB for the whole run, one database per worker, emptied after every test that used it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from ticketing.mongo.embedded import EmbeddedMongo, EmbeddedMongoError
from ticketing.mongo.scope import empty_scope
from ticketing.mongo.server import ServerUnusableError, check_server, without_credentials

hypothesis.settings.register_profile("any machine", deadline=None)  # a busy one is no failure
hypothesis.settings.load_profile("any machine")

pytest_plugins = ["tests.figures"]

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
SERVER = pytest.StashKey[EmbeddedMongo]()


def pytest_configure(config: pytest.Config) -> None:
    """The first process starts the server before its workers, which inherit MONGODB_URI."""
    from django.conf import settings

    try:
        if "MONGODB_URI" not in os.environ:
            server = config.stash[SERVER] = EmbeddedMongo.for_tests()
            os.environ["MONGODB_URI"] = server.start()
        check_server(os.environ["MONGODB_URI"])
    except (EmbeddedMongoError, ServerUnusableError) as error:
        raise pytest.UsageError(str(error)) from None
    settings.DATABASES["default"]["HOST"] = os.environ["MONGODB_URI"]


def pytest_unconfigure(config: pytest.Config) -> None:
    if server := config.stash.get(SERVER, None):
        server.stop()


def pytest_report_header(config: pytest.Config) -> str:
    where = without_credentials(os.environ["MONGODB_URI"])
    return f"MongoDB: {where}, {'of this run' if SERVER in config.stash else 'named by MONGODB_URI'}"


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path; without one the test is skipped, or fails where REQUIRE_BROWSER=1."""
    path = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if path is None:
        reason = f"no Chromium on the PATH ({', '.join(CHROMIUM_NAMES)}): install the package chromium"
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@pytest.fixture(scope="session")
def real_tickets() -> Path:
    """The folder of real tickets that TICKETING_DATA names; without it the test is skipped."""
    folder = Path(os.environ.get("TICKETING_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real tickets in {folder}: TICKETING_DATA names their folder")
    return folder


@pytest.fixture(autouse=True)
def _no_scope() -> Iterator[None]:
    """A test starts without a tenant and cannot leave one behind."""
    with empty_scope():
        yield


@pytest.fixture(scope="session")
def _seeded_ids(django_db_setup: None, django_db_blocker: Any) -> dict[str, list[Any]]:
    """What the migrations put into collections."""
    from ticketing.mongo.client import get_database

    with django_db_blocker.unblock():
        found = {name: get_database()[name].distinct("_id") for name in _collections()}
        return {name: ids for name, ids in found.items() if ids}


def _collections() -> list[str]:
    from ticketing.mongo.client import get_database

    collections = get_database().list_collections(filter={"type": "collection"})
    return [each["name"] for each in collections if not each["name"].startswith("system.")]


def _delete_all_but(kept: dict[str, list[Any]]) -> None:
    """Asks first, and once, which collections hold anything: to delete from each costs more than most tests do."""
    from ticketing.mongo.client import get_database

    database = get_database()
    counts = [
        {"$unionWith": {"coll": name, "pipeline": [{"$collStats": {"count": {}}}, {"$set": {"name": name}}]}}
        for name in _collections()
        if name not in kept
    ]
    filled = [each["name"] for each in database.aggregate([{"$documents": []}, *counts]) if each["count"]]
    for name in (*kept, *filled):
        database[name].delete_many({"_id": {"$nin": kept.get(name, [])}})


@pytest.fixture(scope="session", autouse=True)
def _connect_only_when_marked(django_db_blocker: Any) -> Iterator[None]:
    """pytest-django refuses tests without the mark in a method that MongoDB's backend goes round; this is its twin."""
    from django.db.backends.base.base import BaseDatabaseWrapper

    connect = BaseDatabaseWrapper.connect

    def guarded(self: BaseDatabaseWrapper) -> None:
        if BaseDatabaseWrapper.ensure_connection == django_db_blocker._blocking_wrapper:
            raise RuntimeError("this test uses the database: mark it with @pytest.mark.django_db")
        connect(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseWrapper, "connect", guarded)
        yield


@pytest.fixture
def _django_db_helper(_seeded_ids: dict[str, list[Any]], django_db_blocker: Any) -> Iterator[None]:
    """Replaces pytest-django's: its roll-back is a no-op on MongoDB, so a test's documents are deleted instead."""
    from django.core.cache import cache
    from django.db import connections

    with django_db_blocker.unblock():
        yield
        cache.clear()
        _delete_all_but(_seeded_ids)
        # Forget the connection, not its pool: the next test has to connect, and is refused without the mark.
        wrapper = connections["default"]
        wrapper.connection = None
        wrapper.__dict__.pop("database", None)


@pytest.fixture(scope="session")
def _written_cast(_seeded_ids: dict[str, list[Any]], django_db_blocker: Any) -> Any:
    """The cast, and what stands in the database for it; made before any test can change clock or settings."""
    from tests.cast import new_cast
    from ticketing.mongo.client import get_database

    with django_db_blocker.unblock():
        _delete_all_but(_seeded_ids)
        cast = new_cast()
        documents = {
            name: list(get_database()[name].find({"_id": {"$nin": _seeded_ids.get(name, [])}}))
            for name in _collections()
        }
        _delete_all_but(_seeded_ids)
    return cast, {name: found for name, found in documents.items() if found}


@pytest.fixture
def cast(_written_cast: Any, db: None) -> Any:
    """Everybody of tests/cast.py, by name."""
    from tests.cast import write_again

    return write_again(*_written_cast)
