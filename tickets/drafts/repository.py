"""Storage of drafts."""

from ticketing.mongo.repository import Repository


class DraftRepository(Repository):
    collection_name = "drafts"
    noun = "The draft"
