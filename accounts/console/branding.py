"""Whose console it is: the tenant's name and colour, and the banner of an operator who has entered it."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.roles import Role
from tenants.models import Tenant
from tenants.requests import find_named_tenant
from tenants.rules import on_dark_surface

# How much of the brand's colour is in each of unfold's shades; the rest is white for the light and black for the dark.
# 600 is what stands under white text and is text in the light look, 500 and 400 are text in the dark look.
_LIGHT_SHADES = {"50": 6, "100": 12, "200": 25, "300": 45}
_DARK_SHADES = {"700": 85, "800": 70, "900": 55, "950": 40}


def console_context(request: HttpRequest) -> dict[str, Any]:
    """What every page of the console knows about the tenant: that of the actor, else the one the host name says."""
    actor = getattr(request, "actor", None)
    signed_in = getattr(request, "user", None) is not None and request.user.is_authenticated
    tenant = actor.tenant if actor else None if signed_in else find_named_tenant(request)
    context: dict[str, Any] = {"account_links": _account_links()}
    if tenant is None:
        return context
    context |= {
        "site_title": tenant.display_name,
        "site_header": tenant.display_name,
        "colors": {**_base_colors(), "primary": _shades(tenant)},
    }
    if actor and actor.user and actor.user.role == Role.OPERATOR:
        context |= {"banner_template": "accounts/console/operator_banner.html", "entered": tenant}
    return context


def _account_links() -> list[dict[str, str]]:
    """What the menu of whoever is signed in offers about his account."""
    pages = {"profile": _("My account"), "password_change": _("Change password")}
    return [{"link": reverse(f"console:{name}"), "title": title} for name, title in pages.items()]


def _shades(tenant: Tenant) -> dict[str, str]:
    color, on_dark = tenant.readable_color, on_dark_surface(tenant.brand_color)
    light = {name: f"color-mix(in oklab, {color} {share}%, white)" for name, share in _LIGHT_SHADES.items()}
    dark = {name: f"color-mix(in oklab, {color} {share}%, black)" for name, share in _DARK_SHADES.items()}
    return {**light, "400": f"color-mix(in oklab, {on_dark} 80%, white)", "500": on_dark, "600": color, **dark}


def _base_colors() -> dict[str, dict[str, str]]:
    from unfold.settings import CONFIG_DEFAULTS

    colors: dict[str, dict[str, str]] = CONFIG_DEFAULTS["COLORS"]
    return colors
