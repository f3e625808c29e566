"""Signed-in sessions of the API: short access tokens, and a family of refresh tokens of which one is good at a time.

Tokens only say who somebody claims to be. Whether the account, its tenant and the sign-in still stand is read anew for
every request, so a change acts at once.
"""

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Self, cast

from django.conf import settings
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken as BaseAccessToken
from rest_framework_simplejwt.tokens import RefreshToken as BaseRefreshToken
from rest_framework_simplejwt.tokens import Token

from accounts.actor import Actor, Via
from accounts.models import User
from accounts.repository import AccountDocuments, TokenFamilyRepository, UserRepository, users_of
from accounts.roles import Role
from accounts.signatures import RotatingBackend
from tenants.models import Tenant
from tenants.services import record
from ticketing.clock import now
from ticketing.errors import NotAuthenticated
from ticketing.mongo import ObjectId, parse_object_id
from ticketing.mongo.client import transactional

logger = logging.getLogger("ticketing.accounts")


SIGNATURE = RotatingBackend(str(settings.SIMPLE_JWT["SIGNING_KEY"]), settings.JWT_FALLBACK_KEYS)


class AccessToken(BaseAccessToken):
    """Good for minutes; says who, of which tenant, in which role when it was made, and of which sign-in (``sid``)."""

    _token_backend = SIGNATURE


class RefreshToken(BaseRefreshToken):
    """Good once, for a new pair."""

    _token_backend = SIGNATURE


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a client gets; the times are those at which the tokens stop."""

    access: str
    refresh: str
    access_expires_at: datetime
    refresh_expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Claims:
    user_id: ObjectId
    tenant_id: ObjectId
    session_id: ObjectId
    epoch: int
    jti: str
    expires_at: int

    @classmethod
    def of(cls, token_class: type[Token], raw: str) -> Self:
        """What a token of ours says. Raises NotAuthenticated for any other, and for one that has expired."""
        try:
            token = token_class(cast(Token, raw))  # its annotation leaves out the encoded form
        except (TokenError, OverflowError):  # the latter: a time that no clock has
            raise _refused() from None
        user_id, tenant_id, session_id = (parse_object_id(token.get(claim)) for claim in ("sub", "tenant", "sid"))
        epoch = token.get("epoch")
        if user_id is None or tenant_id is None or session_id is None or not isinstance(epoch, int):
            raise _refused()
        return cls(user_id, tenant_id, session_id, epoch, str(token["jti"]), int(token["exp"]))


@dataclass(frozen=True, slots=True)
class Account:
    """A user and his tenant as they are now, both active.

    ``host_owner_id`` is the tenant whose own host name the one that was asked about is; None: nobody's.
    """

    user: User
    tenant: Tenant
    host_owner_id: ObjectId | None = None

    def actor(self, via: Via, **key: Any) -> Actor:
        """The user acting in the role that he has now."""
        return Actor(self.user, self.tenant, Role(self.user.role), via, **key)


def find_account(tenant_id: ObjectId, user_id: ObjectId, host: str = "") -> Account | None:
    """The account, unless it or its tenant is not active, or either does not exist."""
    return _account(UserRepository(tenant_id).find_active_account(user_id, host))


def open_session(user: User) -> Tokens:
    """The first tokens of a new sign-in. The caller has made sure that it is him."""
    session_id = ObjectId()
    refresh = _token(RefreshToken, user, session_id)
    TokenFamilyRepository(user.tenant_id).insert(
        {
            "_id": session_id,
            "user_id": user.pk,
            "current_jti": refresh["jti"],
            "revoked_at": None,
            "created_at": now(),
            "expires_at": _expiry(refresh),
        }
    )
    return _tokens(user, session_id, refresh)


def refresh_session(raw: str) -> tuple[Account, Tokens]:
    """New tokens for a good refresh token, which is used up by that.

    One that was used before is in two hands: the whole sign-in is revoked, as RFC 9700, section 4.14.2, asks. Raises
    NotAuthenticated.
    """
    claims = _Claims.of(RefreshToken, raw)
    account = _get_account(claims)
    refresh = _token(RefreshToken, account.user, claims.session_id)
    families = TokenFamilyRepository(claims.tenant_id)
    if families.rotate(claims.session_id, claims.jti, refresh["jti"], _expiry(refresh)) is None:
        families.revoke(claims.session_id, now())
        logger.warning("a refresh token was used twice; the sign-in %s is revoked", claims.session_id)
        raise _refused()
    return account, _tokens(account.user, claims.session_id, refresh)


def end_session(raw: str) -> None:
    """Revokes the sign-in that a refresh token belongs to, its access tokens included. Raises NotAuthenticated."""
    claims = _Claims.of(RefreshToken, raw)
    TokenFamilyRepository(claims.tenant_id).revoke(claims.session_id, now())


@transactional
def end_all_sessions(user: User, *, by: str) -> None:
    """Ends every token and browser session of the user; ``by`` is who the audit log names."""
    users_of(user.tenant_id).end_tokens(user.pk)
    record("user.signed_out", by=by, tenant_id=user.tenant_id, user=str(user.pk))


def get_account_of_token(raw: str, host: str = "") -> Account:
    """The live account behind an access token. Raises NotAuthenticated when it does not stand any more."""
    claims = _claims_of_access_token(raw)
    if claims.expires_at <= time.time():
        raise _refused()
    return _get_account(claims, host)


@lru_cache(maxsize=1024)
def _claims_of_access_token(raw: str) -> _Claims:
    """A client sends one token for minutes: its signature says the same each time, and only its time passes."""
    return _Claims.of(AccessToken, raw)


def _get_account(claims: _Claims, host: str = "") -> Account:
    users = UserRepository(claims.tenant_id)
    account = _account(users.find_signed_in_account(claims.user_id, claims.session_id, claims.epoch, host))
    if account is None:
        raise _refused()
    return account


def _account(found: AccountDocuments | None) -> Account | None:
    if found is None:
        return None
    return Account(User.from_document(found.user), Tenant.from_document(found.tenant), found.host_owner_id)


def _token(token_class: type[Token], user: User, session_id: ObjectId) -> Token:
    token = token_class()
    token["sub"], token["tenant"], token["role"] = str(user.pk), str(user.tenant_id), user.role
    token["sid"], token["epoch"] = str(session_id), user.token_epoch
    return token


def _tokens(user: User, session_id: ObjectId, refresh: Token) -> Tokens:
    access = _token(AccessToken, user, session_id)
    return Tokens(str(access), str(refresh), _expiry(access), _expiry(refresh))


def _expiry(token: Token) -> datetime:
    return datetime.fromtimestamp(token["exp"], UTC)


def _refused() -> NotAuthenticated:
    """The same whatever is wrong: whoever tries a token that he has found or forged learns nothing from it."""
    return NotAuthenticated("The token is not valid, or not any more")
