"""Input is checked, never guessed."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from tests.ticketing.api.sample import NoteIn
from ticketing.api.errors import field_errors
from ticketing.api.renderers import rfc3339
from ticketing.api.serializers import TEXT_BYTES, TITLE_LENGTH, find_time
from ticketing.clock import to_milliseconds
from ticketing.mongo import ObjectId


def faults(**data: Any) -> dict[str, str]:
    """Field → code of what is wrong with a note."""
    serializer = NoteIn(data={"title": "A title", **data})
    if serializer.is_valid():
        return {}
    from rest_framework.exceptions import ValidationError

    found = field_errors(ValidationError(serializer.errors).get_full_details())
    return {fault.field: fault.code for fault in found}


def test_everything_right() -> None:
    id_ = ObjectId()
    serializer = NoteIn(
        data={
            "title": " Printer ",
            "text": "one\r\ntwo\t ",
            "amount": 3,
            "ratio": 1,
            "flag": False,
            "kind": "small",
            "tags": ["a", "b"],
            "owner": str(id_),
            "due": "2026-02-01T10:30:00.123456+01:00",
            "parts": [{"name": "x"}],
        }
    )
    assert serializer.is_valid(), serializer.errors
    assert dict(serializer.validated_data) == {
        "title": "Printer",
        "text": "one\ntwo\t ",
        "amount": 3,
        "ratio": 1.0,
        "flag": False,
        "kind": "small",
        "tags": ["a", "b"],
        "owner": id_,
        "due": datetime(2026, 2, 1, 9, 30, 0, 123000, UTC),
        "parts": [{"name": "x"}],
    }


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"title": 5}, {"title": "wrong_type"}),
        ({"title": True}, {"title": "wrong_type"}),
        ({"title": None}, {"title": "null"}),
        ({"title": ["a"]}, {"title": "wrong_type"}),
        ({"amount": "3"}, {"amount": "wrong_type"}),
        ({"amount": 3.5}, {"amount": "wrong_type"}),
        ({"amount": True}, {"amount": "wrong_type"}),
        ({"amount": -1}, {"amount": "min_value"}),
        ({"ratio": "1"}, {"ratio": "wrong_type"}),
        ({"flag": "true"}, {"flag": "wrong_type"}),
        ({"flag": 1}, {"flag": "wrong_type"}),
        ({"kind": 1}, {"kind": "wrong_type"}),
        ({"kind": "huge"}, {"kind": "invalid_choice"}),
        ({"tags": "a"}, {"tags": "not_a_list"}),
        ({"tags": ["a", 2]}, {"tags.1": "wrong_type"}),
        ({"owner": "1"}, {"owner": "invalid_id"}),
        ({"owner": 1}, {"owner": "wrong_type"}),
        ({"due": "2026-02-01T10:30:00"}, {"due": "invalid"}),
        ({"due": "2026-02-30T10:30:00Z"}, {"due": "invalid"}),
        ({"due": 1769941800}, {"due": "wrong_type"}),
        ({"parts": [{"name": "x"}, {"nam": "x"}]}, {"parts.1.nam": "unknown", "parts.1.name": "required"}),
        ({"colour": "red", "size": 1}, {"colour": "unknown", "size": "unknown"}),
        ({"version": 1}, {"version": "read_only"}),
        ({"title": "a\nb"}, {"title": "control"}),
        ({"title": "a\u202eb"}, {"title": "control"}),
        ({"title": "a\u2028b"}, {"title": "control"}),
        ({"title": "   "}, {"title": "blank"}),
        ({"text": "a\x1b[31m"}, {"text": "control"}),
        ({"colour": 1, "amount": "x", "title": None}, {"colour": "unknown", "amount": "wrong_type", "title": "null"}),
    ],
)
def test_named_with_the_reason(data: dict[str, Any], expected: dict[str, str]) -> None:
    assert faults(**data) == expected


def test_limits_are_inclusive() -> None:
    assert faults(title="é" * TITLE_LENGTH, text="x" * TEXT_BYTES) == {}
    assert faults(title="é" * (TITLE_LENGTH + 1)) == {"title": "max_length"}
    assert faults(text="é" * (TEXT_BYTES // 2) + "x") == {"text": "max_bytes"}


def test_forms_know_only_text_and_are_converted() -> None:
    serializer = NoteIn(data=QueryDict("title=T&amount=3&flag=true&tags=a,+b&csrfmiddlewaretoken=x&text=&kind="))
    assert serializer.is_valid(), serializer.errors
    validated = serializer.validated_data
    assert (validated["amount"], validated["flag"], validated["tags"]) == (3, True, ["a", "b"])
    assert "kind" not in validated


def test_forms_are_strict_about_names_too() -> None:
    assert not NoteIn(data=QueryDict("title=T&colour=red")).is_valid()


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.timezones()))  # noqa: DTZ001
def test_a_written_time_is_read_back(moment: datetime) -> None:
    assert find_time(rfc3339(moment)) == to_milliseconds(moment)


@given(st.text(max_size=40))
def test_no_text_breaks_the_time_parser(text: str) -> None:
    assert find_time(text) is None or find_time(text).tzinfo is UTC  # type: ignore[union-attr]
