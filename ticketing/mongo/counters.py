"""Numbers that are handed out once: an atomic counter per tenant and name."""

from pymongo import ReturnDocument
from pymongo.database import Database
from pymongo.write_concern import WriteConcern

from ticketing.mongo import ObjectId
from ticketing.mongo.client import current_session, get_database, translated_errors
from ticketing.mongo.repository import Document

_ONE = WriteConcern(w=1)


def last_number(tenant_id: ObjectId, name: str) -> int:
    """The number that was handed out last; 0 before the first."""
    with translated_errors("The counter"):
        document = get_database()["counters"].find_one(
            {"_id": {"tenant_id": tenant_id, "name": name}}, session=current_session()
        )
    return 0 if document is None else int(document["value"])


def next_number(tenant_id: ObjectId, name: str, amount: int = 1, database: Database[Document] | None = None) -> int:
    """Takes the next ``amount`` numbers and returns the last of them.

    Deliberately outside any transaction under way: within one, all writers of a tenant would conflict on this document.
    A rolled back writer leaves a gap. Taken in a transaction the counter waits for no majority: what the number is
    written to commits after it and with a majority, which then has the counter too, and what does not commit takes
    another number. A number that is taken before its transaction has to outlast a failover between the two.
    """
    lasting = None if current_session() is None else _ONE
    counters = (get_database() if database is None else database).get_collection("counters", write_concern=lasting)
    with translated_errors("The counter"):
        document = counters.find_one_and_update(
            {"_id": {"tenant_id": tenant_id, "name": name}},
            {"$inc": {"value": amount}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
    assert document is not None  # an upsert always has one
    value: int = document["value"]
    return value
