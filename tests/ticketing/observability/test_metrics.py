"""The metrics and the two places they go to."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.cast import Cast, api
from ticketing.jobs.registry import Job
from ticketing.jobs.repository import JobRepository
from ticketing.jobs.runner import Runner
from ticketing.mongo.client import get_database, unavailable
from ticketing.observability import metrics
from ticketing.observability.metrics import Metric

ROOT = Path(__file__).resolve().parents[3]
TOKEN = "the token of the metrics"


@pytest.fixture(autouse=True)
def _choose_anew() -> Iterator[None]:
    metrics.find_sink.cache_clear()
    yield
    metrics.find_sink.cache_clear()


@pytest.fixture
def prometheus(settings: Any) -> None:
    settings.METRICS_SINK, settings.METRICS_TOKEN = "prometheus", TOKEN


@pytest.fixture
def emf(settings: Any) -> None:
    settings.METRICS_SINK, settings.STAGE = "emf", "test"


def scraped() -> dict[str, float]:
    response = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200
    samples = re.findall(r"^(\w+(?:\{.*\})?) (\S+)$", response.content.decode(), re.MULTILINE)
    return {name: float(value) for name, value in samples}


def emitted(capsys: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def values(lines: list[dict[str, Any]], metric: str) -> list[float]:
    return [value for line in lines for value in line.get(metric, [])]


class TestDoor:
    def test_there_is_nothing_without_a_token(self, settings: Any) -> None:
        settings.METRICS_SINK, settings.METRICS_TOKEN = "prometheus", ""
        for header in ("", "Bearer ", "Bearer None"):
            assert Client().get("/metrics", headers={"Authorization": header}).status_code == 404

    @pytest.mark.usefixtures("prometheus")
    @pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer \xe9"])
    def test_nobody_enters_without_it(self, header: str) -> None:
        response = Client().get("/metrics", headers={"Authorization": header})
        assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
        assert b"ticketing_" not in response.content

    @pytest.mark.django_db
    @pytest.mark.usefixtures("prometheus")
    def test_a_server_is_asked_by_its_address_without_tls(self, settings: Any) -> None:
        settings.SECURE_SSL_REDIRECT = True
        client = Client(HTTP_HOST="10.0.0.5:8000")
        assert client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
        assert client.get("/metrics").status_code == 401

    @pytest.mark.usefixtures("emf")
    def test_there_is_nothing_where_they_go_elsewhere(self, settings: Any) -> None:
        settings.METRICS_TOKEN = TOKEN
        assert Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 404


@pytest.mark.django_db
@pytest.mark.usefixtures("prometheus")
class TestPrometheus:
    def test_requests_are_told_by_method_route_and_status(self, cast: Cast) -> None:
        labels = 'method="GET",route="/api/v1/tickets/<str:id>"'
        before = scraped()
        api(cast.amir).get("/api/v1/tickets/1")
        api(cast.amir).get("/api/v1/tickets/2")
        after = scraped()
        name = f'ticketing_requests_total{{{labels},status="404"}}'
        assert after[name] - before.get(name, 0) == 2
        name = f"ticketing_request_seconds_count{{{labels}}}"
        assert after[name] - before.get(name, 0) == 2

    def test_what_clients_make_up_adds_no_series(self) -> None:
        for number in range(3):
            Client().generic(f"ODD{number}", f"/nowhere/{number}")
        series = [name for name in scraped() if "ODD" in name or "nowhere" in name]
        assert series == []
        assert 'ticketing_requests_total{method="OTHER",route="unmatched",status="404"}' in scraped()

    def test_refusals_by_a_limit_are_counted(self, cast: Cast, settings: Any) -> None:
        settings.RATE_LIMIT_USER_PER_MINUTE = 1
        before = scraped()["ticketing_throttled_total"]
        client = api(cast.carla)
        statuses = [client.get("/api/v1/tickets").status_code for _ in range(3)]
        assert scraped()["ticketing_throttled_total"] - before == statuses.count(429) > 0

    @pytest.mark.parametrize("path", ["/api/v1/tickets", "/console/"])
    def test_a_database_that_is_away_is_counted_once_a_request(
        self, path: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(_request: Any) -> None:
            raise unavailable()

        before = scraped()["ticketing_database_unreachable_total"]
        with monkeypatch.context() as patch:
            patch.setattr("accounts.middleware.find_signed_in", away)
            client = Client(raise_request_exception=False, headers={"Cookie": "sessionid=x"})
            assert client.get(path).status_code == 503
        assert scraped()["ticketing_database_unreachable_total"] - before == 1

    def test_jobs_are_told_from_the_database(self) -> None:
        JobRepository().register([Job("tests.late", timedelta(hours=1), timedelta(minutes=5), lambda _run: None)])
        get_database()["jobs"].update_one(
            {"_id": "tests.late"}, [{"$set": {"next_at": {"$subtract": ["$$NOW", 600_000]}, "failures": 3}}]
        )
        found = scraped()
        assert found['ticketing_job_late{job="tests.late"}'] == 1
        assert found['ticketing_job_failures{job="tests.late"}'] == 3

    def test_they_are_told_while_the_database_is_away(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def away(_repository: Any) -> None:
            raise unavailable()

        monkeypatch.setattr(JobRepository, "states", away)
        found = scraped()
        assert "ticketing_throttled_total" in found
        assert not any(name.startswith("ticketing_job") for name in found)


@pytest.mark.usefixtures("emf")
class TestEmbeddedMetricFormat:
    def test_a_request_has_one_line_of_the_format(self, capsys: Any) -> None:
        Client().get("/api/v1/nowhere/4711?q=secret")
        [line] = emitted(capsys)
        [directive] = line.pop("_aws")["CloudWatchMetrics"]
        assert directive["Namespace"] == "Ticketing"
        assert directive["Dimensions"] == [["Stage"], ["Stage", "Route"]]
        assert {each["Name"]: each["Unit"] for each in directive["Metrics"]} == {
            "Requests": "Count",
            "Errors": "Count",
            "Milliseconds": "Milliseconds",
        }
        assert line.pop("Milliseconds")[0] >= 0
        assert line == {
            "Stage": "test",
            "Route": "unmatched",
            "method": "GET",
            "status": 404,
            "Requests": [1.0],
            "Errors": [0.0],
        }

    def test_an_answer_of_500_is_an_error(self, capsys: Any) -> None:
        metrics.record_request("GET", "/x", 500, 12.34)
        assert values(emitted(capsys), "Errors") == [1]

    def test_the_librarys_service_adds_no_dimension(self, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "something")
        metrics.count(Metric.DATABASE_UNREACHABLE)
        [line] = emitted(capsys)
        assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Stage"]]
        assert line["DatabaseUnreachable"] == [1]

    @pytest.mark.django_db
    def test_refusals_by_a_limit_are_counted(self, cast: Cast, settings: Any, capsys: Any) -> None:
        settings.RATE_LIMIT_USER_PER_MINUTE = 1
        client = api(cast.carla)
        statuses = [client.get("/api/v1/tickets").status_code for _ in range(3)]
        assert sum(values(emitted(capsys), "Throttled")) == statuses.count(429) > 0

    @pytest.mark.django_db
    def test_jobs_that_fail_or_are_late_are_counted(self, capsys: Any) -> None:
        def fail(_run: Any) -> None:
            raise ValueError

        job = Job("tests.failing", timedelta(hours=1), timedelta(minutes=5), fail)
        Runner({job.name: job}).run_due()
        lines = emitted(capsys)
        assert (values(lines, "JobFailed"), values(lines, "JobsLate")) == ([1], [0])
        get_database()["jobs"].update_one({"_id": job.name}, [{"$set": {"next_at": {"$subtract": ["$$NOW", 600_000]}}}])
        Runner({job.name: job}).run_due()
        assert values(emitted(capsys), "JobsLate") == [1]


class TestImports:
    """A process imports what its sink needs, and no more."""

    SCRIPT = """
import os, sys, django
django.setup()
from django.test import Client
assert Client(SERVER_NAME="localhost").get("/api/v1/tickets").status_code in (401, 503)
print([name for name in ("prometheus_client", "aws_lambda_powertools") if name in sys.modules])
"""

    @pytest.mark.parametrize(
        ("environment", "expected"),
        [
            ({}, []),
            ({"METRICS_TOKEN": "x", "METRICS_SINK": "none"}, []),
            ({"METRICS_TOKEN": "x"}, ["prometheus_client"]),
            ({"AWS_LAMBDA_FUNCTION_NAME": "x"}, ["aws_lambda_powertools"]),
        ],
    )
    def test_what_a_request_imports(self, environment: dict[str, str], expected: list[str], tmp_path: Path) -> None:
        inherited = {name: os.environ[name] for name in ("PATH", "MONGODB_URI")}
        own = {"SECRET_KEY": "x", "DJANGO_SETTINGS_MODULE": "ticketing.settings", "STATIC_ROOT": str(tmp_path)}
        ended = subprocess.run(
            [sys.executable, "-c", self.SCRIPT],
            env={**inherited, **own, **environment, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ended.returncode == 0, ended.stderr
        assert ended.stdout.splitlines()[-1] == str(expected)

    def test_a_sink_that_does_not_exist_is_refused(self) -> None:
        own = {"SECRET_KEY": "x", "METRICS_SINK": "statsd", "PATH": os.environ["PATH"]}
        ended = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), "check"], env=own, capture_output=True, text=True, timeout=60
        )
        assert ended.returncode == 1
        assert "METRICS_SINK must be one of prometheus, emf, none" in ended.stderr
