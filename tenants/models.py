"""The tenant: a company that shares the deployment with others and never sees them."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_mongodb_backend.fields import ArrayField, ObjectIdField

from tenants.rules import is_color, under_white_text
from tenants.usage.models import TenantUsage
from ticketing.mongo.indexes import UniqueIndex
from ticketing.mongo.models import ServiceWrittenModel

__all__ = ["AuditEntry", "Registration", "Tenant", "TenantStatus", "TenantUsage"]


class TenantStatus(models.TextChoices):
    ACTIVE = "active", _("Active")
    SUSPENDED = "suspended", _("Suspended")


class Registration(models.TextChoices):
    """Who may open a customer account by himself."""

    OPEN = "open", _("Anyone")
    DOMAINS = "domains", _("Addresses of the listed e-mail domains")
    CLOSED = "closed", _("Nobody: accounts are created by staff")


class Tenant(ServiceWrittenModel):
    """Suspended: sign-in is refused and tokens stop; all data is kept. A quota of 0 means no limit, and data with a
    retention of 0 days is kept for ever.

    ``staff_changes`` is what transactions that count staff collide on, ``hold_changes`` those that place legal holds or
    remove what one might be on; ``storage_bytes`` is what attachments take.
    """

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

    retention_ticket_days = models.IntegerField(default=0, verbose_name=_("days that closed tickets keep their text"))
    retention_user_days = models.IntegerField(default=0, verbose_name=_("days that deactivated accounts are kept"))

    staff_changes = models.IntegerField(default=0, editable=False)
    hold_changes = models.IntegerField(default=0, editable=False)
    storage_bytes = models.BigIntegerField(default=0, editable=False)
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

    @property
    def readable_color(self) -> str:
        """The brand's colour as it can stand under white text and as text on white; empty if what is stored is none."""
        return under_white_text(self.brand_color) if is_color(self.brand_color) else ""


class AuditEntry(ServiceWrittenModel):
    """Something about tenants and accounts that must stay attributable: who did what, and when.

    Only ever added to, except that an erased person's address becomes his pseudonym.

    ``by`` is the e-mail address of a person or the name of a command; ``tenant_id`` is None for the platform itself.
    ``details`` name what it is about (``user``, ``team``, ``key``, … by id) and, in ``changes``, the old and the new
    value of each field; never a secret.
    """

    tenant_id = ObjectIdField(null=True, editable=False)
    action = models.CharField(max_length=60)
    by = models.CharField(max_length=254)
    details = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta(ServiceWrittenModel.Meta):
        db_table = "audit_log"
        verbose_name_plural = _("audit entries")
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_log_at"),
            models.Index(fields=["tenant_id", "-at", "-id"], name="audit_log_tenant"),
            models.Index(fields=["tenant_id", "by", "-at", "-id"], name="audit_log_by"),
            models.Index(fields=["tenant_id", "action", "-at", "-id"], name="audit_log_kind"),
            models.Index(fields=["action", "-at", "-id"], name="audit_log_action"),
        ]

    def __str__(self) -> str:
        return f"{self.action} by {self.by}"
