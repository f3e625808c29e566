"""Statistics kept by the writes: counted cells, and the changes that are not folded into them yet."""

from django.db import models
from django_mongodb_backend.fields import ObjectIdField

from ticketing.mongo.indexes import UniqueIndex
from ticketing.mongo.models import TenantModel


class StatCell(TenantModel):
    """How many tickets share one combination of properties. See tickets/stats/rules.py for ``measure`` and ``period``."""

    measure = models.CharField(max_length=10)
    level = models.CharField(max_length=6)
    period = models.CharField(max_length=10)
    key = models.CharField(max_length=64)
    dimensions = models.JSONField()
    count = models.IntegerField()

    class Meta(TenantModel.Meta):
        db_table = "stat_cells"
        indexes = [UniqueIndex(fields=["tenant_id", "measure", "level", "period", "key"], name="stat_cells_key")]


class StatDelta(TenantModel):
    """One change that waits to be folded: what the ticket counted as before, and what it counts as now."""

    ticket_id = ObjectIdField()
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta(TenantModel.Meta):
        db_table = "stat_deltas"
        indexes = [models.Index(fields=["tenant_id", "id"], name="stat_deltas_order")]
