"""The history: one event for each thing that changed, written in the transaction that changed it."""

from django.db import models
from django_mongodb_backend.fields import ObjectIdField

from ticketing.mongo.indexes import UniqueIndex
from ticketing.mongo.models import TenantModel


class Event(TenantModel):
    """``version`` is the ticket's version that the change made, ``position`` the event's place within that change.

    ``actor`` is {id, name, role, via, key}, ``changes`` is {field: [old, new]}, ``data`` what else belongs to the type.
    """

    ticket_id = ObjectIdField()
    version = models.IntegerField()
    position = models.IntegerField(default=0)
    type = models.CharField(max_length=60)
    actor = models.JSONField(default=dict)
    changes = models.JSONField(default=dict)
    data = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        db_table = "events"
        indexes = [UniqueIndex(fields=["tenant_id", "ticket_id", "version", "position"], name="events_history")]

    def __str__(self) -> str:
        return self.type
