from pathlib import Path

import pytest

from ticketing.errors import InvalidInput
from tickets.transfer.mapping import FieldMapping


def test_columns_values_and_constants() -> None:
    mapping = FieldMapping(
        {"title": "Subject", "priority": "urgency"}, {"priority": {"0": "urgent"}}, {"type": "task", "title": "None"}
    )
    assert mapping.fields_of({"Subject": " Broken ", "urgency": 0}) == {
        "title": "Broken",
        "priority": "urgent",
        "type": "task",
    }
    assert mapping.fields_of({"Subject": "", "urgency": "7"}) == {"title": "None", "priority": "7", "type": "task"}


def test_without_columns_those_named_like_fields_are_taken() -> None:
    assert FieldMapping().fields_of({"title": "A", "colour": "red"}) == {"title": "A"}


def test_a_path_reaches_into_nested_objects_unless_a_column_has_that_name() -> None:
    mapping = FieldMapping({"requester": "user.email"})
    assert mapping.fields_of({"user": {"email": "a@b.test"}}) == {"requester": "a@b.test"}
    assert mapping.fields_of({"user.email": "flat@b.test"}) == {"requester": "flat@b.test"}
    assert mapping.fields_of({"user": "nobody"}) == {}


def test_the_command_adds_to_a_file(tmp_path: Path) -> None:
    toml, json = tmp_path / "m.toml", tmp_path / "m.json"
    toml.write_text('[columns]\ntitle = "a"\n[values.priority]\n0 = "urgent"\n')
    json.write_text('{"columns": {"title": "a"}, "values": {"priority": {"0": "urgent"}}}')
    assert FieldMapping.from_file(toml) == FieldMapping.from_file(json)
    extended = FieldMapping.from_file(toml).extended(["title=b"], ["priority.1.5=high"], ["requester=x@y.test"])
    assert extended == FieldMapping(
        {"title": "b"}, {"priority": {"0": "urgent", "1.5": "high"}}, {"requester": "x@y.test"}
    )


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ('[columns]\nheadline = "a"', "headline"),
        ('[colums]\ntitle = "a"', "colums"),
        ("columns = 3", "tables"),
        ("[columns", "m.toml"),
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path: Path, content: str, named: str) -> None:
    path = tmp_path / "m.toml"
    path.write_text(content)
    with pytest.raises(InvalidInput, match=named):
        FieldMapping.from_file(path)


@pytest.mark.parametrize("arguments", [(["title"], [], []), ([], ["priority=high"], []), ([], [], ["=x"])])
def test_a_wrong_option_is_refused(arguments: tuple[list[str], list[str], list[str]]) -> None:
    with pytest.raises(InvalidInput):
        FieldMapping().extended(*arguments)


def test_a_missing_column_is_named_with_those_that_exist() -> None:
    with pytest.raises(InvalidInput, match="'Subject'; it has title, body"):
        FieldMapping({"title": "Subject"}).check_columns(["title", "body"])
    with pytest.raises(InvalidInput, match="--map"):
        FieldMapping().check_columns(["headline"])
