"""Where Prometheus fetches the metrics."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ticketing.errors import NotAuthenticated

TEXT = "text/plain; version=0.0.4; charset=utf-8"


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The metrics, for ``Authorization: Bearer <METRICS_TOKEN>``. There is nothing here while no token is set."""
    if not settings.METRICS_TOKEN or settings.METRICS_SINK != "prometheus":
        raise Http404
    if not constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}"):
        from ticketing.api.errors import problem_response

        return problem_response(NotAuthenticated())
    from ticketing.observability import prometheus

    return HttpResponse(prometheus.exposition(), content_type=TEXT)
