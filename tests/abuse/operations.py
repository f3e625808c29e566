"""Every operation of the API, as its OpenAPI document has it, with a body that fits."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from ticketing.api.documents import document

JSON = "application/json"
UNKNOWN_ID = "5f0000000000000000000000"


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    parameters: dict[str, list[str]]  # names by place
    example: dict[str, Any] | None  # of the JSON body; None where there is none

    @property
    def url(self) -> str:
        """It names things that do not exist."""
        return self.path_with(UNKNOWN_ID)

    def path_with(self, value: str) -> str:
        path = self.path
        for name in self.parameters["path"]:
            path = path.replace(f"{{{name}}}", value)
        return path

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@cache
def operations() -> list[Operation]:
    return list(_operations(document()))


def writes() -> list[Operation]:
    """Those that take JSON."""
    return [operation for operation in operations() if operation.example is not None]


def places_in(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each member and item, at any depth."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inner:
        yield (*path, name)
        yield from places_in(each, (*path, name))


def replaced(body: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """The body with another value in one place."""
    changed: Any = copy.deepcopy(body)
    inner = changed
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return changed


def _operations(described: dict[str, Any]) -> Iterator[Operation]:
    for path, by_method in described["paths"].items():
        for method, told in by_method.items():
            parameters: dict[str, list[str]] = {"path": [], "query": [], "header": []}
            for each in told.get("parameters", ()):
                found = _resolved(described, each)
                parameters[found["in"]].append(found["name"])
            body = told.get("requestBody", {}).get("content", {}).get(JSON)
            example = None if body is None else _example(described, body)
            yield Operation(method.upper(), path, parameters, example)


def _example(described: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """All members that the body may have: the example's, and for the rest something of their type."""
    schema = _resolved(described, body["schema"])
    made = {name: ["text"] if each.get("type") == "array" else "text" for name, each in schema["properties"].items()}
    return made | body.get("example", {})


def _resolved(described: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """What a reference refers to, such as #/components/parameters/X-Tenant; anything else as it is."""
    if "$ref" not in told:
        return told
    _, _, kind, name = told["$ref"].split("/")
    found: dict[str, Any] = described["components"][kind][name]
    return found
