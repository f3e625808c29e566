"""The Django database engine: MongoDB's own backend, with plain reads compiled to index-friendly finds."""

from ticketing.mongo.engine.compiler import NotPlainQuery, find_arguments, match_of

__all__ = ["NotPlainQuery", "find_arguments", "match_of"]
