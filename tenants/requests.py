"""Which tenant a request names before anybody has signed in, and whether a signed-in one is at the wrong door."""

from django.http import HttpRequest

from tenants.models import Tenant
from tenants.services import find_tenant, find_tenant_by_host, slug_of_host
from ticketing.mongo import ObjectId

HEADER = "X-Tenant"


def find_named_tenant(request: HttpRequest, slug: str = "") -> Tenant | None:
    """The tenant that the sign-in form's field, the ``X-Tenant`` header and the host name agree on.

    None when nothing names one, when it does not exist, and when two of them name different tenants.
    """
    slugs = {given for given in (slug, request.headers.get(HEADER, "")) if given}
    if len(slugs) > 1:
        return None
    by_host = find_tenant_by_host(host_of(request))
    if not slugs:
        return by_host
    named = by_host.slug if by_host else None
    [wanted] = slugs
    if named is None:
        return find_tenant(wanted)
    return by_host if wanted == named else None


def names_tenant(request: HttpRequest, slug: str = "") -> bool:
    """Whether the request says for which tenant it is, be it one that does not exist."""
    return bool(slug or request.headers.get(HEADER) or slug_of_host(host_of(request)))


def is_for_another_tenant(request: HttpRequest, tenant: Tenant, host_owner_id: ObjectId | None) -> bool:
    """Whether the header or the host name is another tenant's. A neutral host is nobody's.

    ``host_owner_id`` is the tenant whose own host name it is, which is read together with the account.
    """
    if (request.headers.get(HEADER) or tenant.slug) != tenant.slug:
        return True
    host = host_of(request)
    slug = slug_of_host(host)
    if host in tenant.hosts or slug == tenant.slug:
        return False
    if host_owner_id is None and slug:
        return find_tenant(slug) is not None
    return host_owner_id not in {None, tenant.pk}


def host_of(request: HttpRequest) -> str:
    """The request's host name, lower-case and without a port. Raises DisallowedHost."""
    host = request.get_host()
    name, _, port = host.rpartition(":")
    return (name if name and port.isdigit() else host).lower().rstrip(".")
