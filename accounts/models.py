"""People and keys: users, their teams, API keys, and what sign-in keeps."""

import unicodedata
from typing import Self

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import check_password
from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from django_mongodb_backend.fields import ArrayField, ObjectIdField

from accounts.roles import PERMISSIONS, STAFF_ROLES, Action, Role
from ticketing.mongo import ObjectId
from ticketing.mongo.indexes import TTLIndex, UniqueIndex
from ticketing.mongo.models import ServiceWrittenModel, TenantModel
from ticketing.mongo.repository import Document


def email_key(email: str) -> str:
    """The form in which addresses are compared: compatibility-normalised and case-folded (UAX #31, NFKC)."""
    return unicodedata.normalize("NFKC", email).strip().casefold()


class User(TenantModel, AbstractBaseUser):
    """A person in one tenant, or, without a tenant, a platform operator. Never deleted, only deactivated or erased.

    ``token_epoch`` is written into every access token; raising it ends them all at once. ``former_emails`` are those
    by which the audit log still names him. ``language`` and ``time_zone`` are empty for those of the tenant.
    """

    ROLES = [
        (Role.USER.value, _("Customer")),
        (Role.AGENT.value, _("Agent")),
        (Role.ADMIN.value, _("Admin")),
        (Role.OPERATOR.value, _("Operator")),
    ]

    tenant_id = ObjectIdField(editable=False, null=True)
    email = models.EmailField(max_length=254)
    email_key = models.CharField(max_length=254, editable=False)
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=10, choices=ROLES, default=Role.USER.value)
    team_ids = ArrayField(ObjectIdField(), default=list, blank=True)
    is_active = models.BooleanField(default=True)
    last_login = None
    last_login_at = models.DateTimeField(null=True, editable=False)
    token_epoch = models.IntegerField(default=0, editable=False)
    version = models.IntegerField(default=1, editable=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)
    external_id = models.CharField(max_length=120, null=True, editable=False)
    former_emails = ArrayField(models.EmailField(max_length=254), default=list, editable=False)
    erased_at = models.DateTimeField(null=True, editable=False)
    language = models.CharField(max_length=10, blank=True, default="")
    time_zone = models.CharField(max_length=64, blank=True, default="")

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta(TenantModel.Meta):
        db_table = "users"
        indexes = [
            UniqueIndex(fields=["tenant_id", "email_key"], name="users_email"),
            models.Index(fields=["tenant_id", "-created_at", "-id"], name="users_created"),
            models.Index(fields=["tenant_id", "role", "-created_at", "-id"], name="users_role"),
            models.Index(fields=["tenant_id", "is_active", "-created_at", "-id"], name="users_active"),
            models.Index(fields=["tenant_id", "team_ids", "-created_at", "-id"], name="users_teams"),
            models.Index(fields=["tenant_id", "name", "id"], name="users_name"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @classmethod
    def from_document(cls, document: Document) -> Self:
        """Accounts that were stored before people could choose have chosen neither language nor time zone."""
        return super().from_document({"language": "", "time_zone": "", **document})

    def get_full_name(self) -> str:
        """Django's name for: the name."""
        return self.name

    @property
    def is_staff(self) -> bool:
        """Django's name for: may enter the console."""
        return self.can(Action.CONSOLE_ENTER)

    @property
    def is_superuser(self) -> bool:
        return False

    def can(self, action: Action) -> bool:
        """Whether the role table allows the action to this account."""
        return self.is_active and action in PERMISSIONS[Role(self.role)]

    @property
    def is_agent(self) -> bool:
        return self.is_active and self.role in STAFF_ROLES

    def check_password(self, raw_password: str) -> bool:  # type: ignore[override]
        """Whether this is the password. Never writes; sign-in upgrades an old hash through its service."""
        return check_password(raw_password, self.password)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session is compared with: one raise of ``token_epoch`` ends tokens and sessions alike.

        Django's own method, of which it asks the hashes with present and former secret keys.
        """
        value = f"{self.pk}:{self.token_epoch}"
        return salted_hmac("accounts.session", value, secret=secret, algorithm="sha256").hexdigest()

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Django's permission strings are not used: ModelAdmins ask the role table."""
        return False

    def has_module_perms(self, app_label: str) -> bool:
        return False


class Team(TenantModel):
    """A group of staff that tickets can be given to; users name their teams."""

    name = models.CharField(max_length=80)
    is_active = models.BooleanField(default=True)
    version = models.IntegerField(default=1, editable=False)
    created_at = models.DateTimeField(editable=False)

    class Meta(TenantModel.Meta):
        db_table = "teams"
        indexes = [UniqueIndex(fields=["tenant_id", "name"], name="teams_name")]

    def __str__(self) -> str:
        return self.name


class ApiKey(TenantModel):
    """A secret for an integration. It acts for its owner, within its scopes; only a SHA-256 of the secret is kept."""

    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=16, editable=False)
    secret_hash = models.CharField(max_length=64, editable=False)
    scopes = ArrayField(models.CharField(max_length=40), default=list)
    owner_id: ObjectId
    owner = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False, related_name="+")
    created_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta(TenantModel.Meta):
        db_table = "api_keys"
        indexes = [
            UniqueIndex(fields=["tenant_id", "secret_hash"], name="api_keys_secret"),
            models.Index(fields=["tenant_id", "-created_at", "-id"], name="api_keys_created"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class TokenFamily(TenantModel):
    """One sign-in: the refresh tokens that followed from it. Only ``current_jti`` is good; an older one is reuse."""

    tenant_id = ObjectIdField(editable=False, null=True)
    user_id = ObjectIdField()
    current_jti = models.CharField(max_length=64)
    revoked_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        db_table = "token_families"
        indexes = [
            models.Index(fields=["tenant_id", "user_id"], name="token_families_user"),
            TTLIndex("expires_at", name="token_families_ttl"),
        ]


class SignInAttempts(ServiceWrittenModel):
    """Failures of one account or address within the lock-out period, and, without failures, that an address has signed
    in to an account lately; the key is a keyed hash, never the address."""

    id = models.CharField(primary_key=True, max_length=80, db_column="_id")
    failures = models.IntegerField(default=0)
    expires_at = models.DateTimeField()

    class Meta(ServiceWrittenModel.Meta):
        db_table = "sign_in_attempts"
        indexes = [TTLIndex("expires_at", name="sign_in_attempts_ttl")]
