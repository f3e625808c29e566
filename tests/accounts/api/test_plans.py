"""Every list, filter and ordering of people, teams and keys reads an index in order, and no more than it returns."""

from typing import Any

import pytest
from django.http import QueryDict
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from accounts.access import visible_api_keys, visible_teams, visible_users
from accounts.api.filters import ApiKeyFilters, TeamFilters, UserFilters
from accounts.keys import create_api_key
from accounts.repository import ApiKeyRepository, TeamRepository, UserRepository
from accounts.services import new_user_document
from accounts.teams import create_team
from tests.cast import Cast, actor_of
from ticketing.api.renderers import JSONRenderer
from ticketing.mongo import ObjectId
from ticketing.mongo.scope import tenant_scope

pytestmark = pytest.mark.django_db
LIMIT = 25
TEAM = ObjectId("65f0c0ffee65f0c0ffee65f0")


CONDITIONS = (
    "",
    "role=agent",
    "role=agent,user",
    "is_active=true",
    f"team={TEAM}",
    "created_at__gte=2026-01-01T00:00:00Z",
    "created_at__lt=2099-01-01T00:00:00Z",
)


def test_people(cast: Cast) -> None:
    for tenant in (cast.acme, cast.globex):
        people = [new_user_document(f"p{n}@example.test", f"P {n}", "agent" if n % 3 else "user") for n in range(200)]
        for number, person in enumerate(people):
            person |= {"is_active": number % 2 == 0, "team_ids": [TEAM] if number % 3 else []}
        UserRepository(tenant.pk).insert_many(people)
    for condition in CONDITIONS:
        for ordering in UserFilters.orderings:
            check(cast, UserFilters, visible_users, UserRepository, f"{condition}&ordering={ordering}")


def test_addresses_find_as_many_rows_as_they_are(cast: Cast) -> None:
    people = [new_user_document(f"p{n}@example.test", f"P {n}", "user") for n in range(200)]
    rows = UserRepository(cast.acme.pk)
    rows.insert_many(people)
    request = Request(APIRequestFactory().get("/", {"email": "p7@example.test,P8@example.test,p9@example.test"}))
    request.accepted_renderer = JSONRenderer()
    with tenant_scope(cast.acme.pk):
        where = UserFilters.of(request, visible_users(actor_of(cast.ada))).qs.match()
    found = rows.collection.find(rows.scoped(where)).sort([("created_at", -1), ("_id", -1)]).explain()
    assert found["executionStats"]["nReturned"] == 3
    assert found["executionStats"]["totalDocsExamined"] == 3


def test_teams_and_keys(cast: Cast) -> None:
    for number in range(2 * LIMIT):
        create_team(actor_of(cast.ada), name=f"Team {number}")
        create_api_key(actor_of(cast.ada), name=f"Key {number}", scopes=["tickets:read"])
    check(cast, TeamFilters, visible_teams, TeamRepository, "")
    for ordering in ApiKeyFilters.orderings:
        check(cast, ApiKeyFilters, visible_api_keys, ApiKeyRepository, f"ordering={ordering}")


def check(cast: Cast, filters: Any, visible: Any, repository: Any, query: str) -> None:
    actor = actor_of(cast.ada)
    request = Request(APIRequestFactory().get("/", QueryDict(query).dict()))
    request.accepted_renderer = JSONRenderer()
    with tenant_scope(cast.acme.pk):
        found = filters.of(request, visible(actor))
        where, sort = found.qs.match(), found.sort
    rows = repository(cast.acme.pk)
    plan = rows.collection.find(rows.scoped(where)).sort(list(sort)).limit(LIMIT + 1).explain()
    stages = str(plan["queryPlanner"]["winningPlan"])
    assert "IXSCAN" in stages, query
    assert "'SORT'" not in stages, query
    stats = plan["executionStats"]
    assert stats["totalDocsExamined"] <= 2 * max(stats["nReturned"], 1), query
