"""Texts that are written once and used often."""

from django.db import models

from accounts.models import Team, User
from ticketing.mongo.indexes import UniqueIndex
from ticketing.mongo.models import TenantModel


class CannedReply(TenantModel):
    """``body`` is Markdown with ``{{ variables }}``. With an owner it is his alone, with a team that team's, else all
    staff's."""

    name = models.CharField(max_length=80)
    body = models.TextField()
    owner = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False, related_name="+", null=True, blank=True)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, db_index=False, related_name="+", null=True, blank=True)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)
    version = models.IntegerField(default=1, editable=False)

    class Meta(TenantModel.Meta):
        db_table = "canned_replies"
        verbose_name_plural = "canned replies"
        indexes = [UniqueIndex(fields=["tenant_id", "owner", "team", "name"], name="canned_replies_name")]

    def __str__(self) -> str:
        return self.name
