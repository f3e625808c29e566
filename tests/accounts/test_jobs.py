"""Expired browser sessions are removed, in steps that a stop can come between; the others stay."""

from datetime import timedelta

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session

from accounts import jobs
from ticketing.clock import now
from ticketing.jobs import Run
from ticketing.mongo.client import get_database

pytestmark = pytest.mark.django_db


def new_session(age: timedelta) -> str:
    session = SessionStore()
    session["name"] = "value"
    session.set_expiry(now() - age)
    session.create()
    return str(session.session_key)


def test_only_expired_sessions_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "BATCH", 2)
    for _ in range(5):
        new_session(timedelta(seconds=1))
    live = new_session(timedelta(hours=-1))
    run = Run("accounts.clear_sessions")
    jobs.clear_sessions(run)
    assert [session.pk for session in Session.objects.all()] == [live]
    assert run.notes == {"removed": 5}
    again = Run("accounts.clear_sessions")
    jobs.clear_sessions(again)
    assert again.notes == {}


def test_a_stop_is_heard_after_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "BATCH", 2)
    for _ in range(5):
        new_session(timedelta(seconds=1))
    answers = iter([False, True])
    jobs.clear_sessions(Run("accounts.clear_sessions", stop=lambda: next(answers)))
    assert Session.objects.count() == 3


def test_expired_sessions_are_found_by_an_index() -> None:
    plan = get_database()["django_session"].find({"expire_date": {"$lt": now()}}).limit(2).explain()
    assert "IXSCAN" in str(plan["queryPlanner"]["winningPlan"])
