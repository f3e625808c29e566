"""Every route of the platform, as Django's URL resolver knows them."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")


@dataclass(frozen=True)
class Route:
    """One address; `path` is as the URLconfs write it, without the anchors of regular expressions."""

    path: str
    callback: Callable[..., Any]

    @property
    def template(self) -> str:
        """The path with `{}` in place of each parameter."""
        return _PARAMETER.sub("{}", self.path)

    @property
    def view(self) -> Any:
        """The class of an API view; None for any other view."""
        return getattr(self.callback, "cls", None)

    @property
    def is_console(self) -> bool:
        return self.path.startswith("console/")

    @property
    def methods(self) -> set[str]:
        """What the view declares; OPTIONS and HEAD follow from the rest. Empty where a function decides."""
        return {method for method in METHODS if hasattr(self.view, method.lower())} - {"HEAD", "OPTIONS"}

    def url(self, *arguments: str) -> str:
        return "/" + self.template.format(*arguments)


@cache
def all_routes() -> list[Route]:
    return list(_walk(get_resolver(), ""))


def api_routes() -> list[Route]:
    """Everything but the console."""
    return [route for route in all_routes() if not route.is_console]


def console_routes() -> list[Route]:
    return [route for route in all_routes() if route.is_console]


def _walk(resolver: URLResolver, prefix: str) -> Iterator[Route]:
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern).removeprefix("^").removesuffix("$")
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern, path)
        else:
            assert isinstance(pattern, URLPattern)
            yield Route(path, pattern.callback)
