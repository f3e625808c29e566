"""Storage of saved views."""

from ticketing.mongo.repository import Repository


class SavedViewRepository(Repository):
    collection_name = "saved_views"
    noun = "The view"
