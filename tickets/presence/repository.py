"""Storage of presence."""

from ticketing.mongo.repository import Repository


class PresenceRepository(Repository):
    collection_name = "presence"
    noun = "The presence"
