"""Uploads that have expired, whether they became attachments or not."""

from datetime import timedelta

from django.core.files.storage import default_storage

from ticketing import clock
from ticketing.mongo.scope import platform_scope
from tickets.attachments.models import Upload
from tickets.attachments.repository import UploadRepository

BATCH = 100
# What began in time may still be under way. Correct without it: a completion that comes late finds no row.
GRACE = timedelta(minutes=15)


def expire_uploads(*, grace: timedelta = GRACE) -> int:
    """Removes expired uploads of all tenants, a batch of the oldest, and tells how many; 0 when there are no more."""
    with platform_scope("expired uploads"):
        expired = Upload.objects.filter(expires_at__lte=clock.now() - grace).order_by("expires_at")[:BATCH]
        rows = list(expired.documents("tenant_id", "storage_key"))
    for row in rows:
        # The bytes first: a row without bytes is found again, and bytes without a row only by a sweep.
        default_storage.delete(row["storage_key"])
        UploadRepository(row["tenant_id"]).delete({"_id": row["_id"]})
    return len(rows)
