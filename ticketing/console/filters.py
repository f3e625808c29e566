"""Filters of a list, each a visible control of one form. Subclasses say what a value asks of the rows."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib.admin.filters import SimpleListFilter
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class SelectFilter(SimpleListFilter):
    """One of a few choices. Subclasses set ``title``, ``parameter_name`` and ``lookups``, and override ``narrow``."""

    template = "console/filter_select.html"
    any_label: ClassVar[Any] = _("Any")
    hidden: ClassVar[bool] = False

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        asked = self.value() or ""
        offered = [("", self.any_label), *((str(value), label) for value, label in self.lookup_choices)]
        if asked not in dict(offered):  # the form has to send again what narrows the list
            offered.append((asked, self.label_of(asked)))
        for value, label in offered:
            yield {"value": value, "display": label, "selected": value == asked}

    def label_of(self, value: str) -> Any:
        """What a value is called that the URL asks for and no choice has."""
        return value

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return self.narrow(request, queryset, value) if value else queryset

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        """The rows that ``value`` leaves; it is whatever the URL says, not only one of the choices."""
        return queryset.filter(**{str(self.parameter_name): value})


class TextFilter(SelectFilter):
    """A text; ``placeholder`` says what of. It has to match exactly unless ``narrow`` has it otherwise."""

    template = "console/filter_text.html"
    placeholder: ClassVar[Any] = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return []


class LinkFilter(TextFilter):
    """A value that only links set."""

    template = "console/filter_hidden.html"
    hidden = True
