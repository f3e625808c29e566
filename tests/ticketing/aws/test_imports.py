"""What a cold start imports. Each module costs a fraction of a millisecond, and some bring a hundred more."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.cast import Cast, api
from tests.ticketing.aws import events
from tests.ticketing.aws.events import Request
from tests.ticketing.aws.function import Function, started
from tests.ticketing.aws.test_handler import PROBE, environment

# Modules of what is always there; development's packages add their own, as DRF imports some of those that it finds.
# Whoever must raise a number measures with `make bench-cold-start` what the addition costs.
BUDGETS = {"django": 340, "pymongo": 120, "bson": 25, "rest_framework": 45, "django_mongodb_backend": 50}
OUR_BUDGET = 205  # ticketing, tenants, accounts and tickets: every route's view, and what the views import

OURS = ("ticketing", "tenants", "accounts", "tickets")
NOT_NEEDED = {
    "the admin's forms and pages": ("django.contrib.admin.forms", "unfold.", "ticketing.console.", "*.console"),
    "OpenAPI generation": ("drf_spectacular.generators", "drf_spectacular.openapi", "drf_spectacular.plumbing"),
    "AWS": ("boto3", "botocore.session", "botocore.client", "s3transfer", "storages"),
    "GIS": ("django.contrib.gis", "django_mongodb_backend.gis.lookups"),
    "tools": ("zappa", "gunicorn", "tqdm", "prometheus_client", "ticketing.mongo.embedded"),
    "what writes or renders": (
        "markdown_it",
        "nh3",
        "filetype",
        "whitenoise.middleware",
        "argon2",
        "tickets.transfer.reading",
    ),
    "background jobs": ("ticketing.jobs.runner", "tickets.jobs", "accounts.jobs", "tenants.jobs"),
    "bringing up the database": ("django.db.migrations.executor", "django.db.migrations.loader"),
}


@pytest.fixture
def modules(tmp_path: Path, cast: Cast) -> Iterator[list[str]]:
    """What a fresh process has imported after its first `GET /tickets`."""
    headers = {"Authorization": str(api(cast.amir)._credentials["HTTP_AUTHORIZATION"])}
    given = environment(tmp_path, MONGODB_DATABASE=connection.settings_dict["NAME"])
    with started(PROBE, **given) as function:
        yield _imported(function, headers)


def _imported(function: Function, headers: dict[str, str]) -> list[str]:
    answered = function.payload(events.rest(Request("/api/v1/tickets", headers=headers)))
    assert answered["answer"]["statusCode"] == 200, answered["answer"]
    found: list[str] = answered["modules"]
    return found


def _is(module: str, pattern: str) -> bool:
    if pattern.startswith("*"):
        return module.endswith(pattern[1:]) and module.partition(".")[0] in OURS
    return module == pattern or module.startswith(pattern.rstrip(".") + ".")


@pytest.mark.django_db
def test_a_list_of_tickets_brings_in_what_it_needs_and_no_more(modules: list[str]) -> None:
    unwanted = {
        what: found
        for what, patterns in NOT_NEEDED.items()
        if (found := [name for name in modules if any(_is(name, pattern) for pattern in patterns)])
    }
    assert unwanted == {}
    # To install the app Django imports its package, whose __init__ brings in ModelAdmin, and its models; no more of it.
    admin = {name.split(".")[3] for name in modules if name.startswith("django.contrib.admin.")}
    assert admin <= {
        *("actions", "apps", "checks", "decorators", "exceptions", "filters", "helpers", "models", "options", "sites"),
        *("templatetags", "utils", "views", "widgets"),
    }
    counts = Counter(name.partition(".")[0] for name in modules)
    assert {name: counts[name] for name in BUDGETS if counts[name] > BUDGETS[name]} == {}
    assert sum(counts[name] for name in OURS) <= OUR_BUDGET, {name: counts[name] for name in OURS}
