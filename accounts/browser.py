"""Signed-in sessions of the browser, for console and browsable API: kept in MongoDB, found by a cookie."""

from typing import Any

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.models import Session
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from accounts.actor import Actor, Via
from accounts.models import User
from accounts.repository import users_of
from accounts.roles import Action, Role
from accounts.sessions import find_account
from tenants.models import Tenant
from tenants.requests import host_of, is_for_another_tenant
from tenants.services import find_active_tenant, find_tenant_by_host, record
from ticketing.errors import Conflict, NotAllowed
from ticketing.mongo import ObjectId, parse_object_id

_TENANT = "tenant_id"
_ENTERED = "entered_tenant_id"


@receiver(user_logged_in, dispatch_uid="accounts.browser")
def _keep_tenant(request: HttpRequest, user: User, **_other: Any) -> None:
    """Django's login() keeps the user's id and auth hash; we also need the tenant, which every look-up starts with."""
    if user.tenant_id is not None:
        request.session[_TENANT] = str(user.tenant_id)


def find_signed_in(request: HttpRequest) -> tuple[User, Actor | None] | None:
    """Who the session belongs to, and how he acts; None for a session that does not stand any more.

    Account and tenant are read anew. A session counts as none on another tenant's host name. An operator acts for the
    tenant that he has entered, as its admin, and otherwise for nobody: his actor is None.
    """
    user_id = parse_object_id(request.session.get(SESSION_KEY))
    if user_id is None:
        return None
    tenant_id = parse_object_id(request.session.get(_TENANT))
    if tenant_id is None:
        return _find_operator(request, user_id)
    account = find_account(tenant_id, user_id, host_of(request))
    if account is None or not _stands(request, account.user):
        return None
    if is_for_another_tenant(request, account.tenant, account.host_owner_id):
        return None
    return account.user, account.actor(Via.CONSOLE)


def keep_signed_in(request: HttpRequest, user: User) -> None:
    """Lets the session of this request, if it has one, outlive the end of all others (a new password)."""
    if SESSION_KEY in request.session:
        request.session.cycle_key()
        request.session[HASH_SESSION_KEY] = user.get_session_auth_hash()


def enter_tenant(request: HttpRequest, tenant: Tenant) -> None:
    """An operator starts to work within a tenant, as its admin, which is logged. Raises NotAllowed, Conflict."""
    operator = _operator_of(request)
    if not tenant.is_active:
        raise Conflict("A suspended tenant cannot be entered")
    request.session[_ENTERED] = str(tenant.pk)
    record("tenant.entered", by=operator.email, tenant_id=tenant.pk)


def leave_tenant(request: HttpRequest) -> None:
    """The operator stops working within the tenant, which is logged. Raises NotAllowed."""
    operator = _operator_of(request)
    left = parse_object_id(request.session.pop(_ENTERED, None))
    if left is not None:
        record("tenant.left", by=operator.email, tenant_id=left)


def end_browser_sessions(tenant_id: ObjectId) -> None:
    """Signs everybody of a tenant out of console and browsable API, whatever became of the accounts meanwhile."""
    for session in Session.objects.iterator():
        if session.get_decoded().get(_TENANT) == str(tenant_id):
            session.delete()


def _find_operator(request: HttpRequest, user_id: Any) -> tuple[User, Actor | None] | None:
    document = users_of(None).find_one({"_id": user_id})
    operator = User.from_document(document) if document else None
    if operator is None or not operator.is_active or not _stands(request, operator):
        return None
    entered = parse_object_id(request.session.get(_ENTERED))
    tenant = find_active_tenant(entered) if entered and operator.can(Action.TENANTS_ENTER) else None
    if tenant is None:
        return operator, None
    owner = find_tenant_by_host(host_of(request))
    if is_for_another_tenant(request, tenant, None if owner is None else owner.pk):
        return operator, None
    return operator, Actor(operator, tenant, Role.ADMIN, Via.CONSOLE)


def _stands(request: HttpRequest, user: User) -> bool:
    kept = request.session.get(HASH_SESSION_KEY, "")
    hashes = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return any(constant_time_compare(kept, each) for each in hashes)


def _operator_of(request: HttpRequest) -> User:
    if not isinstance(request.user, User) or not request.user.can(Action.TENANTS_ENTER):
        raise NotAllowed("Only an operator of the platform enters tenants")
    return request.user
