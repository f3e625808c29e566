"""Storage of canned replies."""

from ticketing.mongo.repository import Repository


class CannedReplyRepository(Repository):
    collection_name = "canned_replies"
    noun = "The canned reply"
