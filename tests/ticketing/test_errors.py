"""Refusals: English for the API, with what another language needs kept along."""

import copy

import orjson
import pytest

from ticketing.errors import AlreadyExists, InvalidInput, Message, translated

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
