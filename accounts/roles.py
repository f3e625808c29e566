"""What each role may do: one table, used by API, console and docs; and what an API key's scopes allow of it."""

from enum import StrEnum


class Role(StrEnum):
    """USER is a customer, AGENT and ADMIN are a tenant's staff, OPERATOR runs the platform and has no tenant."""

    USER = "user"
    AGENT = "agent"
    ADMIN = "admin"
    OPERATOR = "operator"


TENANT_ROLES = (Role.USER, Role.AGENT, Role.ADMIN)
STAFF_ROLES = (Role.AGENT, Role.ADMIN)


class Action(StrEnum):
    """What can be done. The part before the dot is the resource that API key scopes speak of."""

    TICKETS_READ_OWN = "tickets.read_own"
    TICKETS_READ_ALL = "tickets.read_all"
    TICKETS_CREATE = "tickets.create"
    TICKETS_CREATE_FOR_OTHERS = "tickets.create_for_others"
    TICKETS_EDIT_OWN = "tickets.edit_own"
    TICKETS_EDIT_ALL = "tickets.edit_all"
    TICKETS_ASSIGN = "tickets.assign"
    TICKETS_FOLLOW = "tickets.follow"
    TICKETS_READ_EVENTS = "tickets.read_events"
    TICKETS_READ_STATS = "tickets.read_stats"
    COMMENTS_READ_PUBLIC = "comments.read_public"
    COMMENTS_READ_INTERNAL = "comments.read_internal"
    COMMENTS_ADD_PUBLIC = "comments.add_public"
    COMMENTS_ADD_INTERNAL = "comments.add_internal"
    COMMENTS_EDIT_OWN = "comments.edit_own"
    ATTACHMENTS_READ = "attachments.read"
    ATTACHMENTS_ADD = "attachments.add"
    PROFILE_READ = "profile.read"
    PROFILE_EDIT = "profile.edit"
    USERS_READ = "users.read"
    USERS_MANAGE = "users.manage"
    TEAMS_READ = "teams.read"
    TEAMS_MANAGE = "teams.manage"
    API_KEYS_MANAGE = "api_keys.manage"
    SETTINGS_MANAGE = "settings.manage"
    PRIVACY_MANAGE = "privacy.manage"
    EXPORTS_MANAGE = "exports.manage"
    AUDIT_READ = "audit.read"
    CONSOLE_ENTER = "console.enter"
    TENANTS_MANAGE = "tenants.manage"
    TENANTS_ENTER = "tenants.enter"

    @property
    def resource(self) -> str:
        return self.value.split(".")[0]


_CUSTOMER = frozenset(
    {
        Action.TICKETS_READ_OWN,
        Action.TICKETS_CREATE,
        Action.TICKETS_EDIT_OWN,
        Action.COMMENTS_READ_PUBLIC,
        Action.COMMENTS_ADD_PUBLIC,
        Action.COMMENTS_EDIT_OWN,
        Action.ATTACHMENTS_READ,
        Action.ATTACHMENTS_ADD,
        Action.PROFILE_READ,
        Action.PROFILE_EDIT,
    }
)
_AGENT = _CUSTOMER | {
    Action.TICKETS_READ_ALL,
    Action.TICKETS_CREATE_FOR_OTHERS,
    Action.TICKETS_EDIT_ALL,
    Action.TICKETS_ASSIGN,
    Action.TICKETS_FOLLOW,
    Action.TICKETS_READ_EVENTS,
    Action.TICKETS_READ_STATS,
    Action.COMMENTS_READ_INTERNAL,
    Action.COMMENTS_ADD_INTERNAL,
    Action.TEAMS_READ,
    Action.CONSOLE_ENTER,
}
_ADMIN = _AGENT | {
    Action.USERS_READ,
    Action.USERS_MANAGE,
    Action.TEAMS_MANAGE,
    Action.API_KEYS_MANAGE,
    Action.SETTINGS_MANAGE,
    Action.PRIVACY_MANAGE,
    Action.EXPORTS_MANAGE,
    Action.AUDIT_READ,
}
_OPERATOR = frozenset(
    {
        Action.PROFILE_READ,
        Action.PROFILE_EDIT,
        Action.CONSOLE_ENTER,
        Action.TENANTS_MANAGE,
        Action.TENANTS_ENTER,
    }
)

PERMISSIONS: dict[Role, frozenset[Action]] = {
    Role.USER: _CUSTOMER,
    Role.AGENT: _AGENT,
    Role.ADMIN: _ADMIN,
    Role.OPERATOR: _OPERATOR,
}


class ScopeLevel(StrEnum):
    """What a key may do with a resource; each level includes the ones before it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


_LEVELS = list(ScopeLevel)
_READS = frozenset(action for action in Action if action.value.split(".")[1].startswith("read"))
_ADMINISTERS = frozenset(action for action in Action if action.value.endswith(".manage"))
# Keys can never sign in anywhere, enter the console or touch tenants.
KEY_RESOURCES = (
    "tickets",
    "comments",
    "attachments",
    "profile",
    "users",
    "teams",
    "api_keys",
    "settings",
    "privacy",
    "exports",
)
KEY_SCOPES = tuple(f"{resource}:{level}" for resource in KEY_RESOURCES for level in ScopeLevel)


def level_of(action: Action) -> ScopeLevel:
    """The scope level that an action needs."""
    if action in _READS:
        return ScopeLevel.READ
    return ScopeLevel.ADMIN if action in _ADMINISTERS else ScopeLevel.WRITE


def can_by_scopes(scopes: frozenset[str], action: Action) -> bool:
    """Whether a key with these scopes (``resource:level``) reaches the action; the owner's role limits it further."""
    if action.resource not in KEY_RESOURCES:
        return False
    enough = _LEVELS[_LEVELS.index(level_of(action)) :]
    return any(f"{action.resource}:{level}" in scopes for level in enough)
