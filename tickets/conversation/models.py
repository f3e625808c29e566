"""What is said on a ticket: public answers and internal notes."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_mongodb_backend.fields import ArrayField, ObjectIdField

from accounts.models import User
from ticketing.mongo.indexes import UniqueIndex
from ticketing.mongo.models import TenantModel


class Visibility(models.TextChoices):
    """INTERNAL is for staff only: customers never learn that it exists."""

    PUBLIC = "public", _("Public answer")
    INTERNAL = "internal", _("Internal note")


class Comment(TenantModel):
    """``body`` is the Markdown source, ``body_html`` its sanitised rendering; both are written together.

    ``mention_ids`` are the staff named in a note, ``moved_from_id`` the merged ticket that it came from, and
    ``split_into_id`` the ticket that was made of it.
    """

    ticket_id = ObjectIdField()
    author = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False, related_name="+", null=True)
    visibility = models.CharField(max_length=10, choices=Visibility.choices, default=Visibility.PUBLIC)
    body = models.TextField()
    body_html = models.TextField(editable=False)
    created_at = models.DateTimeField(editable=False)
    edited_at = models.DateTimeField(null=True, editable=False)
    version = models.IntegerField(default=1, editable=False)
    external_id = models.CharField(max_length=120, null=True, editable=False)
    mention_ids = ArrayField(ObjectIdField(), default=list, editable=False)
    moved_from_id = ObjectIdField(null=True, editable=False)
    split_into_id = ObjectIdField(null=True, editable=False)

    class Meta(TenantModel.Meta):
        db_table = "comments"
        indexes = [
            models.Index(fields=["tenant_id", "ticket_id", "created_at", "id"], name="comments_thread"),
            models.Index(
                fields=["tenant_id", "ticket_id", "visibility", "created_at", "id"], name="comments_public_thread"
            ),
            models.Index(fields=["tenant_id", "author", "ticket_id"], name="comments_author"),
            UniqueIndex(
                fields=["tenant_id", "external_id"],
                name="comments_external_id",
                partial={"external_id": {"$type": "string"}},
            ),
        ]

    def __str__(self) -> str:
        return self.body[:80]
