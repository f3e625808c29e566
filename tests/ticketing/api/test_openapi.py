"""The OpenAPI document is complete, stable, and the one that is committed."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client

from ticketing.api.documents import document

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def operations() -> dict[str, dict[str, Any]]:
    paths = document()["paths"]
    return {f"{method} {path}": each for path, found in paths.items() for method, each in found.items()}


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        target: Any = document()
        for name in node["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        node = target
    return node


def test_every_error_is_a_problem_document(operations: dict[str, dict[str, Any]]) -> None:
    for name, operation in operations.items():
        failures = {status: resolved(each) for status, each in operation["responses"].items() if status >= "400"}
        assert failures.keys() >= {"400", "429", "500", "503"}, name
        assert all(list(each["content"]) == ["application/problem+json"] for each in failures.values()), name
        assert "X-Request-Id" in failures["400"]["headers"]
        assert "Retry-After" in failures["429"]["headers"]


def test_every_operation_says_what_it_is(operations: dict[str, dict[str, Any]]) -> None:
    known = {tag["name"] for tag in document()["tags"]}
    for name, operation in operations.items():
        assert operation["summary"], name
        assert set(operation["tags"]) <= known, name
    ids = [operation["operationId"] for operation in operations.values()]
    assert len(ids) == len(set(ids))
    assert {"tickets_list", "tickets_create", "tickets_get", "tickets_comments_create", "auth_login"} <= set(ids)


def test_signed_in_operations_name_the_ways_to_sign_in(operations: dict[str, dict[str, Any]]) -> None:
    schemes = document()["components"]["securitySchemes"].keys()
    listed = operations["get /api/v1/tickets"]
    assert {name for each in listed["security"] for name in each} == schemes
    assert {"401", "403"} <= listed["responses"].keys()
    assert operations["post /api/v1/auth/login"]["security"] == [{}]


def test_headers_of_requests(operations: dict[str, dict[str, Any]]) -> None:
    def names(name: str) -> set[str]:
        return {resolved(each)["name"] for each in operations[name]["parameters"]}

    assert "Idempotency-Key" in names("post /api/v1/tickets")
    assert "If-Match" in names("patch /api/v1/tickets/{id}")
    assert {"limit", "after", "before", "count", "ordering", "status", "q"} <= names("get /api/v1/tickets")


def test_every_body_has_an_example(operations: dict[str, dict[str, Any]]) -> None:
    missing = [
        name
        for name, operation in operations.items()
        for place in [operation.get("requestBody", {}), *operation["responses"].values()]
        for media_type, media in place.get("content", {}).items()
        if media_type == "application/json" and "example" not in media
    ]
    assert missing == []


def test_committed_document_has_not_drifted() -> None:
    committed = yaml.safe_load((Path(__file__).parents[3] / "docs" / "openapi.yaml").read_text())
    assert committed == yaml.safe_load(yaml.safe_dump(_plain(document()))), "run make openapi"


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/vnd.oai.openapi+json", "application/yaml"])
def test_document_is_served_to_anyone(accept: str) -> None:
    response = Client().get("/api/v1/schema", headers={"Accept": accept})
    assert response.status_code == 200
    assert b"3.1" in response.content[:200]


def test_ordinary_request_does_not_import_the_generator() -> None:
    code = """
import sys, django
django.setup()
from django.test import Client
assert Client().get("/api/v1/", SERVER_NAME="localhost").status_code == 200
print([name for name in ("drf_spectacular.openapi", "drf_spectacular.views", "ticketing.console.site") if name in
       sys.modules])
"""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.stdout.strip() == "[]", done.stderr


def _plain(node: Any) -> Any:
    """Without the generator's own string and list types, which YAML would not know."""
    if isinstance(node, dict):
        return {str(name): _plain(each) for name, each in node.items()}
    if isinstance(node, list | tuple):
        return [_plain(each) for each in node]
    return node if isinstance(node, int | float | bool | None) else str(node)
