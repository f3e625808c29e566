"""Many customer accounts at once, as importers need them."""

from collections.abc import Iterable

from accounts.repository import UserRepository
from tenants.services import record
from ticketing.mongo import ObjectId
from ticketing.mongo.client import transactional
from ticketing.mongo.repository import Document


@transactional
def import_customers(tenant_id: ObjectId, accounts: Iterable[Document], *, by: str) -> list[Document]:
    """Stores accounts that accounts.services.new_user_document made, and returns them; nobody is invited.

    They have no usable password until an admin invites them. Raises AlreadyExists for a taken address.
    """
    stored = UserRepository(tenant_id).insert_many(accounts)
    if stored:
        record("users.imported", by=by, tenant_id=tenant_id, amount=len(stored))
    return stored
