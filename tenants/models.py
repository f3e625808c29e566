"""The tenant: a company that shares the deployment with others and never sees them."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_mongodb_backend.fields import ArrayField

from ticketing.mongo.indexes import UniqueIndex
from ticketing.mongo.models import ServiceWrittenModel


class TenantStatus(models.TextChoices):
    ACTIVE = "active", _("Active")
    SUSPENDED = "suspended", _("Suspended")


class Registration(models.TextChoices):
    """Who may open a customer account by himself."""

    OPEN = "open", _("Anyone")
    DOMAINS = "domains", _("Addresses of the listed e-mail domains")
    CLOSED = "closed", _("Nobody: accounts are created by staff")


class Tenant(ServiceWrittenModel):
    """Suspended: sign-in is refused and tokens stop; all data is kept. A quota of 0 means no limit."""

    slug = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    hosts = ArrayField(models.CharField(max_length=253), default=list, blank=True, verbose_name=_("host names"))
    status = models.CharField(max_length=10, choices=TenantStatus.choices, default=TenantStatus.ACTIVE)

    registration = models.CharField(max_length=10, choices=Registration.choices, default=Registration.CLOSED)
    registration_domains = ArrayField(models.CharField(max_length=253), default=list, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    locale = models.CharField(max_length=10, default="en")
    brand_name = models.CharField(max_length=60, blank=True, default="")
    brand_color = models.CharField(max_length=7, default="#2563eb")

    max_staff = models.IntegerField(default=0, verbose_name=_("staff accounts at most"))
    max_storage_mb = models.IntegerField(default=0, verbose_name=_("megabytes of attachments at most"))
    max_requests_per_minute = models.IntegerField(default=0, verbose_name=_("requests a minute at most"))

    version = models.IntegerField(default=1, editable=False)
    created_at = models.DateTimeField(editable=False)

    class Meta(ServiceWrittenModel.Meta):
        db_table = "tenants"
        indexes = [
            UniqueIndex(fields=["slug"], name="tenants_slug"),
            UniqueIndex(fields=["hosts"], name="tenants_hosts", partial={"hosts.0": {"$exists": True}}),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        return self.status == TenantStatus.ACTIVE

    @property
    def display_name(self) -> str:
        """The name that customers see."""
        return self.brand_name or self.name
