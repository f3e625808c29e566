"""Operators see how the background jobs go; nobody else does, and nobody changes them here."""

from datetime import timedelta

import pytest

from ticketing.jobs.registry import Job, known_jobs
from ticketing.jobs.repository import JobRepository
from ticketing.jobs.runner import Runner
from ticketing.mongo.client import get_database

pytestmark = pytest.mark.django_db
JOBS = "/console/ticketing/jobstate/"


def test_operators_see_what_jobs_do_and_how_they_go(cast, browser):
    client = browser(cast.olga)
    assert client.get(JOBS).status_code == 200
    JobRepository().register(known_jobs().values())

    def count(run):
        run.note(removed=3)

    def fail(run):
        raise RuntimeError("<b>no tea</b>")

    others = {
        name: Job(name, timedelta(hours=1), timedelta(minutes=5), work) for name, work in [("a", count), ("b", fail)]
    }
    Runner(others, seconds=60).run_due()
    get_database()["jobs"].update_one({"_id": "stats.verify"}, [{"$set": {"next_at": {"$add": ["$$NOW", -301_000]}}}])
    assert JobRepository().claim({"accounts.clear_sessions": known_jobs()["accounts.clear_sessions"]}, "a worker")

    page = client.get(JOBS).content.decode()
    for expected in (
        "Removes browser sessions that have expired.",
        "console-badge-running",
        "console-badge-late",
        "console-badge-failing",
        "console-badge-waiting",
        "removed 3",
        "RuntimeError: &lt;b&gt;no tea&lt;/b&gt; (1×)",
        "1 d",
    ):
        assert expected in page
    assert JOBS in client.get("/console/").content.decode()


def test_others_do_not(cast, browser):
    for user in (cast.ada, cast.amir):
        client = browser(user)
        assert client.get(JOBS).status_code == 403
        assert JOBS not in client.get("/console/").content.decode()


def test_nothing_is_changed_here(cast, browser):
    JobRepository().register(known_jobs().values())
    client = browser(cast.olga)
    assert client.get(f"{JOBS}stats.verify/change/").status_code == 404
    assert client.post(f"{JOBS}stats.verify/change/", {"failures": "7"}).status_code == 403
    assert client.get(f"{JOBS}add/").status_code == 403
