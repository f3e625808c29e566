"""MongoDB Extended JSON v2, relaxed: one document a line, with ids and times that come back as what they were.

https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/
"""

from datetime import UTC

from bson import json_util
from bson.errors import BSONError

from ticketing.mongo.repository import Document

_OPTIONS = json_util.RELAXED_JSON_OPTIONS.with_options(tz_aware=True, tzinfo=UTC)


def to_json(document: Document) -> str:
    """One line, without its end. Keeps the order of the fields."""
    return json_util.dumps(document, json_options=_OPTIONS, ensure_ascii=False, separators=(",", ":"))


def from_json(line: str) -> Document:
    """The document of a line. Raises ValueError."""
    try:
        document = json_util.loads(line, json_options=_OPTIONS)
    except (TypeError, KeyError, BSONError, RecursionError) as error:
        raise ValueError(f"not Extended JSON: {error}") from None
    if not isinstance(document, dict):
        raise ValueError("not a document")  # noqa: TRY004 - like json's own
    return document
