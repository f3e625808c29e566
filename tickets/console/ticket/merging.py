"""Merging duplicates, linking related tickets, and splitting a comment off."""

from typing import Any

from django.http import HttpRequest

ROUTES: tuple[tuple[str, str, Any], ...] = ()


def context_of(request: HttpRequest, ticket: Any) -> dict[str, Any]:  # noqa: ARG001 - filled in next
    """What its part of the page shows."""
    return {}
