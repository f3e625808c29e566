"""What the platform itself keeps: about requests, in two collections that empty themselves, and about its jobs."""

from django.db import models

from ticketing.jobs.models import JobState
from ticketing.mongo.indexes import TTLIndex, UniqueIndex
from ticketing.mongo.models import ServiceWrittenModel, TenantModel

__all__ = ["IdempotencyRecord", "JobState", "RateWindow"]


class IdempotencyRecord(TenantModel):
    """The answer to a POST with an Idempotency-Key; without ``status`` it is under way, or died on the way."""

    key_hash = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64)
    lock = models.CharField(max_length=32)
    locked_until = models.DateTimeField()
    status = models.IntegerField(null=True)
    answer = models.JSONField(default=dict)
    expires_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        db_table = "idempotency_records"
        indexes = [
            UniqueIndex(fields=["tenant_id", "key_hash"], name="idempotency_key"),
            TTLIndex("expires_at", name="idempotency_ttl"),
        ]

    def __str__(self) -> str:
        return self.key_hash


class RateWindow(ServiceWrittenModel):
    """How many requests of one minute were handed out; the key is a hash of who asked, and the minute."""

    id = models.CharField(primary_key=True, max_length=80, db_column="_id")
    used = models.IntegerField(default=0)
    expires_at = models.DateTimeField()

    class Meta(ServiceWrittenModel.Meta):
        db_table = "rate_windows"
        indexes = [TTLIndex("expires_at", name="rate_windows_ttl")]

    def __str__(self) -> str:
        return self.id
