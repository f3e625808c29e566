"""Parts of the queue that somebody named, for himself or for a team."""

from django.db import models

from accounts.models import Team, User
from ticketing.mongo.models import TenantModel


class SavedView(TenantModel):
    """``query`` is the queue's part of the URL: filters, search and order. Without a team only its owner sees it."""

    owner = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False, related_name="+")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, db_index=False, related_name="+", null=True, blank=True)
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000)
    created_at = models.DateTimeField(editable=False)
    version = models.IntegerField(default=1, editable=False)

    class Meta(TenantModel.Meta):
        db_table = "saved_views"
        indexes = [
            models.Index(fields=["tenant_id", "owner", "name"], name="saved_views_owner"),
            models.Index(fields=["tenant_id", "team", "name"], name="saved_views_team"),
        ]

    def __str__(self) -> str:
        return self.name
