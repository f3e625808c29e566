"""What IAM would say: the policies of a template's roles, and whether they allow a request."""

import re
from collections.abc import Mapping
from typing import Any

from tests.deploy.templates import Resource

Statement = dict[str, Any]


def statements_of(resources: Mapping[str, Resource]) -> list[Statement]:
    """Of all roles of a template: their own policies and those put beside them."""
    documents = []
    for resource in resources.values():
        documents += [each["PolicyDocument"] for each in resource.properties.get("Policies", ())]
        if resource.type == "AWS::IAM::RolePolicy":
            documents.append(resource.properties["PolicyDocument"])
    return [statement for document in documents for statement in document["Statement"]]


def as_list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def allows(statements: list[Statement], action: str, resource: str, **context: str) -> bool:
    """Some statement allows it and none denies it. The context's keys are written with __ for the colon."""
    keys = {key.replace("__", ":").lower(): value for key, value in context.items()}
    effects = {each["Effect"] for each in statements if _concerns(each, action, resource, keys)}
    return effects == {"Allow"}


def _concerns(statement: Statement, action: str, resource: str, context: dict[str, str]) -> bool:
    return (
        any(_matches(pattern, action, re.IGNORECASE) for pattern in as_list(statement["Action"]))
        and any(_matches(pattern, resource) for pattern in as_list(statement["Resource"]))
        and all(_holds(operator, wanted, context) for operator, wanted in statement.get("Condition", {}).items())
    )


def _holds(operator: str, wanted: dict[str, Any], context: dict[str, str]) -> bool:
    assert operator in {"StringEquals", "ArnEquals"}, f"{operator} is not understood here"
    return all(context.get(key.lower()) in as_list(values) for key, values in wanted.items())


def _matches(pattern: str, text: str, flags: int = 0) -> bool:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, flags) is not None
