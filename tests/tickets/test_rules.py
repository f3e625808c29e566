"""What input a ticket accepts, and what a status brings with it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ticketing.errors import InvalidInput
from tickets import rules

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_titles_are_one_line() -> None:
    assert rules.clean_title("  Printer\n on\tfire ") == "Printer on fire"
    assert len(rules.clean_title("x" * 200)) == 200


@pytest.mark.parametrize("title", ["", " \n ", "x" * 201, "a\x00b", "a\x1bb", "\ud800"])
def test_bad_titles_name_the_field(title: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        rules.clean_title(title)
    assert refused.value.errors[0].field == "title"


def test_texts_are_measured_in_bytes() -> None:
    assert rules.clean_text("é" * 32768, "body") == "é" * 32768
    with pytest.raises(InvalidInput):
        rules.clean_text("é" * 32769, "body")


def test_many_combining_marks_in_a_row_are_refused() -> None:
    assert rules.clean_text("e" + "\u0301\u0323" * 15, "body")
    with pytest.raises(InvalidInput) as refused:
        rules.clean_text("e" + "\u0301\u0323" * 16, "body")
    assert refused.value.errors[0].code == "combining_marks"


def test_line_ends_become_line_feeds() -> None:
    assert rules.clean_text("a\r\nb\rc", "body") == "a\nb\nc"


def test_a_required_text_is_not_blank() -> None:
    with pytest.raises(InvalidInput):
        rules.clean_text(" \n", "body", required=True)


def test_tags_are_folded_distinct_and_sorted() -> None:
    assert rules.clean_tags(["VPN", " vpn ", "Büro  Nord", ""]) == ["büro nord", "vpn"]


@pytest.mark.parametrize("tags", [["a,b"], ["x" * 41], [str(n) for n in range(21)]])
def test_bad_tags_are_refused(tags: list[str]) -> None:
    with pytest.raises(InvalidInput):
        rules.clean_tags(tags)


@pytest.mark.parametrize(
    ("ticket", "target", "expected"),
    [
        ({"status": "open", "resolved_at": None}, "resolved", {"resolved_at": NOW}),
        ({"status": "open", "resolved_at": None}, "closed", {"resolved_at": NOW, "closed_at": NOW}),
        ({"status": "resolved", "resolved_at": NOW}, "closed", {"closed_at": NOW}),
        (
            {"status": "resolved", "resolved_at": NOW, "reopened_count": 1},
            "open",
            {"resolved_at": None, "reopened_count": 2},
        ),
        ({"status": "new", "resolved_at": None}, "open", {}),
    ],
)
def test_entering_a_status_stamps_its_times(ticket: dict[str, Any], target: str, expected: dict[str, Any]) -> None:
    assert rules.status_stamps(ticket, target, NOW) == {"status": target, **expected}


def test_the_requester_participates_once() -> None:
    assert rules.participants(1, [2, 1, 3, 2]) == [1, 2, 3]
