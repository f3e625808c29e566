"""What is answered has the members that the OpenAPI document tells, no more and no less."""

from typing import Any

import pytest
from rest_framework import serializers
from rest_framework.test import APIClient

from tests.cast import Cast
from tickets.api import outputs

pytestmark = pytest.mark.django_db

TICKET = "/api/v1/tickets/1"


def check(serializer: Any, value: Any, path: str = "") -> None:
    """The names of every object, at any depth, are those that its serializer declares."""
    if isinstance(serializer, serializers.ListSerializer | serializers.ListField):
        for item in value:
            check(serializer.child, item, f"{path}[]")
    elif isinstance(serializer, serializers.Serializer):
        required = {name for name, field in serializer.fields.items() if field.required}
        assert required <= set(value) <= set(serializer.fields), path
        for name, item in value.items():
            field = serializer.fields[name]
            assert item is not None or field.allow_null, f"{path}.{name}"
            if item is not None:
                check(field, item, f"{path}.{name}")


@pytest.mark.parametrize("who", ["amir", "carla"])
def test_answers_have_the_declared_members(
    cast: Cast, amir: APIClient, carla: APIClient, opened: dict[str, Any], who: str
) -> None:
    amir.patch(TICKET, {"assigned_to": str(cast.amir.pk), "tags": ["x"]})
    carla.post(f"{TICKET}/comments", {"body": "Hello"})
    client = {"amir": amir, "carla": carla}[who]

    detail = client.get(TICKET).json()
    check(outputs.TicketOutput(), detail)
    assert set(detail) == set(outputs.TicketOutput().fields)
    [row] = client.get("/api/v1/tickets").json()["data"]
    check(outputs.TicketRowOutput(), row)
    assert set(row) == {name for name, field in outputs.TicketRowOutput().fields.items() if field.required}
    [row] = client.get("/api/v1/tickets?include=comments,created_by,assigned_to").json()["data"]
    assert set(row) == set(outputs.TicketRowOutput().fields)
    check(outputs.CommentOutput(many=True), client.get(f"{TICKET}/comments").json()["data"])
    if who == "amir":
        check(outputs.EventOutput(many=True), client.get(f"{TICKET}/events").json()["data"])
        check(outputs.StatsOutput(), client.get("/api/v1/tickets/stats").json())


@pytest.mark.parametrize("name", ["PersonOutput", "CommentOutput", "TicketRowOutput", "TicketOutput", "EventOutput"])
def test_examples_are_answers_that_could_be_given(name: str) -> None:
    serializer = getattr(outputs, name)
    check(serializer(), serializer.example)
