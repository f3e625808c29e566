from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ticketing.errors import InvalidInput
from tickets.transfer.cleaning import Cleaner, Draft

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
REQUIRED = {"title": "A title", "requester": "carla@example.test"}


def draft(zone: str = "UTC", time_format: str = "", **values: Any) -> Draft:
    return Cleaner(ZoneInfo(zone), time_format, NOW).draft({**REQUIRED, **values})


def test_what_is_left_open_has_defaults() -> None:
    made = draft()
    assert made.fields == {
        "status": "new",
        "priority": "normal",
        "type": "question",
        "channel": "import",
        "category": "",
        "tags": [],
    }
    assert made.times == {
        "created_at": NOW,
        "updated_at": NOW,
        "first_responded_at": None,
        "resolved_at": None,
        "closed_at": None,
    }


def test_every_field_at_fault_is_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        draft(title="", requester="", priority="huge", tags=[1], category="c" * 61, created_at="soon", type={})
    assert {error.field for error in caught.value.errors} == {
        *("title", "requester", "priority", "tags", "category", "created_at", "type")
    }


def test_an_empty_title_is_made_of_the_first_words() -> None:
    assert draft(title="", description="one two\nthree").title == "one two three"
    assert draft(title="", description="word " * 50).title == "word " * 11 + "word"
    assert draft(title="", description="x" * 300).title == "x" * 199 + "…"


def test_a_long_title_is_cut_and_kept_whole_in_the_description() -> None:
    title = "long " * 60
    made = draft(title=title, description="The text")
    assert made.title == title[:199].rstrip() + "…"
    assert made.description == f"{title.strip()}\n\nThe text"


def test_times_without_a_zone_are_of_the_given_one() -> None:
    assert draft("Europe/Berlin", created_at="2026-05-01T10:00").times["created_at"] == datetime(
        2026, 5, 1, 8, tzinfo=UTC
    )
    moment = draft("Europe/Berlin", created_at="2026-05-01T10:00:00.1239-05:00").times["created_at"]
    assert moment == datetime(2026, 5, 1, 15, 0, 0, 123_000, UTC)
    own_format = draft("UTC", "%d/%m/%Y", created_at="02/05/2026")
    assert own_format.times["created_at"] == datetime(2026, 5, 2, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-06-01T12:00:00.001Z", "1969-12-31", "0001-01-01T00:00:00+23:00", "1780000000"])
def test_a_time_must_be_one_and_in_the_past(text: str) -> None:
    with pytest.raises(InvalidInput, match="created_at"):
        draft(created_at=text)


def test_the_status_follows_from_the_times_and_the_times_from_the_status() -> None:
    early, late = "2026-05-01T10:00:00Z", "2026-05-02T10:00:00Z"
    assert draft(created_at=early, resolved_at=late).fields["status"] == "resolved"
    closed = draft(created_at=early, closed_at=late)
    assert closed.fields["status"] == "closed"
    assert closed.times["resolved_at"] == closed.times["updated_at"] == datetime(2026, 5, 2, 10, tzinfo=UTC)
    silent = draft(created_at=early, updated_at=late, status="closed")
    assert silent.times["closed_at"] == silent.times["resolved_at"] == datetime(2026, 5, 2, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"status": "open", "resolved_at": "2026-05-02"}, "status"),
        ({"status": "resolved", "closed_at": "2026-05-02"}, "status"),
        ({"closed_at": "2026-04-30"}, "closed_at"),
        ({"comments": [{"author": "a@b.test", "body": "x", "created_at": "2026-04-30"}]}, "comments"),
    ],
)
def test_times_that_contradict_are_refused(values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        draft(created_at="2026-05-01", **values)
    assert [error.field for error in caught.value.errors] == [field]


@pytest.mark.parametrize(
    ("comments", "field"),
    [
        ("text", "comments"),
        ([3], "comments[0]"),
        ([{"author": "a@b.test", "body": "x", "created_at": "2026-05-01", "mood": "bad"}], "comments[0]"),
        ([{"author": "a@b.test", "body": " ", "created_at": "2026-05-01"}], "comments[0].body"),
        ([{"author": "a@b.test", "body": "x"}], "comments[0].created_at"),
        ([{"body": "x", "created_at": "2026-05-01"}], "comments[0].author"),
        (
            [{"author": "a@b.test", "body": "x", "created_at": "2026-05-01", "visibility": "secret"}],
            "comments[0].visibility",
        ),
    ],
)
def test_a_wrong_comment_is_named(comments: Any, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        draft(created_at="2026-04-01", comments=comments)
    assert [error.field for error in caught.value.errors] == [field]


def test_comments_are_put_in_order_and_tags_apart() -> None:
    comments = [{"author": "a@b.test", "body": day, "created_at": f"2026-05-{day}"} for day in ("03", "02")]
    made = draft(created_at="2026-05-01", comments=comments, tags="VPN; mail,vpn")
    assert [comment.body for comment in made.comments] == ["02", "03"]
    assert made.times["updated_at"] == datetime(2026, 5, 3, tzinfo=UTC)
    assert made.fields["tags"] == ["mail", "vpn"]
