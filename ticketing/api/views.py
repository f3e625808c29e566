"""The base of every API view: what a request passes before its handler, and what every answer carries."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from django.conf import settings
from django.http import QueryDict
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from rest_framework import serializers
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ticketing.api import conditional, pagination, throttling
from ticketing.api.idempotency import once
from ticketing.api.parsers import check_body_size
from ticketing.api.permissions import Principal
from ticketing.errors import FieldError, InvalidInput, NotAuthenticated, TooLarge
from ticketing.limits import Allowance
from ticketing.mongo import ObjectId

if TYPE_CHECKING:
    from ticketing.api.filters import StrictFilterSet
    from ticketing.mongo.models import TenantQuerySet

T = TypeVar("T", bound="StrictFilterSet")

JSON_POLICY = "default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; worker-src blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter beyond those that filters, pages, ``fields`` and ``include`` bring."""

    name: str
    description: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})


class ApiView(APIView):
    """Declare what a resource is; the base does what every request needs and documents it in OpenAPI.

    - ``actions``: the permission each method needs; a method without one is refused. ``public``: no sign-in needed.
    - ``inputs`` / ``outputs``: serializers by method; they validate (``self.validated()``), draw the browsable forms
      and document the operation. ``outputs`` of a paginated GET is one row.
    - ``json_inputs``: what a method takes as JSON instead, where ``inputs`` is a form with a file.
    - ``statuses``: the status of success where it is not 200 (201 for POST with an output, 204 without one).
    - ``filters``, ``paginated``, ``includes``, ``sparse``, ``parameters``: what the query of a GET may say.
    - ``summary``: the members that a list's page shows people (none: all); programs get all of them.
    - ``versioned``: answers have an ETag, and writes take If-Match.
    - ``errors``: statuses of failure by method, beyond those that follow from the above.
    - ``secret_response``: a POST's answer holds a secret, so it is never kept for a replay; where only some do, the
      handler sets the response's ``is_secret``.
    - ``downloads``: the methods that answer with a file.
    - ``throttle``: "sign_in" adds the tighter limit by address; "none" is for what must answer without a database.
    """

    public: ClassVar[bool] = False
    actions: ClassVar[Mapping[str, StrEnum]] = {}
    inputs: ClassVar[Mapping[str, type[serializers.Serializer[Any]]]] = {}
    json_inputs: ClassVar[Mapping[str, type[serializers.Serializer[Any]]]] = {}
    outputs: ClassVar[Mapping[str, type[serializers.Serializer[Any]]]] = {}
    statuses: ClassVar[Mapping[str, int]] = {}
    filters: ClassVar["type[StrictFilterSet] | None"] = None
    paginated: ClassVar[bool] = False
    includes: ClassVar[Sequence[str]] = ()
    sparse: ClassVar[bool] = False
    summary: ClassVar[Sequence[str]] = ()
    parameters: ClassVar[Mapping[str, Sequence[Parameter]]] = {}
    versioned: ClassVar[bool] = False
    errors: ClassVar[Mapping[str, Sequence[int]]] = {}
    secret_response: ClassVar[bool] = False
    downloads: ClassVar[Sequence[str]] = ()
    throttle: ClassVar[str] = "default"
    tag: ClassVar[str] = ""
    metadata_class = None

    @property
    def max_body_bytes(self) -> int:
        """The largest body that is read at all."""
        return int(settings.MAX_BODY_BYTES)

    @property
    def actor(self) -> Any:
        """The signed-in principal (an ``accounts.actor.Actor``). Raises NotAuthenticated where there is none."""
        if self.request.auth is None:
            raise NotAuthenticated
        return self.request.auth

    # --- What a handler asks for ------------------------------------------------------------------------------------
    def get_serializer(self, *args: Any, **kwargs: Any) -> serializers.Serializer[Any]:
        """The input serializer of the request's method; the browsable forms are drawn with it as well."""
        kwargs.setdefault("partial", self.request.method == "PATCH")
        kwargs.setdefault("context", {"request": self.request, "view": self})
        is_json = "data" in kwargs and not hasattr(kwargs["data"], "lists")
        inputs = {**self.inputs, **self.json_inputs} if is_json else self.inputs
        return inputs[str(self.request.method)](*args, **kwargs)

    def fit_form(self, serializer: serializers.Serializer[Any], data: Mapping[str, Any]) -> None:
        """Makes a browsable form fit what the page shows, such as a state that allows some choices only."""

    def related_views(self) -> Mapping[str, "type[ApiView]"]:
        """Views below this one, by the end of their address, whose POST forms stand on its page too."""
        return {}

    def validated(self) -> dict[str, Any]:
        """The checked body. Raises ValidationError naming every field that is wrong."""
        serializer = self.get_serializer(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def filtered(self, filters: type[T], queryset: "TenantQuerySet") -> T:
        """The request's filters over a queryset. Raises InvalidInput."""
        return filters.of(self.request, queryset)

    @property
    def included(self) -> frozenset[str]:
        """What ``include=`` asks for. Raises InvalidInput for a name that is not on offer."""
        return self._names("include", self.includes)

    @property
    def selected(self) -> frozenset[str]:
        """The members that ``fields=`` asks for, all of them without it. Raises InvalidInput."""
        members = self.declared_members()
        return self._names("fields", members) or frozenset(members)

    @classmethod
    def declared_members(cls) -> list[str]:
        """What ``fields=`` may name."""
        return [] if "GET" not in cls.outputs else list(cls.outputs["GET"]._declared_fields)

    def select(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The members of an answer that ``fields=`` and ``include=`` ask for."""
        wanted = self.selected | self.included
        return {name: value for name, value in row.items() if name in wanted}

    def expected_version(self, current: int, *, required: bool = False) -> int:
        """See ``conditional.expected_version``."""
        return conditional.expected_version(self.request, current, required=required)

    def page(self, page: Any, data: Sequence[Any], count: Any = None) -> Response:
        """See ``pagination.page_response``."""
        return pagination.page_response(self.request, page, data, count)

    def answer(self, data: Any, *, version: int | None = None, status: int = 200) -> Response:
        """One thing; with its version the answer gets an ETag, and a GET that has it already is answered 304."""
        response = Response(data, status=status)
        response.version = version  # type: ignore[attr-defined]
        return response

    def created(self, data: Any, location: str, *, version: int | None = None) -> Response:
        """201 with the new thing and its ``Location`` (a path from ``reverse``)."""
        response = self.answer(data, version=version, status=201)
        response["Location"] = self.request.build_absolute_uri(location)
        return response

    def idempotency_tenant_id(self) -> ObjectId | None:
        """For which tenant an Idempotency-Key is kept; None: it is ignored. Public views that write may say it."""
        principal: Principal | None = cast(Any, self.request.auth)
        return None if principal is None else principal.tenant_id

    # --- What every request passes ----------------------------------------------------------------------------------
    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """DRF's life cycle, with the handler of a POST run at most once for its Idempotency-Key."""
        self.args, self.kwargs = args, kwargs
        self.headers = self.default_response_headers
        self._allowances: list[Allowance] = []
        self.request = self.initialize_request(request, *args, **kwargs)
        try:
            self.initial(self.request, *args, **kwargs)
            handler = self._handler()
            if self.request.method == "POST":
                response = once(self, self.request, lambda: handler(self.request, *args, **kwargs))
            else:
                response = handler(self.request, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the one place where every exception becomes an answer
            response = self.handle_exception(error)
        self.response = self.finalize_response(self.request, response, *args, **kwargs)
        return self.response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Everything that is checked before a handler runs, the cheapest first."""
        self.format_kwarg = None
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        request.version, request.versioning_scheme = None, None
        check_body_size(request, self.max_body_bytes)
        if self.throttle != "none":
            self._allowances = throttling.spend_by_address(request, is_sign_in=self.throttle == "sign_in")
            throttling.check(self._allowances)
        self.perform_authentication(request)
        if self.throttle != "none":
            self._allowances += throttling.spend_by_principal(request)
            throttling.check(self._allowances)
        self.check_permissions(request)
        self.check_parameters(request)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, str]:
        """DRF's, except where no choice is left: what programs accept is anything, or JSON alone."""
        first = self.renderer_classes[0]
        if request.META.get("HTTP_ACCEPT", "*/*") in {"*/*", first.media_type}:
            return first(), str(first.media_type)
        return super().perform_content_negotiation(request, force)

    def check_parameters(self, request: Request) -> None:
        """Raises InvalidInput naming each query parameter that this method does not know or that stands twice."""
        if request.method not in self.allowed_methods:
            return  # the dispatcher answers 405
        known = self.known_parameters(str(request.method))
        faults = []
        for name, values in request.query_params.lists():
            if name not in known:
                allowed = ", ".join(sorted(known)) or "none"
                faults.append(FieldError(name, "unknown", f"there is no such parameter; known are: {allowed}"))
            elif len(values) > 1:
                faults.append(FieldError(name, "repeated", "give this parameter once"))
        if faults:
            raise InvalidInput(f"{faults[0].field}: {faults[0].message}", errors=faults)

    def known_parameters(self, method: str) -> frozenset[str]:
        """The names that the query of this method may have."""
        names = {parameter.name for parameter in self.parameters.get(method, ())}
        if method in {"GET", "HEAD"}:
            names |= {parameter.name for parameter in self.parameters.get("GET", ())}
            names |= set(pagination.PAGE_PARAMETERS) if self.paginated else set()
            names |= {"include"} if self.includes else set()
            names |= {"fields"} if self.sparse else set()
            if self.filters:
                names |= set(self.filters.base_filters) | ({"ordering"} if self.filters.orderings else set())
        return frozenset(names)

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """The methods, in ``Allow``; the OpenAPI document tells the rest."""
        return Response(status=204, headers={"Allow": ", ".join(self.allowed_methods)})

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {"Vary": "Accept"}

    def handle_exception(self, exc: Exception) -> Response:
        """An answer for every exception; pages need a settled user, also when the fault came before sign-in."""
        if not hasattr(self.request, "_user"):
            self.request.user, self.request.auth = None, None  # type: ignore[assignment]
            if isinstance(exc, TooLarge):  # the page about it must not read the body after all
                self.request._full_data = QueryDict()  # type: ignore[attr-defined]
        response = super().handle_exception(exc)
        if isinstance(exc, MethodNotAllowed):
            response["Allow"] = ", ".join(self.allowed_methods)
        return response

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """What every answer carries: versions, caching, and the policies for browsers."""
        final: Any = super().finalize_response(request, response, *args, **kwargs)
        is_page = getattr(getattr(final, "accepted_renderer", None), "format", "") == "api"
        version = getattr(final, "version", None)
        if version is not None and not is_page:
            final["ETag"] = conditional.etag(version, final.render().content)
            final.setdefault("Cache-Control", "private, no-cache")
            if request.method in {"GET", "HEAD"}:
                final = get_conditional_response(request._request, final["ETag"], response=final)
        if is_page and request.method == "POST" and final.status_code == 201 and "Location" in final:
            final.status_code = 303  # a browser goes on to what its form has made, and does not send it twice
        throttling.add_headers(final, self._allowances)
        final.setdefault("Cache-Control", "no-store")
        final.setdefault("Content-Security-Policy", PAGE_POLICY if is_page else JSON_POLICY)
        final.setdefault("X-Content-Type-Options", "nosniff")
        return final

    def _handler(self) -> Callable[..., Response]:
        method = str(self.request.method).lower()
        if method not in self.http_method_names:
            return self.http_method_not_allowed
        handler: Callable[..., Response] = getattr(self, method, self.http_method_not_allowed)
        return handler

    def _names(self, parameter: str, offered: Sequence[str]) -> frozenset[str]:
        given = self.request.query_params.get(parameter)
        names = [] if given is None else [name.strip() for name in given.split(",")]
        unknown = [name for name in names if name not in offered]
        if unknown:
            message = f"“{unknown[0][:40]}” is not one of {', '.join(offered)}"
            raise InvalidInput.of(parameter, message)
        return frozenset(names)
