"""What the accounts' resources take and give."""

from typing import Any

from rest_framework import serializers

from accounts.models import ApiKey, Team, User
from accounts.passwords import LONGEST_PASSWORD
from accounts.roles import KEY_SCOPES, TENANT_ROLES, Role
from accounts.sessions import Tokens
from ticketing.api.serializers import LineField, ObjectIdField, StrictSerializer, UTCDateTimeField

_ROLES = [role.value for role in TENANT_ROLES]
_USER_EXAMPLE = {
    "id": "65f0c0ffee65f0c0ffee65f0",
    "email": "ada@acme.example",
    "name": "Ada",
    "role": "admin",
    "is_active": True,
    "team_ids": [],
    "created_at": "2026-02-01T09:30:00.000Z",
    "last_login_at": "2026-02-02T08:00:00.000Z",
    "version": 3,
}


class PasswordField(serializers.CharField):
    """A password: taken as it is, never given out."""

    def __init__(self, **kwargs: Any) -> None:
        style = {"input_type": "password"}
        super().__init__(trim_whitespace=False, max_length=LONGEST_PASSWORD, write_only=True, style=style, **kwargs)


class IdsField(serializers.ListField):
    child = ObjectIdField()


# --- Answers ----------------------------------------------------------------------------------------------------------
class UserOutput(StrictSerializer):
    example = _USER_EXAMPLE

    id = ObjectIdField()
    email = serializers.EmailField()
    name = serializers.CharField()
    role = serializers.ChoiceField(_ROLES)
    is_active = serializers.BooleanField()
    team_ids = IdsField()
    created_at = UTCDateTimeField()
    last_login_at = UTCDateTimeField(allow_null=True)
    version = serializers.IntegerField()


class ProfileOutput(UserOutput):
    """``language`` and ``time_zone`` are empty where those of the tenant are used."""

    example = {**_USER_EXAMPLE, "language": "de", "time_zone": "Europe/Berlin"}

    language = serializers.CharField()
    time_zone = serializers.CharField()


class InvitedUserOutput(UserOutput):
    """``invitation`` is a token with which the person chooses a password; null when one was given."""

    example = {**_USER_EXAMPLE, "last_login_at": None, "invitation": "WyI2NWYwYzBmZmVlNj…"}

    invitation = serializers.CharField(allow_null=True)


class InvitationOutput(StrictSerializer):
    example = {"invitation": "WyI2NWYwYzBmZmVlNj…"}

    invitation = serializers.CharField()


class TokensOutput(StrictSerializer):
    example = {
        "access": "eyJhbGciOiJIUzI1NiIs…",
        "refresh": "eyJhbGciOiJIUzI1NiIs…",
        "token_type": "Bearer",
        "access_expires_at": "2026-02-01T09:40:00.000Z",
        "refresh_expires_at": "2026-02-15T09:30:00.000Z",
        "user": _USER_EXAMPLE,
    }

    access = serializers.CharField()
    refresh = serializers.CharField()
    token_type = serializers.CharField()
    access_expires_at = UTCDateTimeField()
    refresh_expires_at = UTCDateTimeField()
    user = UserOutput()


class TeamOutput(StrictSerializer):
    example = {
        "id": "65f0c0ffee65f0c0ffee65f1",
        "name": "Hardware",
        "is_active": True,
        "created_at": "2026-02-01T09:30:00.000Z",
        "version": 1,
    }

    id = ObjectIdField()
    name = serializers.CharField()
    is_active = serializers.BooleanField()
    created_at = UTCDateTimeField()
    version = serializers.IntegerField()


_KEY_EXAMPLE = {
    "id": "65f0c0ffee65f0c0ffee65f2",
    "name": "Monitoring",
    "prefix": "Xb3kQ9",
    "scopes": ["tickets:write", "comments:write"],
    "owner_id": "65f0c0ffee65f0c0ffee65f0",
    "created_at": "2026-02-01T09:30:00.000Z",
    "expires_at": None,
    "last_used_at": None,
    "revoked_at": None,
}


class ApiKeyOutput(StrictSerializer):
    """``prefix`` is how the secret begins, to recognise it by."""

    example = _KEY_EXAMPLE

    id = ObjectIdField()
    name = serializers.CharField()
    prefix = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(KEY_SCOPES))
    owner_id = ObjectIdField()
    created_at = UTCDateTimeField()
    expires_at = UTCDateTimeField(allow_null=True)
    last_used_at = UTCDateTimeField(allow_null=True)
    revoked_at = UTCDateTimeField(allow_null=True)


class NewApiKeyOutput(ApiKeyOutput):
    """``key`` is shown this once."""

    example = {**_KEY_EXAMPLE, "key": "tk_acme_Xb3kQ9…"}

    key = serializers.CharField()


# --- Bodies -----------------------------------------------------------------------------------------------------------
class LoginInput(StrictSerializer):
    """``tenant`` is the tenant's short name; it may be left out on the tenant's host name or with X-Tenant."""

    example = {"tenant": "acme", "email": "ada@acme.example", "password": "correct horse battery staple"}

    tenant = LineField(max_length=40, required=False, allow_blank=True, default="")
    email = LineField(max_length=254)
    password = PasswordField()


class RegisterInput(StrictSerializer):
    example = {"tenant": "acme", "email": "carla@mail.example", "name": "Carla", "password": "battery staple horse"}

    tenant = LineField(max_length=40, required=False, allow_blank=True, default="")
    email = serializers.EmailField(max_length=254)
    name = LineField(max_length=120)
    password = PasswordField()


class RefreshInput(StrictSerializer):
    example = {"refresh": "eyJhbGciOiJIUzI1NiIs…"}

    refresh = serializers.CharField(max_length=4096)


class PasswordInput(StrictSerializer):
    """Either ``current_password``, when signed in, or the ``token`` of an invitation."""

    example = {"current_password": "correct horse battery staple", "password": "staple battery horse correct"}

    current_password = PasswordField(required=False)
    token = serializers.CharField(max_length=1024, required=False, write_only=True)
    password = PasswordField()


class ProfileInput(StrictSerializer):
    """``language`` is one of the platform's, ``time_zone`` an IANA name; empty, they are the tenant's."""

    example = {"name": "Ada L.", "language": "de", "time_zone": "Europe/Berlin"}

    name = LineField(max_length=120)
    language = LineField(max_length=10, allow_blank=True)
    time_zone = LineField(max_length=64, allow_blank=True)


class UserInput(StrictSerializer):
    """An account as an admin replaces or changes it."""

    example = {"email": "ada@acme.example", "name": "Ada", "role": "admin", "is_active": True, "team_ids": []}

    email = serializers.EmailField(max_length=254)
    name = LineField(max_length=120)
    role = serializers.ChoiceField(_ROLES)
    is_active = serializers.BooleanField()
    team_ids = IdsField()


class NewUserInput(StrictSerializer):
    """Without a password the answer holds an invitation to pass on."""

    example = {"email": "amir@acme.example", "name": "Amir", "role": "agent"}

    email = serializers.EmailField(max_length=254)
    name = LineField(max_length=120)
    role = serializers.ChoiceField(_ROLES, default=Role.USER.value)
    team_ids = IdsField(default=list)
    password = PasswordField(required=False)


class NewTeamInput(StrictSerializer):
    example = {"name": "Hardware"}

    name = LineField(max_length=80)


class TeamInput(StrictSerializer):
    example = {"name": "Hardware", "is_active": True}

    name = LineField(max_length=80)
    is_active = serializers.BooleanField()


class NewApiKeyInput(StrictSerializer):
    """``owner_id`` is the member of staff that the key acts for; left out, it is whoever creates it."""

    example = {"name": "Monitoring", "scopes": ["tickets:write", "comments:write"]}

    name = LineField(max_length=80)
    scopes = serializers.ListField(child=serializers.ChoiceField(KEY_SCOPES), allow_empty=False)
    expires_at = UTCDateTimeField(required=False, allow_null=True, default=None)
    owner_id = ObjectIdField(required=False, allow_null=True, default=None)


# --- From stored to shown ---------------------------------------------------------------------------------------------
def show_user(user: User) -> dict[str, Any]:
    """A user as every answer shows him."""
    return {
        "id": user.pk,
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "is_active": user.is_active,
        "team_ids": user.team_ids,
        "created_at": user.created_at,
        "last_login_at": user.last_login_at,
        "version": user.version,
    }


def show_profile(user: User) -> dict[str, Any]:
    """A user as he sees himself."""
    return {**show_user(user), "language": user.language, "time_zone": user.time_zone}


def show_tokens(tokens: Tokens, user: User) -> dict[str, Any]:
    return {
        "access": tokens.access,
        "refresh": tokens.refresh,
        "token_type": "Bearer",
        "access_expires_at": tokens.access_expires_at,
        "refresh_expires_at": tokens.refresh_expires_at,
        "user": show_user(user),
    }


def show_team(team: Team) -> dict[str, Any]:
    return {
        "id": team.pk,
        "name": team.name,
        "is_active": team.is_active,
        "created_at": team.created_at,
        "version": team.version,
    }


def show_api_key(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.pk,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": key.scopes,
        "owner_id": key.owner_id,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
    }
