"""Passwords: what is a good one, how it is changed, and the invitation by which a new colleague chooses his."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core import signing
from django.core.exceptions import ValidationError
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.actor import Actor
from accounts.models import User
from accounts.repository import UserRepository, users_of
from accounts.roles import Action
from accounts.rules import INVITATION_DAYS
from accounts.sign_in import check_own_password
from tenants.services import record
from ticketing.errors import FieldError, InvalidInput, Message, StaleVersion
from ticketing.mongo import ObjectId, parse_object_id
from ticketing.mongo.client import transactional

LONGEST_PASSWORD = 1000

_INVITATION = "accounts.invitation"


def hash_password(password: str, user: User) -> str:
    """The password's hash, for storing. Raises InvalidInput, with every reason, for one that is too easy to guess."""
    if len(password) > LONGEST_PASSWORD:
        text = Message("must have at most {limit} characters", limit=LONGEST_PASSWORD)
        raise InvalidInput.of("password", text, "max_length")
    try:
        validate_password(password, user)
    except ValidationError as error:
        reasons = [FieldError("password", str(each.code), each.messages[0]) for each in error.error_list]
        raise InvalidInput("; ".join(f"password: {each.message}" for each in reasons), errors=reasons) from None
    return make_password(password)


def change_password(user: User, current: str, new: str, *, address: str) -> User:
    """Gives the user a new password and ends every session and token that he has; returns him as he is now.

    The caller gives the session that asked for it a new token. Wrong guesses of the current password count like
    failed sign-ins. Raises InvalidInput, LimitExceeded.
    """
    check_own_password(user, current, address)
    return _store(user, hash_password(new, user))


def create_invitation(actor: Actor, user_id: ObjectId) -> str:
    """A token with which the invited user chooses a password, by POST /auth/password or in the console.

    It works once and for INVITATION_DAYS: it is bound to the password as it is now. Raises NotFound, NotAllowed.
    """
    actor.check(Action.USERS_MANAGE)
    user = User.from_document(UserRepository(actor.tenant_id).get(user_id))
    record("user.invited", by=actor.by, tenant_id=actor.tenant_id, user=str(user_id))
    return invitation_for(user)


def invitation_for(user: User) -> str:
    """The token itself, without a check of who asks for it."""
    tenant = str(user.tenant_id) if user.tenant_id else ""
    return signing.dumps([tenant, str(user.pk), _fingerprint(user)], salt=_INVITATION, compress=False)


def describe_invitation(user: User) -> str:
    """What a command prints for whoever passes the invitation on."""
    if user.tenant_id is None:
        return (
            "The console's page /console/invitation/ takes this invitation and a password, once and within "
            f"{INVITATION_DAYS} days:\n{invitation_for(user)}"
        )
    return (
        f"POST /api/v1/auth/password takes this token and a password, once and within {INVITATION_DAYS} days:\n"
        f"{invitation_for(user)}"
    )


def accept_invitation(token: str, password: str, *, operators: bool = True) -> User:
    """Sets the password of an invited user. Raises InvalidInput for a token that is wrong, used or too old.

    ``operators`` says whether one of the platform's operators may use his here: he has nothing but the console.
    """
    user = _find_invited(token)
    if user is not None and user.tenant_id is None and not operators:
        raise InvalidInput.of("token", "operators of the platform choose their password in the console")
    if user is None or not user.is_active:
        raise InvalidInput.of("token", "this invitation is not valid any more; ask for a new one")
    return _store(user, hash_password(password, user))


def _find_invited(token: str) -> User | None:
    try:
        tenant, user_id, fingerprint = signing.loads(token, salt=_INVITATION, max_age=timedelta(days=INVITATION_DAYS))
    except signing.BadSignature:
        return None
    document = users_of(parse_object_id(tenant)).find_one({"_id": parse_object_id(user_id)})
    user = User.from_document(document) if document else None
    secrets = (None, *settings.SECRET_KEY_FALLBACKS)
    stands = user and any(constant_time_compare(fingerprint, _fingerprint(user, secret)) for secret in secrets)
    return user if stands else None


def _fingerprint(user: User, secret: str | None = None) -> str:
    value = f"{user.pk}:{user.token_epoch}:{user.password}"
    return salted_hmac(_INVITATION, value, secret=secret, algorithm="sha256").hexdigest()[:32]


@transactional
def _store(user: User, password: str) -> User:
    """Only while the password is still the one that was checked, so that an invitation cannot work twice."""
    where = {"_id": user.pk, "password": user.password, "is_active": True}
    operators = {"$inc": {"token_epoch": 1, "version": 1}}
    stored = users_of(user.tenant_id).update_where(where, {"password": password}, operators=operators)
    if stored is None:
        raise StaleVersion("The password was changed meanwhile")
    record("user.password_changed", by=user.email, tenant_id=user.tenant_id, user=str(user.pk))
    return User.from_document(stored)
