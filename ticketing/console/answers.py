"""Answers to the console's scripts: JSON, also where something is refused."""

import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from ticketing.console.refusals import explain, in_words
from ticketing.errors import InvalidInput, NotAllowed, NotAuthenticated, NotFound, TicketingError


def is_fetch(request: HttpRequest) -> bool:
    """Whether a script of ours sent the request (see fetch.js)."""
    return request.headers.get("X-Requested-With") == "fetch"


def json_answer(view: Callable[..., Mapping[str, Any] | HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorates a view that returns what its script needs to know, or a response of its own.

    What services refuse is answered with the error's status and ``{"code", "detail", "errors": {field: message}}``,
    beside the members of the error's ``data``.
    """

    @wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> HttpResponse:
        try:
            answer = view(*args, **kwargs)
        except TicketingError as error:
            return refusal(error)
        except PermissionDenied as error:
            return refusal(NotAllowed(str(error)))
        except Http404:
            return refusal(NotFound())
        return answer if isinstance(answer, HttpResponse) else JsonResponse(answer)

    return wrapped


def refusal(error: TicketingError) -> JsonResponse:
    """What a script is told about an error."""
    errors = {each.field: in_words(each.message) for each in error.errors}
    members = {**error.data, "code": error.code, "detail": explain(error), "errors": errors}
    return JsonResponse(members, status=error.status, headers=error.headers)


def signed_out() -> JsonResponse:
    """The answer to a script whose session has ended, in place of the sign-in page."""
    return refusal(NotAuthenticated(_("You are signed out. Sign in again in another tab, then go on here.")))


def read_json(request: HttpRequest) -> dict[str, Any]:
    """The object in the body of a script's request. Raises InvalidInput for anything else."""
    try:
        read = json.loads(request.body)
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise InvalidInput("The body is not a JSON object")
    return read
