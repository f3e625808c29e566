"""What is kept of usage."""

from django.db import models
from django_mongodb_backend.fields import ObjectIdField

from ticketing.mongo.indexes import UniqueIndex
from ticketing.mongo.models import ServiceWrittenModel


class TenantUsage(ServiceWrittenModel):
    """What a tenant used on a day (UTC). It belongs to the platform; tenants do not see it.

    Times are those of requests alone; ``stored_bytes`` is what attachments took when they were last measured that day.
    """

    tenant_id = ObjectIdField(editable=False)
    day = models.CharField(max_length=10)
    requests = models.BigIntegerField(default=0)
    cpu_milliseconds = models.FloatField(default=0)
    database_milliseconds = models.FloatField(default=0)
    stored_bytes = models.BigIntegerField(default=0)
    mails = models.BigIntegerField(default=0)

    class Meta(ServiceWrittenModel.Meta):
        db_table = "tenant_usage"
        indexes = [UniqueIndex(fields=["tenant_id", "day"], name="tenant_usage_day")]

    def __str__(self) -> str:
        return f"{self.tenant_id} {self.day}"
