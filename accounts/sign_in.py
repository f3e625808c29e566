"""Sign-in with e-mail and password: one function for API, console and browsable API, and the lock-out it shares.

An outsider must not learn which accounts exist. So every refusal is the same error after the same work: two attempts
counted, two look-ups, one password hashed, whether tenant and account exist or not, are active or not.

Nor must he lock somebody else out for ever by guessing again whenever a lock ends. So an address from which somebody
has signed in lately has a count of its own for that account, which strangers' failures do not reach (as the device
cookies of OWASP's "Slow Down Online Guessing Attacks with Device Cookies" do, for programs as well as browsers).
"""

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX, make_password, verify_password
from django.utils.crypto import salted_hmac

from accounts.models import User, email_key
from accounts.repository import SignInAttemptRepository, UserRepository, users_of
from tenants.models import Tenant
from ticketing.addresses import limited_as
from ticketing.clock import now
from ticketing.errors import InvalidInput, LimitExceeded, Message, NotAuthenticated
from ticketing.mongo import ObjectId

KNOWN_ADDRESS_DAYS = 30


def sign_in(tenant: Tenant | None, email: str, password: str, address: str) -> User:
    """The user with this password. ``tenant`` is None where the request named none, or one that does not exist.

    Raises NotAuthenticated for whatever is wrong, LimitExceeded with Retry-After after too many failures.
    """
    users = UserRepository(ObjectId() if tenant is None else tenant.pk)
    return _sign_in(users, tenant is not None and tenant.is_active, _realm(tenant), email, password, address)


def sign_in_operator(email: str, password: str, address: str) -> User:
    """The platform operator with this password; for the console only. Raises as ``sign_in``."""
    return _sign_in(users_of(None), True, "operators", email, password, address)


def check_own_password(user: User, password: str, address: str) -> None:
    """Somebody signed in proves that he knows his password. Raises InvalidInput, LimitExceeded."""
    attempt = _Attempt("operators" if user.tenant_id is None else str(user.tenant_id), user.email, address)
    attempt.count()
    if not user.check_password(password):
        raise InvalidInput.of("current_password", "is not your password")
    attempt.succeeded()


def forget_failures(tenant_id: ObjectId, emails: Iterable[str]) -> None:
    """Forgets these accounts' failures, and from where they were signed in to."""
    for email in emails:
        SignInAttemptRepository().forget_account(_account_key(str(tenant_id), email))


def _sign_in(users: UserRepository, open_: bool, realm: str, email: str, password: str, address: str) -> User:
    attempt = _Attempt(realm, email, address)
    attempt.count()
    found = users.find_by_email(email)
    # A password that cannot be used makes Django hash a random one, so that the time is the same.
    encoded = found["password"] if found else UNUSABLE_PASSWORD_PREFIX
    correct, outdated = verify_password(password, encoded)
    if not (found and correct and open_ and found["is_active"]):
        raise _refused()
    stored = users.note_sign_in(found, make_password(password) if outdated else encoded, now())
    if stored is None:
        raise _refused()
    attempt.succeeded()
    return User.from_document(stored)


class _Attempt:
    """One attempt, counted before the password is looked at, so that parallel guesses cannot exceed the limit."""

    def __init__(self, realm: str, email: str, address: str) -> None:
        address = limited_as(address)
        self._account = _account_key(realm, email)
        self._address = _key("address", address)
        # These begin with the account's, by which they are forgotten with the account.
        self._known = f"{self._account}:known:{_digest(address)}"
        self._at_known = f"{self._account}:{_digest(address)}"
        self._attempts = SignInAttemptRepository()

    def count(self) -> None:
        """Raises LimitExceeded while the address or the account is locked."""
        at = now()
        if self._attempts.is_kept(self._known, at):
            self._account = self._at_known
        limits = (
            (self._address, settings.SIGN_IN_FAILURES_PER_ADDRESS),
            (self._account, settings.SIGN_IN_FAILURES_PER_ACCOUNT),
        )
        until = at + timedelta(minutes=settings.SIGN_IN_LOCKOUT_MINUTES)
        for key, limit in limits:
            locked_until = self._attempts.count_up(key, at, until, limit)
            if locked_until is not None:
                raise _locked(locked_until - at)

    def succeeded(self) -> None:
        """Forgets the account's failures, but of the address's only this one: a good account must not hide guessing."""
        self._attempts.forget(self._account)
        self._attempts.take_back(self._address)
        self._attempts.keep(self._known, now() + timedelta(days=KNOWN_ADDRESS_DAYS))


def _realm(tenant: Tenant | None) -> str:
    return "nowhere" if tenant is None else str(tenant.pk)


def _account_key(realm: str, email: str) -> str:
    return _key("account", f"{realm}/{email_key(email)}")


def _key(kind: str, value: str) -> str:
    return f"{kind}:{_digest(value)}"


def _digest(value: str) -> str:
    return salted_hmac("accounts.sign_in", value, algorithm="sha256").hexdigest()[:32]


def _refused() -> NotAuthenticated:
    return NotAuthenticated("E-mail, password or tenant is wrong, or the account is not active")


def _locked(remaining: timedelta) -> LimitExceeded:
    seconds = max(1, round(remaining.total_seconds()))
    minutes = -(-seconds // 60)
    text = Message("Too many failed sign-ins. Try again in {minutes} minutes", minutes=minutes)
    return LimitExceeded(text, headers={"Retry-After": str(seconds)})
