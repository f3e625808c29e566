"""What a person with a browser is shown when a request outside of the API fails: what went wrong and what to do."""

from typing import Any

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ticketing.errors import TicketingError
from ticketing.logs import request_id

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_TEXTS: dict[int, tuple[Any, Any]] = {
    400: (
        gettext_lazy("This request cannot be read"),
        gettext_lazy("The address or the form is damaged. Go back and try again."),
    ),
    403: (
        gettext_lazy("You may not do this"),
        gettext_lazy("Your role does not allow it. An administrator of your organisation can change that."),
    ),
    404: (
        gettext_lazy("There is nothing here"),
        gettext_lazy("The page does not exist, or you cannot see it. Check the address, or start from the overview."),
    ),
    413: (
        gettext_lazy("That is too large"),
        gettext_lazy("Nothing was stored. Go back, leave out large files and send the form again."),
    ),
    500: (
        gettext_lazy("Something went wrong on our side"),
        gettext_lazy("It has been noted. Try again; if it stays, tell your support the reference below."),
    ),
    503: (
        gettext_lazy("The platform cannot reach its database just now"),
        gettext_lazy("Nothing was changed. Wait a moment, then load the page again."),
    ),
}


def error_page(error: TicketingError, reason: str = "") -> HttpResponse:
    """The page for an error of one of the statuses above; it needs neither a session nor the database."""
    title, text = _TEXTS[error.status]
    return _page(error, title, reason or text)


def stale_form_page(error: TicketingError) -> HttpResponse:
    """The page for a form whose CSRF token is missing or belongs to another session."""
    text = _("You signed in or out meanwhile, or the page was open for long. Go back, load it again and send it anew.")
    return _page(error, _("This form is no longer valid"), text)


def _page(error: TicketingError, title: str, text: str) -> HttpResponse:
    context = {"title": title, "text": text, "status": error.status, "reference": request_id.get()}
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": CONTENT_SECURITY_POLICY, **error.headers}
    content = render_to_string("console/error.html", context)
    return HttpResponse(content, status=error.status, headers=headers)
