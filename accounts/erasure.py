"""Taking out of accounts and audit log what tells who a person is. What he did stays, under a pseudonym."""

from collections.abc import Sequence

from django.contrib.auth.hashers import make_password

from accounts.models import email_key
from accounts.repository import ApiKeyRepository, TokenFamilyRepository, UserRepository
from accounts.services import check_staff
from accounts.sign_in import forget_failures
from tenants.repository import AuditRepository
from ticketing.clock import now
from ticketing.mongo import ObjectId
from ticketing.mongo.client import transactional
from ticketing.mongo.repository import Document


def emails_of(user: Document) -> list[str]:
    """The address of a stored user, and those that he had before."""
    return list(dict.fromkeys([user["email"], *user.get("former_emails", [])]))


@transactional
def pseudonymise_account(tenant_id: ObjectId, user: Document, pseudonym: str) -> dict[str, int]:
    """Makes a stored user nameless for good, and ends his sessions, tokens and keys; tells what was changed where.

    Raises LastAdmin.
    """
    at = now()
    users, keys = UserRepository(tenant_id), ApiKeyRepository(tenant_id)
    email = f"{pseudonym}@erased.invalid"  # RFC 2606, section 2: no mail is ever delivered there
    nameless = {
        "email": email,
        "email_key": email_key(email),
        "name": pseudonym,
        "password": make_password(None),
        "team_ids": [],
        "is_active": False,
        "last_login_at": None,
        "external_id": None,
        "former_emails": [],
        "erased_at": at,
        "updated_at": at,
        "language": "",
        "time_zone": "",
    }
    ended = {"$inc": {"token_epoch": 1}}
    after = users.update(user["_id"], nameless, expected_version=user["version"], operators=ended)
    check_staff(tenant_id, users, user, after)
    forget_failures(tenant_id, emails_of(user))
    owned = {"owner_id": user["_id"]}
    keys.update_all({**owned, "revoked_at": None}, {"revoked_at": at})
    return {
        "users": 1,
        "token_families": TokenFamilyRepository(tenant_id).delete({"user_id": user["_id"]}),
        "api_keys": keys.update_all(owned, {"name": pseudonym}),
    }


def pseudonymise_audit_log(tenant_id: ObjectId, user_id: ObjectId, emails: Sequence[str], pseudonym: str) -> int:
    """Puts the pseudonym in the place of addresses and former names; tells how often."""
    entries = AuditRepository()
    written = entries.replace_author(tenant_id, emails, pseudonym) if emails else 0
    return written + entries.replace_name(tenant_id, user_id, pseudonym)
