"""The ticket. Comments, events, attachments and counters live in their own collections (see the sub-packages)."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_mongodb_backend.fields import ArrayField, ObjectIdField

from accounts.models import Team, User
from ticketing.mongo.indexes import PartialIndex, UniqueIndex
from ticketing.mongo.models import TenantModel
from tickets.attachments.models import Attachment, Upload
from tickets.bulk.models import BulkChange
from tickets.canned_replies.models import CannedReply
from tickets.conversation.models import Comment
from tickets.drafts.models import Draft
from tickets.events.models import Event
from tickets.mentions.models import Mention
from tickets.presence.models import Presence
from tickets.privacy.models import Erasure, FileRemoval, LegalHold
from tickets.saved_views.models import SavedView
from tickets.stats.models import StatCell, StatDelta, StatLedger, StatTimes
from tickets.transfer.models import Export

__all__ = [
    "Attachment",
    "BulkChange",
    "CannedReply",
    "Channel",
    "Comment",
    "Draft",
    "Erasure",
    "Event",
    "Export",
    "FileRemoval",
    "LegalHold",
    "Mention",
    "Presence",
    "Priority",
    "SavedView",
    "StatCell",
    "StatDelta",
    "StatLedger",
    "StatTimes",
    "Status",
    "Ticket",
    "Type",
    "Upload",
]


class Status(models.TextChoices):
    """PENDING waits for the customer, ON_HOLD for somebody else; RESOLVED can be reopened, CLOSED is final."""

    NEW = "new", _("New")
    OPEN = "open", _("Open")
    PENDING = "pending", _("Pending")
    ON_HOLD = "on_hold", _("On hold")
    RESOLVED = "resolved", _("Resolved")
    CLOSED = "closed", _("Closed")


class Priority(models.TextChoices):
    LOW = "low", _("Low")
    NORMAL = "normal", _("Normal")
    HIGH = "high", _("High")
    URGENT = "urgent", _("Urgent")


class Type(models.TextChoices):
    """The kinds of work that ITIL tells apart."""

    QUESTION = "question", _("Question")
    INCIDENT = "incident", _("Incident")
    PROBLEM = "problem", _("Problem")
    TASK = "task", _("Task")


class Channel(models.TextChoices):
    """How the ticket came in."""

    API = "api", _("API")
    CONSOLE = "console", _("Console")
    EMAIL = "email", _("E-mail")
    IMPORT = "import", _("Import")


def _sorted_by_time(name: str, *leading: str) -> list[models.Index]:
    """The two indexes that serve a filter in both orderings; reading one backwards serves the ascending order."""
    return [
        models.Index(fields=["tenant_id", *leading, "-created_at", "-id"], name=f"tickets_{name}_created"),
        models.Index(fields=["tenant_id", *leading, "-updated_at", "-id"], name=f"tickets_{name}_updated"),
    ]


class Ticket(TenantModel):
    """``public_version`` and ``public_updated_at`` count only what customers may see, so that an internal note does
    not show in them; ``participant_ids`` (requester and followers) decides which customers see the ticket. After
    ``redacted_at`` its texts and files are gone and only the shell is left. A duplicate is closed and names the ticket
    that it was merged into, which has its comments and files and names it in ``merged_ids``; ``merged_follower_ids``
    follow a ticket only for what was merged into it. ``terms_form`` says how the terms were made
    (tickets.search.rules.form_of)."""

    number = models.IntegerField(editable=False)
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    description_html = models.TextField(editable=False, default="")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.NEW)
    priority = models.CharField(max_length=10, choices=Priority.choices, default=Priority.NORMAL)
    category = models.CharField(max_length=60, blank=True, default="")
    type = models.CharField(max_length=10, choices=Type.choices, default=Type.QUESTION)
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    channel = models.CharField(max_length=10, choices=Channel.choices, editable=False)

    created_by = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False, related_name="+", editable=False)
    assigned_to = models.ForeignKey(
        User, on_delete=models.PROTECT, db_index=False, related_name="+", null=True, blank=True
    )
    team = models.ForeignKey(Team, on_delete=models.PROTECT, db_index=False, related_name="+", null=True, blank=True)
    follower_ids = ArrayField(ObjectIdField(), default=list, blank=True)
    participant_ids = ArrayField(ObjectIdField(), default=list, editable=False)
    related_ids = ArrayField(ObjectIdField(), default=list, editable=False)
    merged_ids = ArrayField(ObjectIdField(), default=list, editable=False)
    merged_follower_ids = ArrayField(ObjectIdField(), default=list, editable=False)
    merged_into_id = ObjectIdField(null=True, editable=False)
    status_before_merge = models.CharField(max_length=10, null=True, editable=False)

    comment_count = models.IntegerField(default=0, editable=False)
    internal_note_count = models.IntegerField(default=0, editable=False)
    attachment_count = models.IntegerField(default=0, editable=False)
    internal_attachment_count = models.IntegerField(default=0, editable=False)
    reopened_count = models.IntegerField(default=0, editable=False)

    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)
    public_updated_at = models.DateTimeField(editable=False)
    first_responded_at = models.DateTimeField(null=True, editable=False)
    resolved_at = models.DateTimeField(null=True, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    redacted_at = models.DateTimeField(null=True, editable=False)
    version = models.IntegerField(default=1, editable=False)
    public_version = models.IntegerField(default=1, editable=False)

    external_id = models.CharField(max_length=120, null=True, editable=False)
    all_terms = ArrayField(models.CharField(max_length=40), default=list, editable=False)
    public_terms = ArrayField(models.CharField(max_length=40), default=list, editable=False)
    terms_form = models.CharField(max_length=10, null=True, editable=False)

    class Meta(TenantModel.Meta):
        db_table = "tickets"
        indexes = [
            UniqueIndex(fields=["tenant_id", "number"], name="tickets_number"),
            UniqueIndex(
                fields=["tenant_id", "external_id"],
                name="tickets_external_id",
                partial={"external_id": {"$type": "string"}},
            ),
            # With the other time behind, a range over it is judged in the index while reading in order of the first.
            models.Index(fields=["tenant_id", "-created_at", "-id", "updated_at"], name="tickets_created"),
            models.Index(fields=["tenant_id", "-updated_at", "-id", "created_at"], name="tickets_updated"),
            *_sorted_by_time("status", "status"),
            # Each of these with any choice of statuses; tickets.lists names all of them where none is chosen.
            *_sorted_by_time("priority", "priority", "status"),
            *_sorted_by_time("category", "category", "status"),
            *_sorted_by_time("type", "type", "status"),
            *_sorted_by_time("assignee", "assigned_to", "status"),
            *_sorted_by_time("team", "team", "status"),
            *_sorted_by_time("requester", "created_by", "status"),
            *_sorted_by_time("tags", "tags", "status"),
            *_sorted_by_time("following", "participant_ids", "status"),
            models.Index(fields=["tenant_id", "participant_ids", "-created_at", "-id"], name="tickets_own_created"),
            models.Index(
                fields=["tenant_id", "participant_ids", "-public_updated_at", "-id"], name="tickets_own_updated"
            ),
            models.Index(fields=["tenant_id", "all_terms", "-created_at", "-id"], name="tickets_terms"),
            # What was first answered or resolved in a period; the team is judged in the index.
            models.Index(fields=["tenant_id", "-first_responded_at", "-id", "team"], name="tickets_responded"),
            models.Index(fields=["tenant_id", "-resolved_at", "-id", "team"], name="tickets_resolved"),
            PartialIndex(
                fields=["tenant_id", "closed_at", "id"],
                name="tickets_retention",
                partial={"status": "closed", "redacted_at": None},
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.title}"
