"""The limits an operator sets a tenant. What reserves joins the transaction of the write that it limits."""

from tenants.repository import TenantRepository
from tenants.rules import check_quota
from ticketing.mongo import ObjectId
from ticketing.mongo.client import transactional


@transactional
def reserve_storage(tenant_id: ObjectId, size: int) -> None:
    """Counts the bytes of a new attachment. Call it in the transaction that stores the attachment's row.

    Raises QuotaExceeded.
    """
    tenant = TenantRepository().add_storage(tenant_id, size)
    check_quota("max_storage_mb", tenant["max_storage_mb"] * 1024 * 1024, tenant["storage_bytes"])


def check_storage(tenant_id: ObjectId, size: int) -> None:
    """Whether so many bytes more would fit, as far as can be told before they are reserved. Raises QuotaExceeded."""
    tenant = TenantRepository().get(tenant_id)
    check_quota("max_storage_mb", tenant["max_storage_mb"] * 1024 * 1024, tenant["storage_bytes"] + size)
