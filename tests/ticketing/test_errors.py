"""Refusals: English for the API, with what another language needs kept along."""

import copy

import orjson
import pytest

from ticketing.errors import AlreadyExists, InvalidInput, Message, from_stored, to_stored, translated

GERMAN = {
    "at most {limit} teams": "höchstens {limit} Teams",
    "use {braces}": "verwenden Sie {braces}",
    "{old} cannot become {new}; allowed: {choices}": "{new} kann aus {old} nicht werden, nur {choices}",
    "open": "offen",
    "new": "neu",
}


def german(text: str) -> str:
    return translated(text, lambda english: GERMAN.get(english, english))


def test_a_message_is_its_english_text() -> None:
    message = Message("at most {limit} teams", limit=20)
    assert message == "at most 20 teams"
    assert orjson.dumps(message) == b'"at most 20 teams"'
    assert german(message) == "höchstens 20 Teams"
    assert german(copy.deepcopy(message)) == "höchstens 20 Teams"


def test_words_inside_are_translated_and_what_people_typed_is_not() -> None:
    statuses = (Message("new"), Message("open"))
    message = Message("{old} cannot become {new}; allowed: {choices}", old=statuses[1], new="new", choices=statuses)
    assert message == "open cannot become new; allowed: new, open"
    assert german(message) == "new kann aus offen nicht werden, nur neu, offen"


@pytest.mark.parametrize("kind", [Message, str])
def test_a_text_without_values_may_hold_braces(kind: type[str]) -> None:
    assert german(kind("use {braces}")) == "verwenden Sie {braces}"


def test_the_usual_refusal_names_field_and_reason_in_both_languages() -> None:
    error = InvalidInput.of("team_ids", Message("at most {limit} teams", limit=20), "max_length")
    assert (error.detail, error.errors[0].message) == ("team_ids: at most 20 teams", "at most 20 teams")
    assert german(error.detail) == "team_ids: höchstens 20 Teams"
    assert german(AlreadyExists.of("name", "open").detail) == "name: offen"


def test_a_text_that_was_stored_can_still_be_translated() -> None:
    choices = (Message("new"), Message("open"))
    message = Message("{old} cannot become {new}; allowed: {choices}", old=choices[1], new="new", choices=choices)
    stored = orjson.loads(orjson.dumps(to_stored("problem", message)))
    assert stored["problem"] == "open cannot become new; allowed: new, open"
    assert german(from_stored("problem", stored)) == "new kann aus offen nicht werden, nur neu, offen"
    limit = to_stored("problem", Message("at most {limit} teams", limit=20))
    assert german(from_stored("problem", limit)) == "höchstens 20 Teams"


@pytest.mark.parametrize(
    "others", [{}, {"problem_message": None}, {"problem_message": {"template": "new", "values": {}}}]
)
def test_the_text_counts_where_what_it_was_made_of_is_missing_or_of_another(others: dict[str, object]) -> None:
    """The previous version writes the text alone, and may write over one of ours."""
    assert german(from_stored("problem", {"problem": "open", **others})) == "offen"
