"""Static files: found and compressed beforehand by `manage.py collectstatic`, served by WhiteNoise."""

from functools import cached_property

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.urls import get_script_prefix
from whitenoise.storage import CompressedManifestStaticFilesStorage

from ticketing.middleware import GetResponse


class StaticFilesMiddleware:
    """Serves what is below STATIC_URL.

    WhiteNoise looks at every file when it starts, a tenth of a cold start; so it starts with the first such request.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        below = request.path_info.startswith(str(settings.STATIC_URL))
        return self._whitenoise(request) if below else self.get_response(request)

    @cached_property
    def _whitenoise(self) -> GetResponse:
        from whitenoise.middleware import WhiteNoiseMiddleware

        middleware: GetResponse = WhiteNoiseMiddleware(self.get_response)
        return middleware


class StaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Addresses that keep what stands in front of ours, such as a gateway's stage."""

    def url(self, name: str, force: bool = False) -> str:
        return get_script_prefix().rstrip("/") + str(super().url(name, force))
