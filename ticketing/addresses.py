"""Where a request comes from, as far as it can be believed."""

from ipaddress import IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest

SUBSCRIBER = 64


def client_address(request: HttpRequest) -> str:
    """The client's address, for limits and logs.

    Each proxy appends the address it was called from to X-Forwarded-For; what the client itself wrote stands left of
    that. So with TRUSTED_PROXIES proxies of our own the address is that many from the right, and with none of them
    the header is worth nothing.
    """
    socket = str(request.META.get("REMOTE_ADDR", ""))
    proxies = settings.TRUSTED_PROXIES
    if not proxies:
        return socket
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    return forwarded[-proxies] if len(forwarded) >= proxies and forwarded[-proxies] else socket


def limited_as(address: str) -> str:
    """What an address counts as in limits: of IPv6 the network of 64 bits that one subscriber has (RFC 6177), of which
    he may take any address; IPv4, also as IPv6 writes it, and what is no address stay as they are."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or IPv6Network((found, SUBSCRIBER), strict=False))
