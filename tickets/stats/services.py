"""Keeping the statistics with the writes, and answering from them."""

from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Document


def note_change(tenant_id: ObjectId, before: Document | None, after: Document | None) -> None:
    """Records, in the transaction under way, that a ticket now counts as ``after`` instead of ``before``."""
