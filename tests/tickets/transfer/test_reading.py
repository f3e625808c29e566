from pathlib import Path

import pytest

from ticketing.errors import InvalidInput
from tickets.transfer import reading
from tickets.transfer.reading import Row, SourceFile


def source(tmp_path: Path, content: bytes, name: str = "t.csv", **options: str) -> SourceFile:
    path = tmp_path / name
    path.write_bytes(content)
    return SourceFile(path, **options)


def test_csv_rows_know_their_lines(tmp_path: Path) -> None:
    file = source(tmp_path, b'\xef\xbb\xbftitle,body\r\n"two\r\nlines",x\r\n\r\nshort\r\na,b,c\r\nlast,y\r\n')
    assert list(file.rows()) == [
        Row(1, 2, {"title": "two\r\nlines", "body": "x"}),
        Row(2, 5, error="has 1 cells, but the header names 2"),
        Row(3, 6, error="has 3 cells, but the header names 2"),
        Row(4, 7, {"title": "last", "body": "y"}),
    ]
    assert file.count() == 4


def test_json_lines_that_are_no_objects_are_told_apart(tmp_path: Path) -> None:
    rows = list(source(tmp_path, b'{"a": 1}\n\n[1]\n{"a"\n', "t.jsonl").rows())
    assert [(row.number, row.line, row.values) for row in rows] == [(1, 1, {"a": 1}), (2, 3, {}), (3, 4, {})]
    assert rows[1].error == "is not a JSON object"
    assert rows[2].error.startswith("is not JSON")


def test_other_delimiters_and_encodings(tmp_path: Path) -> None:
    file = source(tmp_path, "title;body\nGrüße;x\n".encode("cp1252"), encoding="cp1252", delimiter=";")
    assert [row.values for row in file.rows()] == [{"title": "Grüße", "body": "x"}]
    assert len(file.fingerprint()) == 64


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("Grüße".encode("latin-1"), {}, "--encoding cp1252"),
        (b"a", {"encoding": "klingon"}, "klingon"),
    ],
)
def test_what_cannot_be_decoded_is_said_before_anything_is_read(
    tmp_path: Path, content: bytes, options: dict[str, str], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        source(tmp_path, content, **options).fingerprint()


@pytest.mark.parametrize(
    ("content", "message"), [(b"a,b,a\n", "two columns named 'a'"), (b"", "no header"), (b",\n", "no header")]
)
def test_a_header_must_be_usable(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        source(tmp_path, content).columns()


def test_a_missing_quote_ends_the_reading_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LONGEST_CELL", 100)
    file = source(tmp_path, b'title\nfine\n"never closed\n' + b"text\n" * 100)
    rows = file.rows()
    assert next(rows).values == {"title": "fine"}
    with pytest.raises(InvalidInput, match=r"line 3: .*quote"):
        next(rows)


def test_the_format_is_told_by_the_name_or_asked_for(tmp_path: Path) -> None:
    assert source(tmp_path, b"", "x.NDJSON").format == "jsonl"
    assert source(tmp_path, b"", "x.data", format="csv").format == "csv"
    with pytest.raises(InvalidInput, match="--format"):
        source(tmp_path, b"", "x.xlsx")
    with pytest.raises(InvalidInput, match=r"missing\.csv"):
        SourceFile(tmp_path / "missing.csv").fingerprint()
