"""Rate limits of the API: by address, by user or key, and by tenant; the headers tell the one that is nearest."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from ticketing.addresses import client_address, limited_as
from ticketing.errors import LimitExceeded
from ticketing.limits import Allowance, RateLimiter

limiter = RateLimiter()


def spend_by_address(request: Request, *, is_sign_in: bool) -> list[Allowance]:
    """What is known before sign-in; signing in has a limit of its own."""
    address = limited_as(client_address(request._request))
    spent = [limiter.spend(f"address:{address}", settings.RATE_LIMIT_ADDRESS_PER_MINUTE)]
    if is_sign_in:
        spent.append(limiter.spend(f"sign-in:{address}", settings.RATE_LIMIT_SIGN_IN_PER_MINUTE))
    return spent


def spend_by_principal(request: Request) -> list[Allowance]:
    """The user's or key's own limit, and the one that the whole tenant shares (its quota, where it has one)."""
    principal: Any = request.auth
    if principal is None:
        return []
    of_tenant = principal.tenant.max_requests_per_minute or settings.RATE_LIMIT_TENANT_PER_MINUTE
    return [
        limiter.spend(f"user:{principal.user_id}:{principal.key_id}", settings.RATE_LIMIT_USER_PER_MINUTE),
        limiter.spend(f"tenant:{principal.tenant_id}", of_tenant),
    ]


def check(allowances: Iterable[Allowance]) -> None:
    """Raises LimitExceeded, with the time to wait, when one of them is used up."""
    refused = [allowance for allowance in allowances if not allowance.granted]
    if refused:
        wait = max(allowance.reset for allowance in refused)
        raise LimitExceeded(f"Wait {wait} seconds", headers={"Retry-After": str(wait)})


def add_headers(response: HttpResponseBase, allowances: Iterable[Allowance]) -> None:
    """``RateLimit-*`` of the limit of which the least is left."""
    nearest = min(allowances, key=lambda allowance: allowance.remaining, default=None)
    if nearest:
        response["RateLimit-Limit"] = str(nearest.limit)
        response["RateLimit-Remaining"] = str(nearest.remaining)
        response["RateLimit-Reset"] = str(nearest.reset)
