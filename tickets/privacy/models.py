"""What keeps data from being removed, and the record of what was."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_mongodb_backend.fields import ArrayField, ObjectIdField

from ticketing.mongo.indexes import PartialIndex, UniqueIndex
from ticketing.mongo.models import TenantModel


class HoldTarget(models.TextChoices):
    """What a hold is on. TENANT covers all of its data, USER whatever he takes part in."""

    TICKET = "ticket", _("Ticket")
    USER = "user", _("User")
    TENANT = "tenant", _("Everything")


class LegalHold(TenantModel):
    """Keeps what it is on from erasure and retention until it is lifted. ``target_id`` is the ticket's, user's or
    tenant's id; ``placed_by_id`` and ``lifted_by_id`` are None for a command."""

    target = models.CharField(max_length=6, choices=HoldTarget.choices)
    target_id = ObjectIdField()
    reason = models.CharField(max_length=500)
    placed_by_id = ObjectIdField(null=True)
    placed_at = models.DateTimeField()
    lifted_by_id = ObjectIdField(null=True)
    lifted_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        db_table = "legal_holds"
        indexes = [
            models.Index(fields=["tenant_id", "-placed_at", "-id"], name="legal_holds_placed"),
            models.Index(fields=["tenant_id", "lifted_at", "-placed_at", "-id"], name="legal_holds_active"),
        ]

    def __str__(self) -> str:
        return self.reason


class ErasureState(models.TextChoices):
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")


class Erasure(TenantModel):
    """A person's erasure: what is done (``counts`` by collection), and in the end its receipt.

    ``emails`` are what to look for; they go when nothing is left under them. ``hold_id`` is a hold that keeps some of
    it meanwhile. Requests that were under way when the account ended may write until ``settles_at``.
    """

    user_id = ObjectIdField()
    pseudonym = models.CharField(max_length=40)
    content = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=ErasureState.choices, default=ErasureState.RUNNING)
    emails = ArrayField(models.CharField(max_length=254), default=list)
    counts = models.JSONField(default=dict)
    hold_id = ObjectIdField(null=True)
    requested_by_id = ObjectIdField(null=True)
    requested_via = models.CharField(max_length=10)
    requested_at = models.DateTimeField()
    settles_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    receipt = models.JSONField(null=True)

    class Meta(TenantModel.Meta):
        db_table = "erasures"
        indexes = [
            UniqueIndex(fields=["tenant_id", "user_id", "content"], name="erasures_user"),
            models.Index(fields=["tenant_id", "-requested_at", "-id"], name="erasures_requested"),
            models.Index(fields=["tenant_id", "state", "-requested_at", "-id"], name="erasures_state"),
            # Of all tenants, for the job.
            PartialIndex(fields=["state"], name="erasures_running", partial={"state": "running"}),
        ]

    def __str__(self) -> str:
        return self.pseudonym


class FileRemoval(TenantModel):
    """A file in the storage whose row is gone: written in the transaction that removes the row, and worked off after
    it, so that a crash leaves no file behind."""

    storage_key = models.CharField(max_length=200)

    class Meta(TenantModel.Meta):
        db_table = "file_removals"
        indexes = [models.Index(fields=["tenant_id", "id"], name="file_removals_order")]

    def __str__(self) -> str:
        return self.storage_key
