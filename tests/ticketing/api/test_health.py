"""Health checks say what is missing, and nothing about the inside."""

import time

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from ticketing.api import health
from ticketing.mongo.client import get_database


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_migrated", False)


def test_process_is_up_without_a_database() -> None:
    response = Client().get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_ready() -> None:
    response = Client().get("/readyz")
    assert (response.status_code, response.json()) == (200, {"status": "ready"})


@pytest.mark.django_db
def test_head_and_other_methods() -> None:
    assert Client().head("/readyz").content == b""
    assert Client().post("/readyz").status_code == 405


@pytest.mark.django_db
def test_missing_migration_is_named() -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("ticketing", "0001_initial")
    try:
        response = Client().get("/readyz")
    finally:
        recorder.record_applied("ticketing", "0001_initial")
    assert (response.status_code, response.json()) == (503, {"status": "not ready", "missing": "migrations"})
    assert response["Retry-After"] == "5"


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
    assert (response.status_code, response.json()) == (503, {"status": "not ready", "missing": "database"})
    assert b"127.0.0.1" not in response.content
