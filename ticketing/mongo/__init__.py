"""The MongoDB layer: the only package that imports pymongo and bson."""

import re

from bson import ObjectId
from bson.tz_util import utc as stored_zone

__all__ = ["ObjectId", "parse_object_id", "stored_zone"]

_HEX = re.compile(r"[0-9a-f]{24}", re.IGNORECASE)


def parse_object_id(text: object) -> ObjectId | None:
    """The id that 24 hexadecimal digits stand for, None for anything else."""
    return ObjectId(text) if isinstance(text, str) and _HEX.fullmatch(text) else None
