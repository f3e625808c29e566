"""Whom the running code works for: one tenant, the platform with a stated reason, or nobody (the default).

The scope is a ContextVar, so threads and requests cannot see one another's. README.md in this folder is the contract.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from ticketing.errors import TenantScopeMissing
from ticketing.mongo import ObjectId

logger = logging.getLogger("ticketing.scope")

_HOW_TO_FIX = (
    "No tenant is active. In a request the tenant is set by authentication; elsewhere wrap the work in "
    "tenant_scope(tenant.id), or, when it really spans tenants, in platform_scope('why')."
)


@dataclass(frozen=True, slots=True)
class Scope:
    """``tenant_id`` is None only for the platform scope, whose ``reason`` says why it spans tenants."""

    tenant_id: ObjectId | None
    reason: str = ""


_scope: ContextVar[Scope | None] = ContextVar("scope", default=None)


def current_scope() -> Scope:
    """The active scope. Raises TenantScopeMissing when there is none."""
    scope = _scope.get()
    if scope is None:
        raise TenantScopeMissing(_HOW_TO_FIX)
    return scope


def find_scope() -> Scope | None:
    """The active scope, or None; for logs and middleware that must also work without one."""
    return _scope.get()


def current_tenant_id() -> ObjectId:
    """The active tenant's id. Raises TenantScopeMissing without a scope and in the platform scope."""
    tenant_id = current_scope().tenant_id
    if tenant_id is None:
        raise TenantScopeMissing("This needs one tenant, but the platform scope is active. " + _HOW_TO_FIX)
    return tenant_id


def enter_tenant(tenant_id: ObjectId) -> None:
    """Makes a tenant active until the surrounding ``empty_scope()`` ends; for authentication within a request."""
    _scope.set(Scope(tenant_id))


@contextmanager
def tenant_scope(tenant_id: ObjectId) -> Iterator[None]:
    """Runs the block for one tenant and restores the scope that was active before."""
    yield from _within(Scope(tenant_id))


@contextmanager
def platform_scope(reason: str) -> Iterator[None]:
    """Runs the block across all tenants; the reason is required and logged."""
    yield from _within(_platform(reason))


@contextmanager
def empty_scope() -> Iterator[None]:
    """Runs the block with no scope at first; whatever it enters is gone afterwards (processes are reused)."""
    yield from _within(None)


def _platform(reason: str) -> Scope:
    if not reason.strip():
        raise ValueError("platform_scope needs a reason")
    logger.info("platform scope entered: %s", reason)
    return Scope(None, reason)


def _within(scope: Scope | None) -> Iterator[None]:
    token = _scope.set(scope)
    try:
        yield
    finally:
        _scope.reset(token)
