"""Storage of canned replies."""

from ticketing.mongo.repository import Repository

BY_NAME = (("name", 1), ("_id", 1))


class CannedReplyRepository(Repository):
    collection_name = "canned_replies"
    noun = "A canned reply of this name"
