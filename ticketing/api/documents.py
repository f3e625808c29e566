"""The OpenAPI document and its readers. Imported by the first request for one of them, never by any other."""

from functools import cache
from typing import Any

from drf_spectacular import views
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ticketing.api.renderers import JSONRenderer
from ticketing.api.views import PAGE_POLICY, ApiView


@cache
def document() -> dict[str, Any]:
    """The whole document; it is the same for everybody, so it is made once per process."""
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return found


class _YamlRenderer(OpenApiYamlRenderer):
    media_type = "application/yaml"
    format = "yaml"


class _OpenApiJsonRenderer(OpenApiJsonRenderer):
    format = "openapi+json"


class SchemaView(ApiView):
    """The OpenAPI document: YAML, or JSON for those who accept it."""

    public = True
    throttle = "none"
    authentication_classes = []
    renderer_classes = [OpenApiYamlRenderer, _YamlRenderer, _OpenApiJsonRenderer, JSONRenderer]

    def get(self, request: Request) -> Response:
        return Response(document(), headers={"Cache-Control": "public, max-age=300"})


class _Reader(APIView):
    """Scripts come from our own static files only, and from the page's own address."""

    url_name = "api-schema"
    http_method_names = ["get", "head"]

    def finalize_response(self, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(*args, **kwargs)
        response["Content-Security-Policy"] = PAGE_POLICY
        response["Cache-Control"] = "no-cache"
        return response


class SwaggerView(_Reader, views.SpectacularSwaggerSplitView):
    """The document to try out."""


class RedocView(_Reader, views.SpectacularRedocView):
    """The document to read."""

    template_name = "api/redoc.html"
