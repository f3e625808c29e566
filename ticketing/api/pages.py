"""The browsable API's pages: an answer as something to read, and the forms of what the reader may do next."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.html import escape, format_html, format_html_join, urlize
from django.utils.http import urlencode
from django.utils.module_loading import import_string
from django.utils.safestring import SafeString
from rest_framework.exceptions import APIException
from rest_framework.renderers import HTMLFormRenderer
from rest_framework.request import Request, override_method
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, DictField, ListField, ListSerializer, Serializer
from rest_framework.utils.breadcrumbs import get_breadcrumbs
from rest_framework.utils.field_mapping import ClassLookupDict

from ticketing.api.renderers import encode
from ticketing.errors import TicketingError

VERBS = {"POST": "Send", "PATCH": "Save", "PUT": "Replace", "DELETE": "Delete"}
DEFAULT_COLOR = "#2563eb"
PERSON = {"id", "name", "is_staff"}
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_CODE = re.compile(r"`+([^`]+)`+")
_NOTHING_TO_DO = {401, 403, 404, 410, 503}
_JSON_ONLY: tuple[Any, ...] = (Serializer, ListSerializer, ListField, DictField)
_EMPTY = SafeString('<span class="none">–</span>')


def page_context(data: Any, view: Any, request: Request, response: Response) -> dict[str, Any]:
    """What the template ``api/page.html`` shows."""
    tenant = _tenant(request, response)
    color = getattr(tenant, "readable_color", "")
    rows: Any = data.get("data") if isinstance(data, Mapping) else None
    is_list = isinstance(rows, list) and response.status_code == 200
    return {
        "view": view,
        "request": request,
        "response": response,
        "name": view.get_view_name(),
        "description": _paragraphs(view.get_view_description()) if response.status_code < 400 else "",
        "breadcrumbs": _breadcrumbs(request),
        "brand": getattr(tenant, "display_name", "") or "API",
        "color": color if _COLOR.fullmatch(color) else DEFAULT_COLOR,
        "user": request.user,
        "sign_in_url": f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': request.get_full_path()})}",
        "sign_out_url": _find_url("console:logout"),
        "is_problem": response.status_code >= 400,
        "content": _table(rows, request.path, view.summary) if is_list else as_html(data),
        "next_pages": _next_pages(data, request) if is_list else [],
        "filters": _filters(view, request) if is_list else [],
        "json": "" if data is None else encode(data, indent=True).decode(),
        "forms": list(_forms(data, view, request, response)),
    }


def _tenant(request: Request, response: Response) -> Any:
    """Whose name and colour the page has: the signed-in tenant's, or the one that the address names."""
    principal: Any = request.auth
    if principal is not None:
        return principal.tenant
    return None if response.status_code >= 500 else import_string(settings.FIND_NAMED_TENANT)(request._request)


def _breadcrumbs(request: Request) -> list[tuple[str, str]]:
    """The way to the page; the entry page answers with and without a trailing slash, and is one step."""
    steps: dict[str, str] = dict(get_breadcrumbs(request.path, request))
    return list(steps.items())


def as_html(data: Any) -> SafeString:
    """Any JSON value: objects as lists of names and values, the rest as text with its links.

    Empty members are left out, and ``x_html`` stands in for ``x``; the JSON below the page shows everything.
    """
    if _is_empty(data):
        return _EMPTY
    if isinstance(data, Mapping):
        if data.keys() == {"data", "page"}:
            return as_html(data["data"])
        if data.keys() >= PERSON:
            return format_html("{}", data["name"])
        return format_html("<dl>{}</dl>", format_html_join("", "<div><dt>{}</dt><dd>{}</dd></div>", _members(data)))
    if isinstance(data, list | tuple):
        if all(isinstance(item, str | int | float) for item in data):
            return format_html_join(" ", '<span class="chip">{}</span>', ((item,) for item in data))
        return format_html("<ol>{}</ol>", format_html_join("", "<li>{}</li>", ((as_html(item),) for item in data)))
    if isinstance(data, bool):
        return SafeString("yes" if data else "no")  # nosec B703 # two words of ours
    text = encode(data).decode().strip('"') if not isinstance(data, str) else str(data)
    if _TIME.fullmatch(text):
        local = timezone.localtime(datetime.fromisoformat(text))
        return format_html('<time datetime="{}">{}</time>', text, local.strftime("%Y-%m-%d %H:%M %Z"))
    linked = SafeString(urlize(text, nofollow=True, autoescape=True))  # nosec B703 # which escapes it
    return format_html('<span class="text">{}</span>', linked)


def _members(data: Mapping[str, Any]) -> Iterator[tuple[str, SafeString]]:
    for name, value in data.items():
        if _is_empty(value) or f"{name}_html" in data or f"{name}_user" in data or name == "url":
            continue
        if str(name).endswith("_user"):
            yield _label(str(name).removesuffix("_user")), as_html(value)
        elif str(name).endswith("_url"):
            link = format_html('<a href="{}">see all, or add one</a>', value)
            yield _label(str(name).removesuffix("_url")), link
        elif str(name).endswith("_html") and isinstance(value, str):
            import nh3

            # Made safe where it was made; here again, so that a page never depends on that.
            yield _label(str(name).removesuffix("_html")), SafeString(nh3.clean(value))  # nosec B703 # cleaned just here
        else:
            yield _label(name), as_html(value)


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | Sequence | Mapping) and not value)


def _table(rows: Sequence[Any], path: str, summary: Sequence[str]) -> SafeString:
    """One row a thing, with a link to its own page where it has one, and the members that its view names."""
    if not rows:
        return SafeString('<p class="none">Nothing here.</p>')
    if not all(isinstance(row, Mapping) for row in rows):
        return as_html(list(rows))
    names = [name for name in summary or rows[0] if _is_short(name, rows)]
    head = format_html_join("", "<th>{}</th>", ((_label(name),) for name in names))
    body = format_html_join("", "<tr>{}</tr>", ((_cells(row, names, path),) for row in rows))
    return format_html('<div class="wide"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>', head, body)


def _is_short(name: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a member fits a cell: a plain value or a person, and asked for at all."""
    if name not in rows[0] or (name == "url" and "id" in rows[0]):
        return False
    values = [row.get(name) for row in rows]
    return all(
        not isinstance(value, dict | list) or (isinstance(value, dict) and value.keys() >= PERSON) for value in values
    )


def _cells(row: Mapping[str, Any], names: Sequence[str], path: str) -> SafeString:
    own = f"{path.rstrip('/')}/{row.get('id')}"
    link = own if row.get("id") and _resolves(own) else ""
    cells = []
    for name in names:
        value = as_html(row.get(name))
        linked = link and name in {"id", "number", "title", "name"}
        cells.append((format_html('<a href="{}">{}</a>', link, row.get(name)) if linked else value,))
    return format_html_join("", "<td>{}</td>", cells)


def _paragraphs(text: str) -> SafeString:
    """The view's docstring, with its `code`."""
    coded = (_CODE.sub(r"<code>\1</code>", escape(part)) for part in text.split("\n\n"))
    marked = (SafeString(part) for part in coded)  # nosec B703 # escaped just here
    return format_html_join("", "<p>{}</p>", ((part,) for part in marked))


def _forms(data: Any, view: Any, request: Request, response: Response) -> Iterator[dict[str, Any]]:
    if response.status_code in _NOTHING_TO_DO:
        return
    for suffix, related in view.related_views().items():
        below = related(request=request, args=(), kwargs=view.kwargs)
        yield from _form(None, below, request, response, "POST", f"{request.path.rstrip('/')}/{suffix}")
    methods = [method for method in VERBS if method in view.allowed_methods]
    if "PATCH" in methods and "PUT" in methods:
        methods.remove("PUT")  # a person changes; replacing is for programs
    for method in methods:
        yield from _form(data, view, request, response, method)


def _form(
    data: Any, view: Any, request: Request, response: Response, method: str, related: str = ""
) -> Iterator[dict[str, Any]]:
    """The form of one method, if the reader may use it; ``related`` is the address of a view below the page's own."""
    version = getattr(response, "version", None)
    with override_method(view, request, method) as as_method:
        if not _is_allowed(view, as_method):
            return
        serializer = _serializer(data, view, request, method, is_sent=not related)
        yield {
            "method": method,
            "title": view.get_view_name() if related else "",
            "verb": VERBS[method],
            "action": related or request.get_full_path(),
            "stays": bool(related),
            "etag": "" if version is None else f'"{version}"',
            "fields": "" if serializer is None else FormRenderer().render(serializer.data, renderer_context=_STYLE),
        }


def _is_allowed(view: Any, request: Request) -> bool:
    try:
        view.check_permissions(request)
    except (TicketingError, APIException):
        return False
    return True


def _serializer(data: Any, view: Any, request: Request, method: str, *, is_sent: bool) -> BaseSerializer[Any] | None:
    """The method's form: filled with what was just sent in vain, or with what is being read."""
    if method not in view.inputs:
        return None
    if is_sent and request.method == method and hasattr(request.data, "lists") and request.data:
        serializer: Any = view.get_serializer(data=request.data)
        serializer.is_valid()
        return serializer  # type: ignore[no-any-return]
    serializer = view.get_serializer()
    if method != "POST" and isinstance(data, Mapping):
        for name, field in serializer.fields.items():
            value = data.get(name)
            field.initial = value.get("id") if isinstance(value, Mapping) else value
        view.fit_form(serializer, data)
    return serializer  # type: ignore[no-any-return]


class FormRenderer(HTMLFormRenderer):
    """DRF's, which can neither show a list in one input nor hide the label of a hidden one."""

    default_style = ClassLookupDict(
        {
            **HTMLFormRenderer.default_style.mapping,
            **{kind: {"base_template": "json_only.html"} for kind in _JSON_ONLY},
        }
    )

    def render_field(self, field: Any, parent_style: Any) -> Any:
        if field._field.style.get("input_type") == "hidden":
            value = "" if field.value is None else field.value
            return format_html('<input type="hidden" name="{}" value="{}">', field.name, value)
        if isinstance(field.value, list) and field._field.style.get("base_template") == "input.html":
            field.value = ", ".join(map(str, field.value))
        return super().render_field(field, parent_style)


_STYLE = {"style": {"template_pack": "api/fields"}}


def _filters(view: Any, request: Request) -> list[dict[str, Any]]:
    if view.filters is None:
        return []
    helps = {name: each.schema.get("description", "") for name, each in view.filters.base_filters.items()}
    if view.filters.orderings:
        helps["ordering"] = "One of " + ", ".join(view.filters.orderings)
    return [
        {"name": name, "label": _label(name), "value": request.query_params.get(name, ""), "help": text}
        for name, text in helps.items()
    ]


def _next_pages(data: Mapping[str, Any], request: Request) -> list[tuple[str, str]]:
    kept: list[tuple[str, Any]] = [
        (name, value) for name, value in request.query_params.items() if name not in {"after", "before"}
    ]
    cursors = data.get("page") or {}
    labels = {"before": "← Previous", "after": "Next →"}
    return [
        (label, f"?{urlencode([*kept, (name, cursors[name])])}") for name, label in labels.items() if cursors.get(name)
    ]


def _label(name: object) -> str:
    return str(name).replace("__gte", " from").replace("__lt", " before").replace("_", " ").capitalize()


def _resolves(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


def _find_url(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
