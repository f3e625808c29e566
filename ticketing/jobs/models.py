"""What is kept of each job: when it is due, who runs it, and how the last run went."""

from django.db import models

from ticketing.mongo.models import ServiceWrittenModel


class JobState(ServiceWrittenModel):
    """``holder`` may run the job until ``leased_until``; all times are the server's.

    ``failures`` counts those in a row; ``notes`` and ``position`` are those of the run under way, or of the last one.
    """

    id = models.CharField(primary_key=True, max_length=80, db_column="_id")
    next_at = models.DateTimeField()
    holder = models.CharField(max_length=120, null=True)
    leased_until = models.DateTimeField(null=True)
    last_started_at = models.DateTimeField(null=True)
    last_finished_at = models.DateTimeField(null=True)
    last_outcome = models.CharField(max_length=12, null=True)
    last_error = models.TextField(null=True)
    last_milliseconds = models.IntegerField(null=True)
    failures = models.IntegerField(default=0)
    position = models.TextField(null=True)
    notes = models.JSONField(default=dict)

    class Meta(ServiceWrittenModel.Meta):
        db_table = "jobs"

    def __str__(self) -> str:
        return self.id
