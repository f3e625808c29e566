"""The rows of a list, in unfold's dress. unfold's own way asks for the headers and looks each column up for every row,
which made two thirds of what a list costs; here that happens once a list."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import display_for_field, display_for_value
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from unfold.templatetags import unfold_list
from unfold.views import ChangeList

Show = Callable[[Any], Any]


class Column(NamedTuple):
    """One of ``list_display``: its start tag, what it shows of a row, and whether that leads to the row's page."""

    start: SafeString
    end: SafeString
    show: Show
    is_link: bool


def result_list(context: Mapping[str, Any], cl: ChangeList) -> dict[str, Any]:
    """The headers and rows of a list, for ``console/results.html``."""
    headers = list(unfold_list.result_headers(cl))
    columns = [_column(cl, name, str(header["text"])) for name, header in zip(cl.list_display, headers, strict=True)]
    return {
        "cl": cl,
        "result_headers": headers,
        "num_sorted_fields": sum(1 for header in headers if header["sortable"] and header["sorted"]),
        "rows": [_cells(cl, columns, row) for row in cl.result_list],
        "has_add_permission": cl.model_admin.has_add_permission(context["request"]),
    }


def _column(cl: ChangeList, name: str, label: str) -> Column:
    if name == "action_checkbox":
        kind, label, tag = unfold_list.CHECKBOX_CLASSES, _("Select record"), "td"
    else:
        kind, tag = [f"field-{name}", *unfold_list.ROW_CLASSES], "td"
    is_link = bool(cl.list_display_links) and name in cl.list_display_links
    if is_link:
        tag = "th"
    start = format_html('<{} class="{}" data-label="{}">', tag, " ".join(kind), label)
    return Column(start, format_html("</{}>", tag), _show(cl, name), is_link)


def _show(cl: ChangeList, name: str) -> Show:
    """What shows a column's value, as Django's ``lookup_field`` finds it: a field, or a method of the ModelAdmin."""
    nothing = cl.model_admin.get_empty_value_display()
    try:
        field = cl.model._meta.get_field(name)
    except FieldDoesNotExist:
        method = getattr(cl.model_admin, name)
        nothing = getattr(method, "empty_value_display", nothing)
        return lambda row: display_for_value(method(row), nothing)
    return lambda row: display_for_field(field.value_from_object(row), field, nothing)


def _cells(cl: ChangeList, columns: Iterable[Column], row: Model) -> SafeString:
    return format_html_join("", "{}{}{}", ((each.start, _shown(cl, each, row), each.end) for each in columns))


def _shown(cl: ChangeList, column: Column, row: Model) -> Any:
    shown = column.show(row)
    if not column.is_link:
        return shown
    url = add_preserved_filters({"preserved_filters": cl.preserved_filters, "opts": cl.opts}, cl.url_for_result(row))
    return format_html('<a class="{}" href="{}">{}</a>', " ".join(unfold_list.LINK_CLASSES), url, shown)
