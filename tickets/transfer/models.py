"""Exports that a tenant's admin asked for."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_mongodb_backend.fields import ObjectIdField

from ticketing.mongo.indexes import PartialIndex, UniqueIndex
from ticketing.mongo.models import TenantModel


class ExportState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


class Export(TenantModel):
    """A tenant's export as one file in the storage, kept until ``expires_at``. ``is_pending`` is true while it is
    queued or running: a tenant has one of these at most. ``steps_done`` of ``steps`` tell how far it is."""

    state = models.CharField(max_length=8, choices=ExportState.choices, default=ExportState.QUEUED)
    is_pending = models.BooleanField(default=True)
    requested_by_id = ObjectIdField(null=True)
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    steps = models.IntegerField(default=0)
    steps_done = models.IntegerField(default=0)
    bytes = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, null=True)
    storage_key = models.CharField(max_length=200, null=True)
    error = models.CharField(max_length=500, blank=True, default="")

    class Meta(TenantModel.Meta):
        db_table = "exports"
        indexes = [
            UniqueIndex(fields=["tenant_id"], name="exports_pending", partial={"is_pending": True}),
            models.Index(fields=["tenant_id", "-requested_at", "-id"], name="exports_requested"),
            # Of all tenants, for the job.
            PartialIndex(fields=["is_pending"], name="exports_waiting", partial={"is_pending": True}),
            models.Index(fields=["expires_at"], name="exports_expiring"),
        ]

    def __str__(self) -> str:
        return f"export of {self.requested_at}"
