"""Limits hold over threads and processes, and are told in every answer."""

from typing import Any

import pytest
from django.db import connections

from tests.cast import Cast, api
from tests.ticketing.api.test_errors import assert_problem
from tests.ticketing.api.test_idempotency import in_threads
from ticketing.api import throttling
from ticketing.limits import RateLimiter, RateWindows

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.ticketing.api.sample")]


class Clock:
    moment = 1_700_000_005.0

    def __call__(self) -> float:
        return self.moment


class CountingWindows(RateWindows):
    trips = 0

    def take(self, key: str, number: int, amount: int) -> int:
        self.trips += 1
        return super().take(key, number, amount)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize("limit", [1, 7, 20, 100, 333])
def test_exactly_the_limit_passes_in_one_process(limit: int, clock: Clock) -> None:
    limiter = RateLimiter(clock=clock)
    granted = [limiter.spend("somebody", limit).granted for _ in range(limit + 20)]
    assert granted == [True] * limit + [False] * 20


def test_never_more_over_threads_and_processes(clock: Clock) -> None:
    limit, processes = 100, [RateLimiter(clock=clock) for _ in range(4)]
    for limiter in processes:  # the threads of one process meet in the same window
        limiter.spend("nobody", 1)

    def work(number: int) -> int:
        return sum(processes[number % 4].spend("somebody", limit).granted for _ in range(60))

    assert sum(in_threads(16, work)) == limit


def test_most_requests_cost_no_trip(clock: Clock) -> None:
    windows = CountingWindows()
    limiter = RateLimiter(windows, clock)
    for _ in range(2000):
        limiter.spend("somebody", 1000)
    assert windows.trips == 21  # twenty shares, and one refusal that is remembered


def test_new_minute_new_window(clock: Clock) -> None:
    limiter = RateLimiter(clock=clock)
    assert [limiter.spend("somebody", 1).granted for _ in range(2)] == [True, False]
    clock.moment += 60
    assert limiter.spend("somebody", 1).granted


def test_what_is_left_counts_down(clock: Clock) -> None:
    limiter = RateLimiter(clock=clock)
    spent = [limiter.spend("somebody", 40) for _ in range(41)]
    assert [each.remaining for each in spent] == [*range(39, -1, -1), 0]
    assert {each.reset for each in spent} == {35}  # 1,700,000,005 is 25 seconds into its minute


def test_everybody_has_a_window_of_his_own(clock: Clock) -> None:
    limiter = RateLimiter(clock=clock)
    assert all(limiter.spend(f"address:{number}", 1).granted for number in range(5))


class TestOverHTTP:
    @pytest.fixture(autouse=True)
    def _own_limiter(self, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
        monkeypatch.setattr(throttling, "limiter", RateLimiter(clock=clock))

    def test_user_limit(self, cast: Cast, settings: Any) -> None:
        settings.RATE_LIMIT_USER_PER_MINUTE = 2
        client = api(cast.carla)
        first = client.get("/api/v1/notes")
        assert (first["RateLimit-Limit"], first["RateLimit-Remaining"], first["RateLimit-Reset"]) == ("2", "1", "35")
        assert client.get("/api/v1/notes").status_code == 200
        refused = client.get("/api/v1/notes")
        assert_problem(refused, 429, "limit_exceeded")
        assert (refused["Retry-After"], refused["RateLimit-Remaining"]) == ("35", "0")
        assert api(cast.carl).get("/api/v1/notes").status_code == 200

    def test_tenants_quota_counts_for_all_of_its_people(self, cast: Cast) -> None:
        from tenants.repository import TenantRepository

        TenantRepository().update_where({"_id": cast.acme.pk}, {"max_requests_per_minute": 2})
        statuses = [api(user).get("/api/v1/notes").status_code for user in (cast.carla, cast.carl, cast.amir)]
        assert statuses == [200, 200, 429]
        assert api(cast.greta).get("/api/v1/notes").status_code == 200

    def test_address_limit_comes_before_sign_in(self, cast: Cast, settings: Any) -> None:
        settings.RATE_LIMIT_ADDRESS_PER_MINUTE = 1
        assert_problem(api().get("/api/v1/notes"), 401, "not_authenticated")
        assert_problem(api().get("/api/v1/notes"), 429, "limit_exceeded")
        assert api(cast.carla).get("/api/v1/notes", REMOTE_ADDR="192.0.2.7").status_code == 200

    def test_signing_in_has_a_tighter_limit(self, cast: Cast, settings: Any) -> None:
        settings.RATE_LIMIT_SIGN_IN_PER_MINUTE = 1
        assert api().post("/api/v1/sign-in", {}).status_code == 200
        assert_problem(api().post("/api/v1/sign-in", {}), 429, "limit_exceeded")
        assert api(cast.carla).get("/api/v1/notes").status_code == 200

    def test_errors_tell_the_limit_too(self) -> None:
        assert "RateLimit-Remaining" in api().get("/api/v1/notes")

    def test_what_needs_no_database_is_not_limited(self, settings: Any) -> None:
        settings.RATE_LIMIT_ADDRESS_PER_MINUTE = 1
        connections["default"].close()
        for path in ("/api/v1/", "/healthz", "/api/v1/docs"):
            assert [api().get(path).status_code for _ in range(3)] == [200, 200, 200]


def test_more_callers_than_are_remembered_push_out_the_oldest(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ticketing.limits.MOST_WINDOWS", 2)
    windows = CountingWindows()
    limiter = RateLimiter(windows, clock)
    for who in ("first", "second", "third", "second", "third"):
        assert limiter.spend(who, 100).granted
    assert windows.trips == 3
    limiter.spend("first", 100)
    assert windows.trips == 4
