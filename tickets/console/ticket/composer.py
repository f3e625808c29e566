"""The box in which agents answer: drafts, canned replies, files, sending and taking back."""

from typing import Any

from django.http import HttpRequest

ROUTES: tuple[tuple[str, str, Any], ...] = ()


def context_of(request: HttpRequest, ticket: Any) -> dict[str, Any]:  # noqa: ARG001 - filled in next
    """What its part of the page shows."""
    return {}
