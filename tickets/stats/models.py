"""Statistics kept by the writes: counted cells, and the changes that are not folded into them yet."""

from django.db import models
from django_mongodb_backend.fields import ArrayField

from ticketing.mongo.indexes import PartialIndex, UniqueIndex
from ticketing.mongo.models import TenantModel


def _found_by(table: str) -> list[models.Index]:
    return [
        UniqueIndex(fields=["tenant_id", "dimension", "value", "level", "period"], name=f"{table}_key"),
        PartialIndex(fields=["tenant_id"], name=f"{table}_empty", partial={"weight": 0}),
    ]


class _Counts(TenantModel):
    """What a cell is found by; see rules.py. ``weight`` is 0 when nothing is counted here any more."""

    dimension = models.CharField(max_length=12)
    value = models.CharField(max_length=80)
    level = models.CharField(max_length=6)
    period = models.CharField(max_length=10)
    weight = models.IntegerField(default=0)

    class Meta(TenantModel.Meta):
        abstract = True

    def __str__(self) -> str:
        return f"{self.dimension}={self.value} {self.level} {self.period}"


class StatCell(_Counts):
    """The counts of a slice (all tickets, or those with one value of one dimension) over a period.

    ``total`` is {status: count}, ``by`` {dimension: {value: {status: count}}}, and in months ``created`` and
    ``resolved`` are {day: {status: count}}.
    """

    total = models.JSONField(default=dict)
    by = models.JSONField(default=dict)
    created = models.JSONField(default=dict)
    resolved = models.JSONField(default=dict)

    class Meta(TenantModel.Meta):
        db_table = "stat_cells"
        indexes = _found_by("stat_cells")


class StatTimes(_Counts):
    """How long tickets of a slice took, in one month: ``first_response`` and ``resolution`` are {day: {status:
    {bucket: count}}}, by the day when it was done. Apart from the cells: the previous version knows only those."""

    first_response = models.JSONField(default=dict)
    resolution = models.JSONField(default=dict)

    class Meta(TenantModel.Meta):
        db_table = "stat_times"
        indexes = _found_by("stat_times")


class StatDelta(TenantModel):
    """One change that waits to be folded: what the ticket counted as before, and what it counts as now."""

    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    before_times = models.JSONField(null=True)
    after_times = models.JSONField(null=True)

    class Meta(TenantModel.Meta):
        db_table = "stat_deltas"
        indexes = [models.Index(fields=["tenant_id", "id"], name="stat_deltas_order")]


class StatLedger(TenantModel):
    """One a tenant: until when somebody is folding, and the categories that are counted by name."""

    folding_until = models.DateTimeField(null=True)
    categories = ArrayField(models.CharField(max_length=60), default=list)

    class Meta(TenantModel.Meta):
        db_table = "stat_ledgers"
        indexes = [UniqueIndex(fields=["tenant_id"], name="stat_ledgers_tenant")]
