"""The Django database engine: MongoDB's own backend, with plain reads compiled to index-friendly finds."""

from ticketing.mongo.engine.gis import without_gis

with without_gis():
    import django_mongodb_backend.base  # noqa: F401 - it imports all of the backend that wants GIS

from ticketing.mongo.engine.compiler import NotPlainQuery, find_arguments, match_of

__all__ = ["NotPlainQuery", "find_arguments", "match_of"]
