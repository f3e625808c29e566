"""Changes of many tickets at once, kept for a while so that they can be taken back."""

from django.db import models

from accounts.models import User
from ticketing.mongo.indexes import TTLIndex
from ticketing.mongo.models import TenantModel


class BulkChange(TenantModel):
    """``wanted`` is what was asked for, ``items`` what became of each ticket: its id and number, the changed fields
    before and after, or why it refused."""

    author = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False, related_name="+")
    wanted = models.JSONField(default=dict)
    items = models.JSONField(default=list)
    created_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    version = models.IntegerField(default=1)

    class Meta(TenantModel.Meta):
        db_table = "bulk_changes"
        indexes = [
            models.Index(fields=["tenant_id", "author", "-created_at", "-id"], name="bulk_changes_author"),
            TTLIndex("expires_at", name="bulk_changes_ttl"),
        ]
