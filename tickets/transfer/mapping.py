"""Which column of a foreign file is which field of a ticket, and what its codes mean here."""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from ticketing.errors import InvalidInput

FIELDS = (
    *("external_id", "title", "description", "status", "priority", "category", "type", "tags", "channel"),
    *("requester", "requester_name", "assignee", "team", "comments"),
    *("created_at", "updated_at", "first_responded_at", "resolved_at", "closed_at"),
)
_TABLES = {"columns", "values", "constants"}


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """``columns`` is {field: column}, ``values`` {field: {source: target}}, ``constants`` {field: value}.

    A mapping without columns takes every column that is named like a field. A column may be a path into nested
    objects of JSON (``user.email``). An empty value falls back to the constant.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in (*self.columns, *self.values, *self.constants):
            if name not in FIELDS:
                raise InvalidInput.of("mapping", f"{name!r} is not a field; the fields are {', '.join(FIELDS)}")

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Reads TOML, or JSON of the same shape where the name ends in .json. Raises InvalidInput."""
        try:
            text = path.read_text(encoding="utf-8")
            tables = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        except (OSError, ValueError, RecursionError) as error:
            raise InvalidInput.of("mapping", f"{path}: {error}") from None
        if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
            raise InvalidInput.of("mapping", f"{path} holds tables named columns, values and constants")
        if unknown := tables.keys() - _TABLES:
            raise InvalidInput.of("mapping", f"{path}: {unknown.pop()!r} is none of columns, values and constants")
        if wrong := next(_not_texts(tables), None):
            raise InvalidInput.of("mapping", f"{path}: {wrong} must be text")
        return cls(**tables)

    def extended(self, columns: Sequence[str], values: Sequence[str], constants: Sequence[str]) -> "FieldMapping":
        """With the command's ``field=column``, ``field.source=target`` and ``field=value`` added."""
        tables = {name: dict(table) for name, table in self.values.items()}
        for pair in values:
            path, target = _split(pair, "--value", "field.source=target")
            name, dot, source = path.partition(".")
            if not dot:
                raise InvalidInput.of("--value", f"{pair!r} is not field.source=target")
            tables.setdefault(name, {})[source] = target
        return FieldMapping(
            {**self.columns, **dict(_split(pair, "--map", "field=column") for pair in columns)},
            tables,
            {**self.constants, **dict(_split(pair, "--set", "field=value") for pair in constants)},
        )

    def check_columns(self, present: Sequence[str]) -> None:
        """Raises InvalidInput when the file lacks a column that is mapped, or has none that can be used."""
        missing = sorted(set(self.columns.values()) - set(present))
        if missing:
            raise InvalidInput.of("mapping", f"the file has no column {missing[0]!r}; it has {', '.join(present)}")
        if not self.columns and not set(FIELDS) & set(present):
            raise InvalidInput.of("mapping", f"say which columns to take with --map; the file has {', '.join(present)}")

    def fields_of(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row's values by field, translated; without those that are empty."""
        columns = self.columns or {name: name for name in FIELDS}
        found = {name: self._translated(name, _look_up(row, column)) for name, column in columns.items()}
        filled = {name: value for name, value in found.items() if value not in (None, "", [])}
        return {**self.constants, **filled}

    def _translated(self, name: str, value: Any) -> Any:
        if isinstance(value, str):
            value = value.strip() if name != "description" else value
        table = self.values.get(name)
        return value if table is None or isinstance(value, list | dict) else table.get(_text(value), value)


def _look_up(row: Mapping[str, Any], column: str) -> Any:
    if column in row or "." not in column:
        return row.get(column)
    value: Any = row
    for part in column.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _split(pair: str, option: str, form: str) -> tuple[str, str]:
    name, separator, value = pair.partition("=")
    if not separator or not name:
        raise InvalidInput.of(option, f"{pair!r} is not {form}")
    return name, value


def _not_texts(tables: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The names of what holds something else; ``values`` holds tables of texts."""
    for name, table in tables.items():
        for key, value in table.items():
            texts = value.values() if name == "values" and isinstance(value, dict) else [value]
            if (name == "values") != isinstance(value, dict) or not all(isinstance(text, str) for text in texts):
                yield f"{name}.{key}"
