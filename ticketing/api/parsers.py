"""Request bodies: JSON objects, and the forms of the browsable pages. What cannot be right is refused here."""

from collections.abc import Iterator, Mapping
from typing import IO, Any

import orjson
from django.conf import settings
from django.http import HttpRequest
from rest_framework import parsers
from rest_framework.request import Request

from ticketing.api.errors import LengthRequired
from ticketing.api.renderers import JSONRenderer
from ticketing.errors import FieldError, InvalidInput, TooLarge

MAX_DEPTH = 32
MAX_VALUES = 1000  # in one body; each may cost a look and a fault in the answer


def check_body_size(request: Request | HttpRequest, most: int) -> None:
    """Refuses a body by its announced size, before a byte of it is read. Raises TooLarge, LengthRequired, InvalidInput.

    A body without an announced size (chunked) cannot reach us through WSGI; it would be taken for an empty one.
    """
    announced = request.META.get("CONTENT_LENGTH") or ""
    if not announced:
        if request.META.get("HTTP_TRANSFER_ENCODING"):
            raise LengthRequired
        return
    if not announced.isdecimal():
        raise InvalidInput.of("Content-Length", "this is not a number of bytes")
    if len(announced) > 18 or int(announced) > most:
        raise TooLarge(f"The body may have at most {most:,} bytes")


class JSONParser(parsers.BaseParser):
    """A JSON object in UTF-8. Of a name that stands twice the last value counts (RFC 8259, section 4)."""

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Raises TooLarge and InvalidInput, the latter naming the field where there is one."""
        most = settings.MAX_BODY_BYTES
        body = stream.read(most + 1)
        if len(body) > most:
            raise TooLarge(f"The body may have at most {most:,} bytes")
        return parse_object(body)


def parse_object(body: bytes) -> dict[str, Any]:
    """A JSON object without NUL characters, at most MAX_DEPTH deep and of MAX_VALUES. Raises InvalidInput."""
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        message = f"this is not JSON in UTF-8: {error.msg} (line {error.lineno}, column {error.colno})"
        raise InvalidInput.of("body", message, "not_json") from None
    if not isinstance(data, dict):
        raise InvalidInput.of("body", "the body must be a JSON object", "not_an_object")
    found = list(_faults(data))
    if found:
        raise InvalidInput(f"{found[0].field}: {found[0].message}", errors=found)
    return data


def _faults(data: dict[str, Any]) -> Iterator[FieldError]:
    """Walks the data without recursion, so that depth costs nothing."""
    waiting: list[tuple[str, Any, int]] = [("", data, 0)]
    seen = 0
    while waiting:
        path, value, depth = waiting.pop()
        seen += 1
        if seen + len(waiting) > MAX_VALUES + 1:  # the object itself is one of them
            yield FieldError("body", "too_many", f"holds more than {MAX_VALUES:,} values")
            return
        if depth > MAX_DEPTH:
            yield FieldError(path.split(".")[0], "too_deep", f"nested more than {MAX_DEPTH} levels deep")
            return
        if isinstance(value, str):
            if "\0" in value:
                yield FieldError(path, "null_character", "the NUL character is not allowed")
        elif isinstance(value, dict):
            for name, inner in value.items():
                if "\0" in name:
                    yield FieldError(path or "body", "null_character", "a name holds the NUL character")
                else:
                    waiting.append((f"{path}.{name}" if path else name, inner, depth + 1))
        elif isinstance(value, list):
            waiting.extend((f"{path}.{position}", inner, depth + 1) for position, inner in enumerate(value))


class FormParser(parsers.FormParser):
    """The browsable pages' forms without files."""


class MultiPartParser(parsers.MultiPartParser):
    """Forms with files, from browsers and from clients that attach one."""
