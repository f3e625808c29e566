"""What tenants use is counted exactly, by day, and shown to operators."""

import csv
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from tenants.repository import TenantRepository
from tenants.usage import services
from tenants.usage.repository import UsageRepository
from tenants.usage.services import flush_usage, measure_storage, record_usage, today, usage_of
from tests.cast import Cast, api
from ticketing.jobs import Run
from ticketing.jobs.registry import known_jobs
from ticketing.mongo import ObjectId
from ticketing.mongo.client import transactional, unavailable

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _counting(settings: Any, db: None) -> Iterator[None]:
    """Counted, and stored by the tests alone; nothing is left behind."""
    settings.USAGE_FLUSH_SECONDS = 3600
    services._ledger._amounts.clear()
    yield
    services._ledger._amounts.clear()


def stored(tenant_id: ObjectId) -> dict[str, Any]:
    """Today's document; empty before there is one."""
    [found] = usage_of([tenant_id], today(), today()) or [{}]
    return found


def in_threads(amount: int, work: Any) -> None:
    threads = [threading.Thread(target=work) for _ in range(amount)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class TestCounting:
    def test_a_request_is_counted_for_its_tenant(self, cast: Cast) -> None:
        api(cast.amir).get("/api/v1/tickets")
        api(cast.carla).get("/api/v1/tickets/4711")
        flush_usage()
        found = stored(cast.acme.pk)
        assert found["requests"] == 2
        assert found["cpu_milliseconds"] > 0
        assert found["database_milliseconds"] > 0
        assert stored(cast.globex.pk) == {}

    def test_nobody_pays_for_strangers(self, cast: Cast) -> None:
        Client(HTTP_HOST="acme.localhost").get("/api/v1/tickets")
        Client().get("/nowhere")
        flush_usage()
        assert stored(cast.acme.pk) == {}

    def test_it_is_exact_while_threads_count_and_store_at_once(self, cast: Cast) -> None:
        def work() -> None:
            for number in range(300):
                record_usage(cast.acme.pk, requests=1, mails=2)
                record_usage(cast.globex.pk, requests=1, cpu_milliseconds=0.5)
                if number % 50 == 0:
                    flush_usage()

        in_threads(8, work)
        flush_usage()
        assert (stored(cast.acme.pk)["requests"], stored(cast.acme.pk)["mails"]) == (2400, 4800)
        assert stored(cast.globex.pk)["cpu_milliseconds"] == 1200

    def test_processes_that_make_the_days_document_at_once_lose_nothing(self, cast: Cast) -> None:
        def work() -> None:
            ledger = services._Ledger()
            ledger.add((cast.acme.pk, today()), {"requests": 1})
            ledger.store()

        in_threads(12, work)
        assert stored(cast.acme.pk)["requests"] == 12

    def test_what_cannot_be_stored_is_stored_the_next_time(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        def away(*_: Any) -> None:
            raise unavailable()

        record_usage(cast.acme.pk, requests=3)
        with monkeypatch.context() as patch:
            patch.setattr(UsageRepository, "add", away)
            flush_usage()
        record_usage(cast.acme.pk, requests=1)
        flush_usage()
        flush_usage()
        assert stored(cast.acme.pk)["requests"] == 4

    def test_storing_that_fails_half_way_counts_nothing_twice(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add = UsageRepository.add

        def half(repository: UsageRepository, amounts: Any) -> None:
            add(repository, amounts)
            raise unavailable()

        record_usage(cast.acme.pk, requests=3)
        with monkeypatch.context() as patch:
            patch.setattr(UsageRepository, "add", half)
            flush_usage()
        assert stored(cast.acme.pk) == {}
        flush_usage()
        assert stored(cast.acme.pk)["requests"] == 3

    def test_a_day_ends_at_midnight_in_utc(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        for time in (datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)):
            monkeypatch.setattr("ticketing.clock.now", lambda time=time: time)
            record_usage(cast.acme.pk, requests=1)
        flush_usage()
        found = usage_of([cast.acme.pk], "2026-03-01", "2026-03-02")
        assert [(each["day"], each["requests"]) for each in found] == [("2026-03-01", 1), ("2026-03-02", 1)]

    def test_a_request_stores_what_is_due_once_it_is_answered(self, cast: Cast) -> None:
        client = api(cast.amir)
        client.get("/api/v1/tickets")
        assert stored(cast.acme.pk) == {}
        services._ledger._next_at = 0
        client.get("/api/v1/tickets")
        assert stored(cast.acme.pk)["requests"] == 2
        client.get("/api/v1/tickets")
        assert stored(cast.acme.pk)["requests"] == 2

    def test_what_no_request_counts_is_stored_when_it_is_due(self, cast: Cast) -> None:
        record_usage(cast.acme.pk, mails=1)
        services._ledger._next_at = 0
        record_usage(cast.acme.pk, mails=1)
        assert stored(cast.acme.pk)["mails"] == 2

    def test_a_transaction_that_fails_takes_no_counts_along(self, cast: Cast) -> None:
        @transactional
        def work() -> None:
            record_usage(cast.acme.pk, mails=1)
            services._ledger._next_at = 0
            record_usage(cast.acme.pk, mails=1)
            raise ValueError

        with pytest.raises(ValueError):  # noqa: PT011 - it is the one raised above
            work()
        assert stored(cast.acme.pk) == {}
        flush_usage()
        assert stored(cast.acme.pk)["mails"] == 2

    def test_unknown_counters_are_refused(self, cast: Cast) -> None:
        with pytest.raises(ValueError, match="there is no counter miles"):
            record_usage(cast.acme.pk, miles=1)

    def test_it_can_be_turned_off(self, cast: Cast, settings: Any) -> None:
        settings.USAGE_FLUSH_SECONDS = 0
        record_usage(cast.acme.pk, requests=1)
        assert services._ledger._amounts == {}


class TestStorage:
    def test_the_days_bytes_are_what_was_measured_last(self, cast: Cast) -> None:
        TenantRepository().add_storage(cast.acme.pk, 1000)
        record_usage(cast.acme.pk, requests=1)
        flush_usage()
        assert measure_storage() == 2
        TenantRepository().add_storage(cast.acme.pk, 500)
        known_jobs()["usage.measure_storage"].function(Run("usage.measure_storage"))
        assert (stored(cast.acme.pk)["stored_bytes"], stored(cast.acme.pk)["requests"]) == (1500, 1)
        assert stored(cast.globex.pk)["stored_bytes"] == 0


class TestCommand:
    @pytest.fixture
    def used(self, cast: Cast) -> Cast:
        day = datetime.now(UTC).date()
        UsageRepository().add(
            {
                (cast.acme.pk, today()): {"requests": 12, "cpu_milliseconds": 34.56, "mails": 2},
                (cast.globex.pk, today()): {"requests": 3},
                (cast.acme.pk, (day - timedelta(days=400)).isoformat()): {"requests": 99},
            }
        )
        return cast

    def run(self, *arguments: str) -> str:
        out = StringIO()
        call_command("tenant_usage", *arguments, stdout=out)
        return out.getvalue()

    def test_a_table_for_people(self, used: Cast) -> None:
        head, acme, globex = self.run().splitlines()
        assert head.split()[:3] == ["tenant", "day", "requests"]
        assert acme.split() == ["acme", today(), "12", "35", "0", "0", "2"]
        assert globex.split() == ["globex", today(), "3", "0", "0", "0", "0"]

    def test_json_and_csv_for_programs(self, used: Cast) -> None:
        rows = json.loads(self.run("--format", "json", "--tenant", "acme"))
        assert [(row["tenant"], row["requests"], row["cpu_milliseconds"]) for row in rows] == [("acme", 12, 35)]
        [acme, globex] = csv.DictReader(StringIO(self.run("--format", "csv")))
        assert (acme["requests"], globex["requests"]) == ("12", "3")

    def test_a_period(self, used: Cast) -> None:
        until = (datetime.now(UTC).date() - timedelta(days=1)).isoformat()
        [row] = json.loads(self.run("--format", "json", "--since", "2020-01-01", "--until", until))
        assert row["requests"] == 99

    def test_what_it_cannot_show_it_says(self, used: Cast) -> None:
        with pytest.raises(CommandError, match="There is no tenant 'nobody'"):
            self.run("--tenant", "nobody")
        with pytest.raises(CommandError, match="--since: 'yesterday' is no day such as 2026-01-31"):
            self.run("--since", "yesterday")
