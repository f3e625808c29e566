"""Answers that are being written, and those that were sent a moment ago and can still be taken back."""

from django.db import models
from django_mongodb_backend.fields import ArrayField, ObjectIdField

from accounts.models import User
from ticketing.mongo.indexes import UniqueIndex
from ticketing.mongo.models import TenantModel
from tickets.conversation.models import Visibility


class Draft(TenantModel):
    """What one person writes on one ticket, kept until it is sent.

    ``changes`` are the fields to change with it, ``seen`` their values when it was sent. Between ``send_at`` being set
    and reached it can be taken back; ``problem`` says why it could not be sent then, ``problem_message`` what that text
    was made of.
    """

    ticket_id = ObjectIdField()
    author = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False, related_name="+")
    body = models.TextField(blank=True, default="")
    visibility = models.CharField(max_length=10, choices=Visibility.choices, default=Visibility.PUBLIC)
    changes = models.JSONField(default=dict)
    seen = models.JSONField(default=dict)
    upload_ids = ArrayField(ObjectIdField(), default=list)
    send_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True, default="")
    problem_message = models.JSONField(null=True, default=None)
    updated_at = models.DateTimeField()
    version = models.IntegerField(default=1)

    class Meta(TenantModel.Meta):
        db_table = "drafts"
        indexes = [
            UniqueIndex(fields=["tenant_id", "author", "ticket_id"], name="drafts_author"),
            models.Index(fields=["tenant_id", "ticket_id"], name="drafts_ticket"),
            # Of all tenants, for the job that sends what nobody's browser sent.
            models.Index(fields=["send_at"], name="drafts_due"),
        ]

    def __str__(self) -> str:
        return self.body[:80]
