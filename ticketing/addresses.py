"""Where a request comes from, as far as it can be believed."""

from django.conf import settings
from django.http import HttpRequest


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
