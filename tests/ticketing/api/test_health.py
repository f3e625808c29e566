"""Health checks say what is missing, and nothing about the inside."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.test import Client

from ticketing.api import health
from ticketing.jobs.registry import Job
from ticketing.jobs.repository import JobRepository
from ticketing.mongo.client import get_database


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_migrated", False)


def test_process_is_up_without_a_database() -> None:
    response = Client().get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/healthz"])
def test_probes_come_by_address_and_without_tls(settings: Any, path: str) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert Client(headers={"Host": "10.0.3.7:8000"}).get(path).status_code == 200


def test_nothing_else_is_answered_to_an_address(settings: Any) -> None:
    for path in ("/api/v1/tickets", "/x/healthz", "/healthz/x"):
        assert Client(headers={"Host": "10.0.3.7:8000"}).get(path).status_code == 400
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get("/api/v1/tickets").status_code == 301


@pytest.mark.django_db
def test_ready() -> None:
    response = Client().get("/readyz")
    checks = {"database": "ok", "migrations": "ok", "jobs": "none yet"}
    assert (response.status_code, response.json()) == (200, {"status": "ready", "checks": checks})


@pytest.mark.django_db
def test_head_and_other_methods() -> None:
    assert Client().head("/readyz").content == b""
    assert Client().post("/readyz").status_code == 405


@pytest.mark.django_db
def test_missing_migration_is_named() -> None:
    [(app, name)] = MigrationLoader(connection).graph.leaf_nodes("ticketing")
    applied = get_database()["django_migrations"]
    row = applied.find_one_and_delete({"app": app, "name": name})
    assert row is not None
    try:
        response = Client().get("/readyz")
    finally:
        applied.insert_one(row)
    assert (response.status_code, response.json()) == (
        503,
        {
            "status": "not ready",
            "missing": "migrations",
            "checks": {"database": "ok", "migrations": "missing", "jobs": "none yet"},
        },
    )
    assert response["Retry-After"] == "5"


@pytest.mark.django_db
def test_jobs_that_nobody_runs_are_told_and_keep_no_server_from_serving() -> None:
    """Five minutes after one was due, unless somebody is at it."""
    jobs = {"tidy": Job("tidy", timedelta(hours=1), timedelta(minutes=5), lambda run: None)}
    JobRepository().register(jobs.values())
    assert Client().get("/readyz").json()["checks"]["jobs"] == "running"

    get_database()["jobs"].update_one({}, [{"$set": {"next_at": {"$add": ["$$NOW", -301_000]}}}])
    response = Client().get("/readyz")
    assert (response.status_code, response.json()["checks"]["jobs"]) == (200, "late")

    assert JobRepository().claim(jobs, "a worker")
    assert Client().get("/readyz").json()["checks"]["jobs"] == "running"


@pytest.mark.django_db
def test_unreachable_database_is_told_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    from ticketing.mongo import client

    unreachable = get_database().client.__class__("mongodb://127.0.0.1:9/?replicaSet=rs0", connect=False)
    with unreachable:
        monkeypatch.setattr(client, "get_database", lambda: unreachable["nowhere"])
        monkeypatch.setattr(health, "SECONDS", 0.2)
        start = time.monotonic()
        response = Client().get("/readyz")
    assert time.monotonic() - start < 2
    assert (response.status_code, response.json()) == (
        503,
        {
            "status": "not ready",
            "missing": "database",
            "checks": {"database": "missing", "migrations": "unknown", "jobs": "unknown"},
        },
    )
    assert b"127.0.0.1" not in response.content
