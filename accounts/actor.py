"""Who acts: every service takes an Actor, whether the call comes from the API, the console, a command or a job."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from accounts.roles import PERMISSIONS, STAFF_ROLES, Action, Role, can_by_scopes
from ticketing.errors import Message, NotAllowed
from ticketing.mongo import ObjectId

if TYPE_CHECKING:
    from accounts.models import User
    from tenants.models import Tenant


class Via(StrEnum):
    """The way a change came in; events keep it."""

    API = "api"
    CONSOLE = "console"
    EMAIL = "email"
    IMPORT = "import"
    COMMAND = "command"
    JOB = "job"


@dataclass(frozen=True, slots=True)
class Actor:
    """A user of a tenant with the role he has now, or, with ``user`` None, the platform itself acting for the tenant.

    ``scopes`` is None except for an API key, which can do what both its owner's role and its scopes allow.
    """

    user: "User | None"
    tenant: "Tenant"
    role: Role
    via: Via
    scopes: frozenset[str] | None = None
    key_id: ObjectId | None = None
    key_name: str = ""

    @classmethod
    def system(cls, tenant: "Tenant", via: Via) -> "Actor":
        """The platform acting for a tenant: importers, jobs, commands."""
        return cls(None, tenant, Role.ADMIN, via)

    @property
    def tenant_id(self) -> ObjectId:
        tenant_id: ObjectId = self.tenant.pk
        return tenant_id

    @property
    def user_id(self) -> ObjectId | None:
        return None if self.user is None else self.user.pk

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF_ROLES

    @property
    def by(self) -> str:
        """Who the audit log names."""
        if self.user is None:
            return f"the platform ({self.via})"
        return f"{self.user.email} with the key {self.key_name}" if self.scopes is not None else self.user.email

    def can(self, action: Action) -> bool:
        """Whether the role table, and a key's scopes, allow the action."""
        if action not in PERMISSIONS[self.role]:
            return False
        return self.scopes is None or can_by_scopes(self.scopes, action)

    def check(self, action: Action) -> None:
        """Raises NotAllowed, naming the action, unless the actor can do it."""
        if not self.can(action):
            needed = Message("This needs the permission {action}", action=action.value)
            raise NotAllowed(needed, data={"action": action.value})
