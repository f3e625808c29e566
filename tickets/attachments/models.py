"""Files on a ticket; the bytes are in the storage, this is what is known about them."""

from django.db import models
from django_mongodb_backend.fields import ObjectIdField

from accounts.models import User
from ticketing.mongo.indexes import UniqueIndex
from ticketing.mongo.models import TenantModel
from tickets.conversation.models import Visibility


class Attachment(TenantModel):
    """``content_type`` is what the sender declared, ``sniffed_type`` what the first bytes say, ``size`` in bytes;
    ``moved_from_id`` is the ticket that it came from when that was merged."""

    ticket_id = ObjectIdField()
    comment_id = ObjectIdField(null=True)
    visibility = models.CharField(max_length=10, choices=Visibility.choices, default=Visibility.PUBLIC)
    name = models.CharField(max_length=200)
    size = models.BigIntegerField()
    content_type = models.CharField(max_length=120)
    sniffed_type = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64)
    storage_key = models.CharField(max_length=200)
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False, related_name="+", null=True)
    created_at = models.DateTimeField()
    moved_from_id = ObjectIdField(null=True)

    class Meta(TenantModel.Meta):
        db_table = "attachments"
        indexes = [
            models.Index(fields=["tenant_id", "ticket_id", "created_at", "id"], name="attachments_ticket"),
            models.Index(fields=["tenant_id", "comment_id"], name="attachments_comment"),
            models.Index(fields=["tenant_id", "uploaded_by", "ticket_id"], name="attachments_uploader"),
            UniqueIndex(fields=["tenant_id", "storage_key"], name="attachments_storage_key"),
        ]

    def __str__(self) -> str:
        return self.name


class Upload(TenantModel):
    """A file that was announced, so that its bytes may be sent to an address of their own.

    ``attachment_id`` is null until it has become an attachment. ``storage_key`` is where the bytes arrive; the
    attachment gets a copy, because whoever has the address can write there again. Rows have no TTL index: the job that
    removes them removes the bytes first.
    """

    ticket_id = ObjectIdField()
    comment_id = ObjectIdField(null=True)
    visibility = models.CharField(max_length=10, choices=Visibility.choices)
    name = models.CharField(max_length=200)
    size = models.BigIntegerField()
    content_type = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64, blank=True)
    storage_key = models.CharField(max_length=200)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    attachment_id = ObjectIdField(null=True)

    class Meta(TenantModel.Meta):
        db_table = "uploads"
        indexes = [
            models.Index(fields=["tenant_id", "attachment_id", "expires_at"], name="uploads_pending"),
            models.Index(fields=["expires_at"], name="uploads_expired"),  # of all tenants, for the job
            UniqueIndex(fields=["tenant_id", "storage_key"], name="uploads_storage_key"),
        ]

    def __str__(self) -> str:
        return self.name
