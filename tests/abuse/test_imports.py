"""Files to import that are made to exhaust who reads them: said to be wrong early, read in pieces of bounded size."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ticketing.errors import InvalidInput
from tickets.transfer import reading
from tickets.transfer.mapping import FieldMapping
from tickets.transfer.reading import SourceFile

SMALL = 16 * 1024  # instead of the megabytes of production
HUGE = 40 * SMALL


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, limit in {"LONGEST_CELL": SMALL, "LONGEST_LINE": SMALL, "LONGEST_ROW": 2 * SMALL}.items():
        monkeypatch.setattr(reading, name, limit)


def written(folder: Path, name: str, content: bytes) -> SourceFile:
    path = folder / name
    path.write_bytes(content)
    return SourceFile(path)


def peak_of(work: Callable[[], Any]) -> int:
    """The most bytes that the work has held at once."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


BOMBS = {
    "a quote that is never closed": ("t.csv", b'title,description\n"' + b"a\n" * (HUGE // 2)),
    "a quote that is closed at the end of the file": ("t.csv", b'title\n"' + b"a\n" * (HUGE // 2) + b'"\n'),
    "a line without an end": ("t.csv", b"title\n" + b"a" * HUGE),
    "a header without an end": ("t.csv", b"a" * HUGE),
    "a million columns": ("t.csv", b"," * 1_000_000 + b"\n"),
    "more columns than anybody has": ("t.csv", b",".join(b"c%d" % n for n in range(1001)) + b"\n"),
    "many cells over many lines": ("t.csv", b"title\n" + b'"a\n",' * (HUGE // 5)),
    "JSON without an end": ("t.jsonl", b'{"title": "' + b"a" * HUGE),
    "JSON in one line": ("t.jsonl", b'[{"title": "a"}' + b',{"title": "a"}' * (HUGE // 15) + b"]"),
}


@pytest.mark.parametrize(("name", "content"), BOMBS.values(), ids=list(BOMBS))
def test_bombs_are_refused_before_they_are_read_whole(tmp_path: Path, name: str, content: bytes) -> None:
    source = written(tmp_path, name, content)

    def read() -> None:
        with pytest.raises(InvalidInput):
            _ = source.columns(), source.count()

    assert peak_of(read) < 30 * SMALL


def test_rows_of_other_lengths_are_told_one_by_one(tmp_path: Path) -> None:
    source = written(tmp_path, "t.csv", b"title\n" + b"a" + b",a" * 5_000 + b"\nlast\n")
    assert [row.error for row in source.rows()] == ["has 5001 cells, but the header names 1", ""]


@pytest.mark.parametrize(
    "text", [b"[" * 50_000, b'{"a":' * 50_000, b'{"title": "\\ud800"}', b'{"title": NaN}', b"\xff"]
)
def test_rows_that_are_no_json_are_told_one_by_one(tmp_path: Path, text: bytes) -> None:
    monstrous = SourceFile(
        written(tmp_path, "t.jsonl", text[: SMALL // 2] + b'\n{"title": "a"}\n').path, encoding="latin-1"
    )
    assert [bool(row.error) for row in monstrous.rows()] == [True, False]


@pytest.mark.parametrize("content", ["a = " + "[" * 20_000, "[columns]\ntitle = 1\n", "[values]\ntype = 'a'\n"])
def test_mappings(tmp_path: Path, content: str) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(content)
    with pytest.raises(InvalidInput):
        FieldMapping.from_file(path)


@pytest.mark.parametrize("content", ["[" * 200_000, '{"columns": ' * 100_000, '{"columns": {"title": []}}'])
def test_mappings_in_json(tmp_path: Path, content: str) -> None:
    path = tmp_path / "mapping.json"
    path.write_text(content)
    with pytest.raises(InvalidInput):
        FieldMapping.from_file(path)
