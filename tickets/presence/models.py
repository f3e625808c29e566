"""Who is looking at which ticket."""

from django.db import models
from django_mongodb_backend.fields import ObjectIdField

from accounts.models import User
from ticketing.mongo.indexes import TTLIndex, UniqueIndex
from ticketing.mongo.models import TenantModel


class Presence(TenantModel):
    """One person on one ticket; forgotten soon after his browser stops telling."""

    ticket_id = ObjectIdField()
    user = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False, related_name="+")
    is_writing = models.BooleanField(default=False)
    seen_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        db_table = "presence"
        indexes = [
            UniqueIndex(fields=["tenant_id", "ticket_id", "user"], name="presence_user"),
            TTLIndex("expires_at", name="presence_ttl"),
        ]
