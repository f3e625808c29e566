"""Storage of bulk changes."""

from ticketing.mongo.repository import Repository


class BulkChangeRepository(Repository):
    collection_name = "bulk_changes"
    noun = "The bulk change"
