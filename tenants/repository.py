"""Where tenants are stored and found."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ticketing.errors import NotFound
from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Document, PlatformRepository


def of_host(host: str) -> Document:
    """The filter of the tenant that has this host name of its own.

    The index on hosts holds only tenants that have one; the planner wants to see that condition.
    """
    return {"hosts": host, "hosts.0": {"$exists": True}}


class TenantRepository(PlatformRepository):
    collection_name = "tenants"
    noun = "The tenant"

    def find_by_slug(self, slug: str) -> Document | None:
        return self.find_one({"slug": slug})

    def find_by_host(self, host: str) -> Document | None:
        return self.find_one(of_host(host))

    def lock_staff(self, id_: ObjectId) -> Document:
        """Writes to the tenant within a transaction, so that of two transactions that count its staff one has to wait.

        Returns the tenant. Raises NotFound.
        """
        return self._changed({"_id": id_}, "staff_changes", 1)

    def lock_holds(self, id_: ObjectId) -> Document:
        """The same for transactions that place a legal hold or remove what one might be on. Raises NotFound."""
        return self._changed({"_id": id_}, "hold_changes", 1)

    def add_storage(self, id_: ObjectId, size: int) -> Document:
        """Counts bytes of attachments up, or down; returns the tenant. Raises NotFound."""
        return self._changed({"_id": id_}, "storage_bytes", size)

    def _changed(self, where: Document, counter: str, amount: int) -> Document:
        tenant = self.update_where(where, {}, operators={"$inc": {counter: amount}})
        if tenant is None:
            raise NotFound("The tenant does not exist")
        return tenant


class AuditRepository(PlatformRepository):
    collection_name = "audit_log"
    noun = "The entry"

    def add(self, tenant_id: ObjectId | None, action: str, by: str, details: dict[str, Any], at: datetime) -> None:
        self.insert({"tenant_id": tenant_id, "action": action, "by": by, "details": details, "at": at})

    def replace_author(self, tenant_id: ObjectId, emails: Iterable[str], pseudonym: str) -> int:
        """Puts a pseudonym in the place of a person, whatever key he used; tells how often."""
        names = "|".join(re.escape(email) for email in emails)
        # The second half is how accounts.actor.Actor.by names a key.
        where = {"tenant_id": tenant_id, "by": {"$regex": rf"^(?:{names})(?: with the key |\Z)", "$options": "s"}}
        return self.update_all(where, {"by": pseudonym})

    def replace_name(self, tenant_id: ObjectId, user_id: ObjectId, pseudonym: str) -> int:
        """The same where his name and addresses stood as what was changed about him."""
        of_him = {"tenant_id": tenant_id, "action": "user.changed", "details.user": str(user_id)}
        places = [f"details.changes.{field}" for field in ("name", "email")]
        found = [
            self.update_all({**of_him, place: {"$exists": True, "$ne": [pseudonym] * 2}}, {place: [pseudonym] * 2})
            for place in places
        ]
        return sum(found)
