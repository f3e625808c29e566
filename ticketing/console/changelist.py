"""Lists that cost the same at any length: keyset pages, capped counts, no joins."""

from functools import cached_property
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.views import ChangeList

from ticketing.console.display import figure
from ticketing.errors import InvalidInput
from ticketing.mongo.pages import Count, Page, PageRequest, Sort

COUNT_CAP = 10_000
CURSORS = ("after", "before")


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than COUNT_CAP; the pages themselves are the change list's."""

    template_name = "console/pagination.html"
    counted: Count | None = None

    @cached_property
    def count(self) -> int:
        """The number of rows, COUNT_CAP + 1 for any larger one."""
        rows: Any = self.object_list
        return int(rows[: COUNT_CAP + 1].count()) if self.counted is None else self.counted.amount

    @property
    def shown_count(self) -> str:
        return (self.counted or Count(self.count)).shown(COUNT_CAP, figure)


class KeysetChangeList(ChangeList):
    """Django's change list with cursors in place of page numbers; ordered by one indexed field and the key."""

    page: Page

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> QuerySet[Any]:
        """What search and filters leave; what they refuse is a wrong address, not an error of ours."""
        try:
            queryset: QuerySet[Any] = super().get_queryset(request, *args, **kwargs)
        except InvalidInput as error:
            raise IncorrectLookupParameters from error
        return queryset

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str]:
        [leading, *_] = super().get_ordering(request, queryset)
        if leading.removeprefix("-") in ("pk", *self.model_admin.unique_orderings):
            return [leading]
        return [leading, "-pk" if leading.startswith("-") else "pk"]

    def get_ordering_field(self, field_name: Any) -> str | None:
        """Only what the ModelAdmin calls sortable has an index; Django itself takes any column from the URL."""
        sortable = self.sortable_by is None or field_name in self.sortable_by
        return super().get_ordering_field(field_name) if sortable else None

    def apply_select_related(self, qs: QuerySet[Any]) -> QuerySet[Any]:
        """No list joins; ``ServiceModelAdmin.prepare_rows`` looks the names up."""
        return qs

    def get_results(self, request: HttpRequest) -> None:
        cursors: dict[str, str] = getattr(request, "cursors", {})
        try:
            asked = PageRequest(self.list_per_page, cursors.get("after", ""), cursors.get("before", ""))
            self.page = self.model_admin.get_page(request, self.queryset, asked)
        except InvalidInput as error:
            raise IncorrectLookupParameters from error
        rows = [self.model.from_document(document) for document in self.page.rows]
        self.result_list = self.model_admin.prepare_rows(request, rows)
        self.paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        self.paginator.counted = self.model_admin.count_rows(request, self.queryset, self.page)
        self.result_count = self.paginator.count
        self.full_result_count = self.result_count
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = self.multi_page = False
        self.empty_text = "" if rows else self.model_admin.get_empty_text(request)

    @property
    def is_narrowed(self) -> bool:
        """Whether a search or a visible filter is set."""
        return bool(self.query or self.filters_set)

    @property
    def visible_filters(self) -> list[Any]:
        return [spec for spec in self.filter_specs if not spec.hidden]

    @property
    def filters_set(self) -> int:
        """How many visible filters have a value."""
        return sum(bool(spec.value()) for spec in self.visible_filters)

    @property
    def cleared_url(self) -> str:
        """The list without them."""
        visible = [spec.parameter_name for spec in self.visible_filters]
        return str(self.get_query_string(dict.fromkeys([*visible, SEARCH_VAR])))

    @property
    def next_page_url(self) -> str:
        return str(self.get_query_string({"after": self.page.after})) if self.page.after else ""

    @property
    def previous_page_url(self) -> str:
        return str(self.get_query_string({"before": self.page.before})) if self.page.before else ""


class UnreadChangeList(KeysetChangeList):
    """Filters and orders as the list does, and reads nothing: ``queryset`` is what it would read."""

    def get_results(self, request: HttpRequest) -> None:
        """Nothing."""


def sort_of(queryset: QuerySet[Any]) -> Sort:
    """The queryset's ordering in the terms of its collection."""
    names = [str(name) for name in queryset.query.order_by]
    return [(_column(name.removeprefix("-")), -1 if name.startswith("-") else 1) for name in names]


def take_cursors(request: HttpRequest) -> None:
    """Moves the cursors out of the query, so that every link made from it starts at the first page again."""
    query = request.GET.copy()
    request.cursors = {name: value[-1] for name in CURSORS if (value := query.pop(name, None))}  # type: ignore[attr-defined]
    query._mutable = False
    request.GET = query  # type: ignore[assignment]


def _column(name: str) -> str:
    return "_id" if name in ("pk", "id") else name
