"""Where people, teams, keys, sign-ins and failed attempts are stored and found."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from accounts.models import email_key
from accounts.roles import STAFF_ROLES
from accounts.rules import spellings_of
from tenants.repository import TenantRepository, of_host
from ticketing.errors import AlreadyExists
from ticketing.mongo import ObjectId
from ticketing.mongo.client import current_session, translated_errors
from ticketing.mongo.repository import Document, PlatformRepository, Repository, Where


class AccountDocuments(NamedTuple):
    """A user and his tenant; ``host_owner_id`` is the tenant whose own host name the one asked about is."""

    user: Document
    tenant: Document
    host_owner_id: ObjectId | None


class UserRepository(Repository):
    """The people of one tenant."""

    collection_name = "users"
    noun = "The user"

    def find_by_email(self, email: str) -> Document | None:
        return self.find_one({"email_key": email_key(email)})

    def find_beginning(self, text: str, *, at_most: int) -> list[Document]:
        """The addresses of the first few whose name or e-mail address begins so."""
        begins = [{"email_key": {"$regex": f"^{re.escape(email_key(text))}"}}]
        begins += [{"name": {"$regex": f"^{re.escape(each)}"}} for each in spellings_of(text)]
        return [] if "\0" in text else self.find({"$or": begins}, fields=["email"], limit=at_most)

    def find_active_account(self, id_: ObjectId, host: str = "") -> AccountDocuments | None:
        """An active user and his active tenant, and whose own the host name is."""
        user, tenant, owner, _ = self._find_account(id_, host)
        return self._account(user, tenant, owner)

    def find_signed_in_account(
        self, id_: ObjectId, session_id: ObjectId, epoch: int, host: str = ""
    ) -> AccountDocuments | None:
        """The same, while this sign-in of the user stands."""
        user, tenant, owner, session = self._find_account(id_, host, session_id)
        if user is None or session is None:
            return None
        is_his = session["tenant_id"] == self.tenant_id and session["user_id"] == id_
        stands = is_his and session["revoked_at"] is None and user["token_epoch"] == epoch
        return self._account(user, tenant, owner) if stands else None

    def _find_account(
        self, id_: ObjectId, host: str, session_id: ObjectId | None = None
    ) -> tuple[Document | None, Document | None, Document | None, Document | None]:
        """The user, the tenant, the one whose own the host name is, and the sign-in, as they are, of whomever.

        One round trip, because every request begins with it. By ids alone: a further condition makes the server weigh
        its indexes against one another each time, which takes as long as all the rest. Nor does it $lookup.
        """
        pipeline = [
            {"$match": {"_id": id_}},
            _united(TenantRepository.collection_name, {"_id": self.tenant_id}),
            *([_united(TokenFamilyRepository.collection_name, {"_id": session_id})] if session_id else []),
            *([_united(TenantRepository.collection_name, of_host(host))] if host else []),
        ]
        with translated_errors(self.noun):
            found = {each["_id"]: each for each in self.collection.aggregate(pipeline, session=current_session())}
        user, tenant = found.pop(id_, None), found.get(self.tenant_id)
        session = found.pop(session_id, None) if session_id else None
        return user, tenant, next((each for each in found.values() if host in each["hosts"]), None), session

    def _account(
        self, user: Document | None, tenant: Document | None, owner: Document | None
    ) -> AccountDocuments | None:
        if user is None or user["tenant_id"] != self.tenant_id or not user["is_active"]:
            return None
        if tenant is None or tenant["status"] != "active":
            return None
        return AccountDocuments(user, tenant, None if owner is None else owner["_id"])

    def find_with_staff_and_teams(
        self, ids: Sequence[ObjectId], *, at_most: int
    ) -> tuple[list[Document], list[Document], list[Document]]:
        """These users, then the active staff and the active teams, at most so many each, in one round trip."""
        columns = dict.fromkeys(("name", "email", "role", "is_active"), 1)
        staff = self.scoped({"role": {"$in": [str(role) for role in STAFF_ROLES]}, "is_active": True})
        pipeline = [
            {"$match": self.scoped({"_id": {"$in": list(ids)}})},
            {"$project": columns},
            _also(self.collection_name, staff, at_most, columns, "staff"),
            _also(TeamRepository.collection_name, self.scoped({"is_active": True}), at_most, {"name": 1}, "teams"),
        ]
        found: dict[str, list[Document]] = {"staff": [], "teams": [], "": []}
        with translated_errors(self.noun):
            for document in self.collection.aggregate(pipeline, session=current_session()):
                found[document.pop("branch", "")].append(document)
        return found[""], found["staff"], found["teams"]

    def active_with(self, roles: list[str]) -> int:
        """How many active accounts have one of the roles."""
        return self.count({"role": {"$in": roles}, "is_active": True})

    def note_sign_in(self, user: Document, password: str, at: datetime) -> Document | None:
        """Stores the time, and the hash of the same password as made now, unless the account changed meanwhile."""
        where = {"_id": user["_id"], "is_active": True, "password": user["password"]}
        return self.update_where(where, {"last_login_at": at, "password": password})

    def end_tokens(self, id_: ObjectId) -> Document | None:
        """Makes every access token and session that was given out so far worthless."""
        return self.update_where({"_id": id_}, {}, operators={"$inc": {"token_epoch": 1}})


class OperatorRepository(UserRepository, PlatformRepository):
    """The platform's operators: the accounts without a tenant."""

    noun = "The operator"

    def __init__(self) -> None:
        PlatformRepository.__init__(self)

    def scoped(self, where: Where) -> Document:
        return {"$and": [{"tenant_id": None}, dict(where)]} if where else {"tenant_id": None}

    def _owned(self, document: Where) -> Document:
        return {"_id": ObjectId(), **document, "tenant_id": None}


def users_of(tenant_id: ObjectId | None) -> UserRepository:
    """The accounts of a tenant, or the platform's operators."""
    return OperatorRepository() if tenant_id is None else UserRepository(tenant_id)


def _united(collection: str, where: Document) -> Document:
    return {"$unionWith": {"coll": collection, "pipeline": [{"$match": where}]}}


def _also(collection: str, where: Document, at_most: int, columns: Document, branch: str) -> Document:
    stages = [{"$match": where}, {"$limit": at_most}, {"$project": {**columns, "branch": {"$literal": branch}}}]
    return {"$unionWith": {"coll": collection, "pipeline": stages}}


class TeamRepository(Repository):
    collection_name = "teams"
    noun = "The team"


class ApiKeyRepository(Repository):
    collection_name = "api_keys"
    noun = "The API key"

    def note_use(self, id_: ObjectId, at: datetime, at_most_every: timedelta) -> None:
        """Stores when the key was last used, unless somebody just did."""
        not_just_now = [{"last_used_at": None}, {"last_used_at": {"$lte": at - at_most_every}}]
        self.update_where({"_id": id_, "$or": not_just_now}, {"last_used_at": at})


class TokenFamilyRepository(Repository):
    collection_name = "token_families"
    noun = "The sign-in"

    def rotate(self, id_: ObjectId, used: str, following: str, expires_at: datetime) -> Document | None:
        """Replaces the good refresh token, if ``used`` is the one and the family was not revoked; else None."""
        where = {"_id": id_, "current_jti": used, "revoked_at": None}
        return self.update_where(where, {"current_jti": following, "expires_at": expires_at})

    def revoke(self, id_: ObjectId, at: datetime) -> None:
        self.update_where({"_id": id_, "revoked_at": None}, {"revoked_at": at})


class SignInAttemptRepository(PlatformRepository):
    collection_name = "sign_in_attempts"

    def count_up(self, key: str, at: datetime, until: datetime, limit: int) -> datetime | None:
        """Counts one attempt, unless ``limit`` is reached: then it answers when the lock ends, and counts nothing.

        Each attempt moves the end of the period to ``until``. Checking and counting are one step, so attempts made at
        the same moment cannot get past the limit.
        """
        for _ in range(2):
            try:
                expired = {"_id": key, "expires_at": {"$lte": at}}
                self.update_where(expired, {"failures": 1, "expires_at": until}, upsert=True)
                return None
            except AlreadyExists:  # a period is under way
                below = {"_id": key, "expires_at": {"$gt": at}, "failures": {"$lt": limit}}
                if self.update_where(below, {"expires_at": until}, operators={"$inc": {"failures": 1}}):
                    return None
        locked = self.find_one({"_id": key})
        return locked["expires_at"] if locked else until

    def forget(self, key: str) -> None:
        """Starts the count anew."""
        self.delete({"_id": key})

    def forget_account(self, key: str) -> None:
        """Forgets everything that is kept under the account's key and below it."""
        self.delete({"_id": {"$regex": f"^{key}"}})

    def take_back(self, key: str) -> None:
        """Uncounts one attempt."""
        self.update_where({"_id": key, "failures": {"$gt": 0}}, {}, operators={"$inc": {"failures": -1}})

    def keep(self, key: str, until: datetime) -> None:
        """Remembers that somebody has signed in."""
        self.update_where({"_id": key}, {"failures": 0, "expires_at": until}, upsert=True)

    def is_kept(self, key: str, at: datetime) -> bool:
        """Whether that is still so."""
        return self.find_one({"_id": key, "expires_at": {"$gt": at}}) is not None


class BrowserSessionRepository(PlatformRepository):
    """Django's sessions, which it creates and reads itself."""

    collection_name = "django_session"
    noun = "The session"

    def remove_expired(self, at: datetime, at_most: int) -> int:
        """Removes some of those that had expired by then, and tells how many; 0 when none is left."""
        expired = self.find({"expire_date": {"$lt": at}}, fields=["_id"], limit=at_most)
        return self.delete({"_id": {"$in": [session["_id"] for session in expired]}}) if expired else 0
