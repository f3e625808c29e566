"""Streams that compress, count and sum what passes through them."""

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from ticketing.errors import InvalidInput
from ticketing.mongo.dump import DamagedDocument
from tickets.backup.manifest import Checksum
from tickets.backup.places import Place, Sink, Stream

CHUNK = 1024 * 1024
# The fastest: each further level costs more of the five minutes that a snapshot lasts than it saves in bytes.
LEVEL = 1


class Summed:
    """Passes bytes on, to or from a file, and sums them."""

    def __init__(self, file: Sink | Stream) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._size = 0

    @property
    def checksum(self) -> Checksum:
        return Checksum(self._digest.hexdigest(), self._size)

    def write(self, data: bytes, /) -> int:
        cast(Sink, self._file).write(data)
        return self._sum(data)

    def read(self, size: int = CHUNK, /) -> bytes:
        data = cast(Stream, self._file).read(size)
        self._sum(data)
        return data

    def _sum(self, data: bytes) -> int:
        self._digest.update(data)
        self._size += len(data)
        return len(data)


@contextmanager
def compressed(file: Summed) -> Iterator[gzip.GzipFile]:
    """Writes gzip to the file."""
    with gzip.GzipFile(fileobj=cast(Any, file), mode="wb", compresslevel=LEVEL, mtime=0) as stream:
        yield stream


@contextmanager
def checked(place: Place, name: str, expected: Checksum) -> Iterator[gzip.GzipFile]:
    """Reads a gzip file of the place to its end, whatever the block leaves; raises InvalidInput if it is not the one.

    What the block reads may be damaged: it is known to be whole only afterwards. ValueErrors of the block are taken for
    damage.
    """
    try:
        with place.read(name) as file:
            summed = Summed(file)
            with gzip.GzipFile(fileobj=cast(Any, summed), mode="rb") as stream:
                yield stream
            while summed.read(CHUNK):
                pass
    except (EOFError, zlib.error, gzip.BadGzipFile, DamagedDocument, ValueError) as error:
        raise InvalidInput.of("backup", f"{place}/{name} is damaged: {error}") from None
    if summed.checksum != expected:
        raise InvalidInput.of("backup", f"{place}/{name} is not the file that was backed up")
