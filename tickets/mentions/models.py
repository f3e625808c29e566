"""Staff who were named in internal notes."""

from django.db import models
from django_mongodb_backend.fields import ObjectIdField

from accounts.models import User
from ticketing.mongo import ObjectId
from ticketing.mongo.indexes import UniqueIndex
from ticketing.mongo.models import TenantModel


class Mention(TenantModel):
    """``seen_at`` is null until the person who was named has opened the ticket; ``by`` is null for the platform."""

    by_id: ObjectId | None
    user = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False, related_name="+")
    by = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False, related_name="+", null=True)
    ticket_id = ObjectIdField()
    comment_id = ObjectIdField()
    at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        db_table = "mentions"
        indexes = [
            UniqueIndex(fields=["tenant_id", "user", "comment_id"], name="mentions_comment"),
            models.Index(fields=["tenant_id", "user", "-at", "-id"], name="mentions_newest"),
            models.Index(fields=["tenant_id", "user", "seen_at", "-at", "-id"], name="mentions_unseen"),
            models.Index(fields=["tenant_id", "ticket_id"], name="mentions_ticket"),
        ]
