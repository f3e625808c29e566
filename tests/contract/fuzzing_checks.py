"""What schemathesis checks besides its own: however odd the request, the answer is ours."""

import os
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, CheckContext, HookContext, Response

from ticketing.api.errors import PROBLEM_JSON


@schemathesis.check
def problem_documents(ctx: CheckContext, response: Response, case: Case) -> None:
    """No 5xx; every 4xx is a problem document (RFC 9457) that repeats its status and the request's id."""
    assert response.status_code < 500, f"{response.status_code}: {response.text[:500]}"
    if response.status_code < 400 or case.method == "HEAD":
        return
    assert response.headers["content-type"] == [PROBLEM_JSON], response.headers["content-type"]
    problem = response.json()
    assert problem["status"] == response.status_code
    assert problem["request_id"] == response.headers["x-request-id"][0]


# Faults by field and code that no schema can tell: they lie in what is stored, in another field, in who asks, in what a
# password, a word, a media type or an entity tag is, in what a name or a list's item is once it is normalised.
UNTOLD = [
    ("*", "not_found"),
    ("*", "null_character"),
    ("*", "staff_only"),
    ("category", "invalid"),
    ("content_type", "invalid"),
    ("If-Match", "invalid"),
    ("created_at__lt", "invalid"),
    ("current_password", "invalid"),
    ("current_password", "required"),
    ("expires_at", "invalid"),
    ("language", "invalid"),
    ("name", "blank"),
    ("ordering", "invalid"),
    ("password", "*"),
    ("q", "invalid"),
    ("reference", "not_allowed"),
    ("reference", "required"),
    ("requester_email", "invalid"),
    ("tag", "invalid"),
    ("tags", "invalid"),
    ("time_zone", "invalid"),
    ("token", "invalid"),
    ("upload_id", "not_sent"),
]


@schemathesis.check
def valid_data_is_refused_for_a_reason(ctx: CheckContext, response: Response, case: Case) -> None:
    """Completes ``positive_data_acceptance``: what fits the schema is refused (400) only for what no schema tells."""
    if response.status_code == 400 and case.meta is not None and case.meta.generation.mode.is_positive:
        errors = response.json()["errors"]
        assert errors, response.text
        assert all(any(_fits(error, *untold) for untold in UNTOLD) for error in errors), response.text


def _fits(error: dict[str, str], field: str, code: str) -> bool:
    return field in {"*", error["field"]} and code in {"*", error["code"]}


@schemathesis.hook
def before_call(ctx: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Whoever runs the cases, and those whose turn has yet to come, are neither changed nor removed by the way."""
    if case.method != "GET" and case.path_parameters.get("id") in os.environ["FUZZING_SPARES"].split(","):
        case.path_parameters["id"] = os.environ["FUZZING_INSTEAD"]


# A cursor is opaque: what is made up is refused (tests/abuse does that), an empty one is the first page.
schemathesis.openapi.format("cursor", st.just(""))
