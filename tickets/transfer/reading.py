"""Reads the rows of a CSV or JSON lines file, one at a time, with the line each begins at."""

import codecs
import csv
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import orjson

from ticketing.errors import InvalidInput

LONGEST_CELL = LONGEST_LINE = 10 * 1024 * 1024
LONGEST_ROW = 2 * LONGEST_LINE  # characters; a quoted cell goes on over lines
MOST_COLUMNS = 1000
_CHUNK = 1024 * 1024
_FORMATS = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl"}


@dataclass(frozen=True, slots=True)
class Row:
    """``number`` counts rows from 1, ``line`` is where the row begins; ``error`` says why ``values`` are missing."""

    number: int
    line: int
    values: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to import. An empty ``format`` is told by the name's ending."""

    path: Path
    format: str = ""
    encoding: str = "utf-8-sig"
    delimiter: str = ","

    def __post_init__(self) -> None:
        if len(self.delimiter) != 1:
            raise InvalidInput.of("--delimiter", "is one character")
        if not self.format:
            known = _FORMATS.get(self.path.suffix.lower())
            if known is None:
                raise InvalidInput.of("file", f"{self.path.name} ends in none of {', '.join(_FORMATS)}: give --format")
            object.__setattr__(self, "format", known)

    def fingerprint(self) -> str:
        """A hash of the content; checks on the way that all of it can be decoded. Raises InvalidInput."""
        digest = hashlib.sha256()
        try:
            decoder = codecs.getincrementaldecoder(self.encoding)()
            with self.path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
                    decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except LookupError:
            raise InvalidInput.of("--encoding", f"{self.encoding!r} is not known") from None
        except UnicodeDecodeError as error:
            byte = error.object[error.start]
            raise InvalidInput.of(
                "file", f"is not {self.encoding} (byte 0x{byte:02x}); name its encoding, such as --encoding cp1252"
            ) from None
        except OSError as error:
            raise InvalidInput.of("file", f"{self.path}: {error.strerror}") from None
        return digest.hexdigest()

    def columns(self) -> list[str] | None:
        """The names in a CSV file's first line; None for JSON lines, whose objects may differ. Raises InvalidInput."""
        if self.format != "csv":
            return None
        with self.path.open(encoding=self.encoding, newline="") as file:
            header = next(self._cells(file), (1, []))[1]
        if len(header) > MOST_COLUMNS:
            raise InvalidInput.of("file", f"has {len(header):,} columns, more than {MOST_COLUMNS:,}")
        names = [name.strip() for name in header]
        twice = next((name for name in names if name and names.count(name) > 1), None)
        if twice is not None:
            raise InvalidInput.of("file", f"has two columns named {twice!r}")
        if not any(names):
            raise InvalidInput.of("file", "has no header line")
        return names

    def rows(self) -> Iterator[Row]:
        """The rows in order, without blank lines. Raises InvalidInput where reading cannot go on."""
        with self.path.open(encoding=self.encoding, newline="" if self.format == "csv" else None) as file:
            yield from self._csv_rows(file) if self.format == "csv" else self._json_rows(file)

    def count(self) -> int:
        """How many rows there are. Raises InvalidInput."""
        return sum(1 for _ in self.rows())

    def _csv_rows(self, file: Any) -> Iterator[Row]:
        names = self.columns() or []
        cells_by_line = self._cells(file)
        next(cells_by_line, None)
        for number, (line, cells) in enumerate(cells_by_line, 1):
            if len(cells) == len(names):
                yield Row(number, line, dict(zip(names, cells, strict=True)))
            else:
                yield Row(number, line, error=f"has {len(cells)} cells, but the header names {len(names)}")

    def _cells(self, file: Any) -> Iterator[tuple[int, list[str]]]:
        csv.field_size_limit(LONGEST_CELL)
        lines = _Lines(file)
        reader = csv.reader(lines, delimiter=self.delimiter)
        line = 1
        try:
            for cells in reader:
                lines.row_begins()
                if cells:
                    yield line, cells
                line = reader.line_num + 1
        except csv.Error as error:
            raise InvalidInput.of("file", f"line {line}: {error}; is a closing quote missing?") from None

    def _json_rows(self, file: Any) -> Iterator[Row]:
        filled = ((line, text) for line, text in enumerate(_each_alone(_Lines(file)), 1) if text.strip())
        for number, (line, text) in enumerate(filled, 1):
            try:
                values = orjson.loads(text)
            except orjson.JSONDecodeError as error:
                yield Row(number, line, error=f"is not JSON: {error}")
                continue
            if isinstance(values, dict):
                yield Row(number, line, values)
            else:
                yield Row(number, line, error="is not a JSON object")


class _Lines:
    """A text file's lines, of which none is read any further than LONGEST_LINE and no row than LONGEST_ROW."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._number = self._row = 0

    def row_begins(self) -> None:
        """The next line is of another row."""
        self._row = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        """Raises InvalidInput for a line or row that is too long."""
        line = self._file.readline(LONGEST_LINE + 1)
        if not line:
            raise StopIteration
        self._number += 1
        self._row += len(line)
        if len(line) > LONGEST_LINE or self._row > LONGEST_ROW:
            raise InvalidInput.of("file", f"line {self._number} is too long; is a closing quote missing before it?")
        return line


def _each_alone(lines: _Lines) -> Iterator[str]:
    """Where each line is a row."""
    for line in lines:
        lines.row_begins()
        yield line
