"""The handler in processes as Lambda starts them."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.cast import Cast, api
from tests.ticketing.aws import events, function
from tests.ticketing.aws.events import Request
from tests.ticketing.aws.function import Function, started
from tests.waiting import wait_until
from ticketing.mongo.embedded import EmbeddedMongo
from ticketing.processes import free_port

PROBE = "tests.ticketing.aws.probe.handler"
SCHEDULED = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2026-11-20T16:53:06Z",
    "region": "eu-central-1",
    "resources": ["arn:aws:events:eu-central-1:123456789012:rule/ticketing-test-jobs-ticketing.aws.handler.handler"],
    "detail": {},
    "kwargs": {},
}


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    return {
        "SECRET_KEY": os.environ["SECRET_KEY"],
        "MONGODB_URI": os.environ["MONGODB_URI"],
        "DATA_DIR": str(tmp_path),
        "ALLOWED_HOSTS": events.DOMAIN,
        **more,
    }


@pytest.fixture
def probed(tmp_path: Path, cast: Cast) -> Iterator[Function]:
    """The function on the test's own database, with a look into its process."""
    name = connection.settings_dict["NAME"]
    with started(PROBE, **environment(tmp_path, MONGODB_DATABASE=name, TRUSTED_PROXIES="3")) as running:
        yield running


def test_one_client_serves_all_invocations_and_nothing_else_stays(probed: Function, cast: Cast) -> None:
    authorization = {"Authorization": str(api(cast.amir)._credentials["HTTP_AUTHORIZATION"])}
    first, second = (probed.payload(events.rest(Request("/api/v1/tickets", headers=authorization))) for _ in range(2))
    assert [each["answer"]["statusCode"] for each in (first, second)] == [200, 200]
    assert first["client"] == second["client"]
    assert (first["pool"], first["selection"]) == (5, 3)
    assert first["proxies"] == 0  # whatever the environment says
    assert (first["scope"], second["scope"], second["context_is_as_before"]) == ("None", "None", True)


def test_the_schedule_runs_the_jobs_that_are_due(probed: Function) -> None:
    ran = probed.payload(SCHEDULED)["answer"]["jobs"]
    assert ran["stats.verify"] == "done"
    assert set(ran.values()) == {"done"}
    assert probed.payload(SCHEDULED)["answer"]["jobs"] == {}  # they have their time


def test_a_schedule_without_time_begins_nothing(probed: Function) -> None:
    assert probed.payload(SCHEDULED, seconds=1)["answer"]["jobs"] == {}


def test_a_management_command_is_run(tmp_path: Path) -> None:
    with started(**environment(tmp_path)) as running:
        assert running.payload({"manage": "check --fail-level ERROR"}) == {}
        failed = running.answer({"manage": "no_such_command"})["error"]
    assert failed["errorType"] == "CommandError"


@pytest.mark.parametrize("event", [{}, {"raw_command": "print(1)"}, {"command": "os.getcwd"}, {"Records": []}])
def test_anything_else_is_refused(tmp_path: Path, unknown: Function, event: dict[str, Any]) -> None:
    refused = unknown.answer(event)["error"]
    assert refused["errorType"] == "UnknownEvent"
    assert ", ".join(event) in refused["errorMessage"]


@pytest.fixture(scope="module")
def unknown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Function]:
    with started(**environment(tmp_path_factory.mktemp("data"))) as running:
        yield running


def test_the_same_process_answers_again_when_the_database_is_back(tmp_path: Path) -> None:
    mongo = EmbeddedMongo(tmp_path / "mongo", free_port())
    uri = mongo.start()
    sign_in = Request("/api/v1/auth/login", "POST", "", {"Content-Type": "application/json"})
    sign_in.body = json.dumps({"tenant": "acme", "email": "a@example.test", "password": "x"}).encode()
    event = events.rest(sign_in)
    given = environment(tmp_path, MONGODB_URI=uri, MONGODB_DATABASE="away", MONGODB_SELECTION_TIMEOUT_MS="300")
    try:
        with function.started(**given) as running:
            assert running.payload({"manage": "migrate --verbosity 0"}) == {}
            assert running.payload(event)["statusCode"] == 401
            mongo.stop()
            away = running.payload(event)
            assert away["statusCode"] == 503, away
            assert away["multiValueHeaders"]["Retry-After"] == ["5"]
            assert running.payload(events.rest(Request("/healthz")))["statusCode"] == 200
            mongo.start()
            wait_until(lambda: running.payload(event)["statusCode"] == 401)
    finally:
        mongo.stop()
