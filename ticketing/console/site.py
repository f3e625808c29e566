"""The staff console: Django's admin site in unfold's dress, without Django's plumbing."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from unfold.sites import UnfoldAdminSite

from ticketing.console.answers import is_fetch, signed_out
from ticketing.console.navigation import OVERVIEW, Group, Item, grouped

View = Callable[..., HttpResponse]

# unfold evaluates Alpine expressions (unsafe-eval) and writes its colours into a style element (unsafe-inline styles).
# Nothing on a page comes from another host, and no inline script runs.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_NOT_OFFERED = {"view_on_site", "autocomplete"}


class ConsoleSite(UnfoldAdminSite):
    """Whoever may enter sees what his role allows. Apps register their ModelAdmins in their ``console`` module.

    ``login_form``, ``password_change_form`` and ``extra_urls`` are set by the package that knows about accounts.
    """

    site_title = site_header = _("Ticketing")
    site_url = None
    index_template = "console/index.html"
    index_title = _("Overview")
    login_template = "console/login.html"
    password_change_form: type[Form]
    extra_urls: Callable[[], list[URLPattern]]

    def __init__(self, name: str = "console") -> None:
        super().__init__(name)
        self.disable_action("delete_selected")

    def get_urls(self) -> list[URLPattern]:
        return [url for url in super().get_urls() if getattr(url, "name", "") not in _NOT_OFFERED]

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        if view == self.logout:  # also for customers, who sign in here on their way to the browsable API
            return csrf_protect(never_cache(with_policy(view)))
        guarded: View = super().admin_view(with_policy(view), cacheable)

        def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if is_fetch(request) and not self.has_permission(request):
                return signed_out()
            return guarded(request, *args, **kwargs)

        return update_wrapper(answered, guarded)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return with_policy(super().login)(request, extra_context)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        from django.contrib.auth.views import PasswordChangeView

        request.current_app = self.name
        view: Callable[..., HttpResponseBase] = PasswordChangeView.as_view(
            form_class=type("PasswordForm", (self.password_change_form,), {"request": request}),
            success_url=reverse("console:password_change_done"),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return view(request)

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """unfold's search over the names of models, which its templates address; each list has its own search."""
        return HttpResponse()

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        panels = [panel for admin in self._admins() for panel in admin.get_panels(request)]
        response: TemplateResponse = super().index(request, {"panels": panels, **(extra_context or {})})
        return response

    def get_log_entries(self, request: HttpRequest) -> list[Any]:
        """None: what happened is in the events and in the audit log."""
        return []

    def get_sidebar_list(self, request: HttpRequest) -> list[Group]:
        link = reverse("console:index")
        overview = Item("", str(_("Overview")), link, "monitoring", request.path == link, shortcut=OVERVIEW)
        return grouped([overview, *(item for admin in self._admins() for item in admin.get_navigation(request))])

    def get_page_links(self, request: HttpRequest, obj: Any) -> list[Item]:
        """What all apps have to offer on an object's page."""
        return [link for admin in self._admins() for link in admin.get_page_links(request, obj)]

    def _admins(self) -> list[Any]:
        return sorted(self._registry.values(), key=lambda admin: admin.navigation_position)


def with_policy(view: View) -> View:
    """The view with a Content-Security-Policy on each answer that has none of its own."""

    def wrapped(*args: Any, **kwargs: Any) -> HttpResponse:
        response = view(*args, **kwargs)
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        return response

    for attribute in ("csrf_exempt", "model_admin"):
        if hasattr(view, attribute):
            setattr(wrapped, attribute, getattr(view, attribute))
    return wrapped


site = ConsoleSite()
