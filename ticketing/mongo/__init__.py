"""The MongoDB layer: the only package that imports pymongo and bson."""

from bson import ObjectId

__all__ = ["ObjectId"]
