"""Storage of mentions."""

from ticketing.mongo.repository import Repository


class MentionRepository(Repository):
    collection_name = "mentions"
    noun = "The mention"
