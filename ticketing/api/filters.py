"""List filters as django-filter knows them, but strict: a bad value or an unknown name is refused and named."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, Self

import django_filters
from django import forms
from django.db.models import Q
from rest_framework.request import Request

from ticketing.api.renderers import is_page
from ticketing.api.serializers import find_time
from ticketing.errors import FieldError, InvalidInput
from ticketing.mongo import ObjectId, parse_object_id
from ticketing.mongo.models import TenantQuerySet
from ticketing.mongo.pages import Sort

MAX_VALUES = 30  # MongoDB merges up to 200 index scans before it sorts in memory; a list may name six statuses too


def listed(value: str, most: int | None = MAX_VALUES) -> str:
    """The pattern of values between commas, blanks around each allowed; ``value`` is the pattern of one of them."""
    return rf"^ *({value}) *(, *({value}) *){{0,{'' if most is None else most - 1}}}$"


class Asked(NamedTuple):
    """What filters read of a request."""

    query_params: Mapping[str, str]
    auth: Any
    accepted_renderer: Any


class _ListField(forms.Field):
    """Values between commas; each has to pass ``parse``, which raises ValueError."""

    def __init__(self, parse: Any, **kwargs: Any) -> None:
        self.parse = parse
        super().__init__(**{"required": False, **kwargs})

    def clean(self, value: Any) -> list[Any]:
        parts = [part.strip() for part in str(value).split(",")]
        if len(parts) > MAX_VALUES:
            raise forms.ValidationError(f"at most {MAX_VALUES} values", "too_many")
        return [self._parsed(part) for part in parts]

    def _parsed(self, part: str) -> Any:
        if not part or "\0" in part:
            raise forms.ValidationError("a value is empty or holds a NUL character", "invalid")
        try:
            return self.parse(part)
        except ValueError as error:
            raise forms.ValidationError(str(error), "invalid") from None


class _OneField(_ListField):
    """A single value; a comma belongs to it."""

    def clean(self, value: Any) -> Any:
        return self._parsed(str(value))


class _StrictFilter(django_filters.Filter):  # type: ignore[misc]
    """``schema`` is the parameter's JSON schema in the OpenAPI document."""

    form_class: ClassVar[type[_ListField]] = _ListField
    schema: Mapping[str, Any] = {"type": "string"}

    def of(self, parent: "StrictFilterSet") -> Self:
        """This filter for one request; a shallow copy is enough, as nothing within changes."""
        own = copy.copy(self)
        own.parent = parent
        return own

    @property
    def field(self) -> forms.Field:
        if not hasattr(self, "_field"):
            self._field = self.form_class(self.parse)
        return self._field

    def parse(self, text: str) -> Any:
        """One value. Raises ValueError with a text for the caller."""
        raise NotImplementedError

    def condition(self, value: Any) -> Q:
        """What a parsed value asks of the rows."""
        return Q(**{f"{self.field_name}__{self.lookup_expr}": value})

    def filter(self, qs: TenantQuerySet, value: Any) -> TenantQuerySet:
        narrowed: TenantQuerySet = (qs.exclude if self.exclude else qs.filter)(self.condition(value))
        return narrowed


class ChoicesFilter(_StrictFilter):
    """``status=open,pending``: any of the listed values, each one of ``choices``."""

    def __init__(self, field_name: str, choices: Sequence[str], **kwargs: Any) -> None:
        self.choices = [str(choice) for choice in choices]
        self.schema = {
            "type": "string",
            "description": "Any of these, between commas: " + ", ".join(self.choices),
            "pattern": listed("|".join(self.choices)),
        }
        super().__init__(field_name=field_name, **kwargs)

    def parse(self, text: str) -> str:
        if text not in self.choices:
            raise ValueError(f"“{text[:40]}” is not one of {', '.join(self.choices)}")
        return text

    def condition(self, value: list[str]) -> Q:
        return _any_of(self.field_name, value)


class WordsFilter(_StrictFilter):
    """``tag=printer,vpn``: any of the listed texts, compared exactly."""

    def __init__(self, field_name: str, max_length: int = 200, **kwargs: Any) -> None:
        self.max_length = max_length
        text = rf"[^\s,\x00]([^,\x00]{{0,{max_length - 2}}}[^\s,\x00])?"
        self.schema = {"type": "string", "description": "Any of the values between commas", "pattern": listed(text)}
        super().__init__(field_name=field_name, **kwargs)

    def parse(self, text: str) -> str:
        return _no_longer_than(self.max_length, text)

    def condition(self, value: list[str]) -> Q:
        return _any_of(self.field_name, value)


class IdsFilter(_StrictFilter):
    """``assigned_to=me``, ``none`` or ids between commas. ``me`` is the principal's user; both words are optional."""

    def __init__(self, field_name: str, *, me: bool = False, none: bool = False, **kwargs: Any) -> None:
        self.words = [*(["me"] if me else []), *(["none"] if none else [])]
        self.schema = {
            "type": "string",
            "description": ", ".join([*self.words, "or ids between commas"]),
            "pattern": listed("|".join([*self.words, "[0-9a-fA-F]{24}"])),
        }
        super().__init__(field_name=field_name, **kwargs)

    def parse(self, text: str) -> ObjectId | str:
        found = text if text in self.words else parse_object_id(text)
        if found is None:
            raise ValueError(f"“{text[:40]}” is not " + " or ".join([*self.words, "an id"]))
        return found

    def condition(self, value: list[ObjectId | str]) -> Q:
        words = {"me": self.parent.request.auth.user_id if "me" in value else None, "none": None}
        return _any_of(self.field_name, [words[v] if isinstance(v, str) else v for v in value])


class TimeFilter(_StrictFilter):
    """``created_at__gte=2026-02-01T00:00:00Z``: ``TimeFilter("created_at", "gte")``."""

    form_class = _OneField
    schema = {"type": "string", "format": "date-time"}

    def __init__(self, field_name: str, lookup: str, **kwargs: Any) -> None:
        super().__init__(field_name=field_name, lookup_expr=lookup, **kwargs)

    def parse(self, text: str) -> datetime:
        found = find_time(text.replace(" ", "+"))  # an unescaped + arrives as a space
        if found is None:
            raise ValueError("this must be a time with a zone, such as 2026-02-01T09:30:00Z")
        return found


class FlagFilter(_StrictFilter):
    """``is_active=true`` or ``false``."""

    form_class = _OneField
    schema = {"type": "boolean"}

    def parse(self, text: str) -> bool:
        if text not in {"true", "false"}:
            raise ValueError("this must be true or false")
        return text == "true"


class SearchFilter(_StrictFilter):
    """``q=``: a text that the view searches for itself; read it with ``StrictFilterSet.value("q")``."""

    form_class = _OneField

    def __init__(self, max_length: int = 200, **kwargs: Any) -> None:
        self.max_length = max_length
        self.schema = {"type": "string", "minLength": 1, "maxLength": max_length, "pattern": r"^[^\x00]*$"}
        super().__init__(**kwargs)

    def parse(self, text: str) -> str:
        return _no_longer_than(self.max_length, text.strip())

    def filter(self, qs: TenantQuerySet, value: str) -> TenantQuerySet:
        return qs


class StrictFilterSet(django_filters.FilterSet):  # type: ignore[misc]
    """Declare the filters, and ``orderings``: what ``ordering=`` may say and the keyset order that it means.

    The first ordering is the default. Each one must end in ``_id`` and have its index.
    """

    orderings: ClassVar[Mapping[str, Sort]] = {}

    @classmethod
    def of(cls, request: Request | Asked, queryset: TenantQuerySet) -> Self:
        """The filters of a request. Raises InvalidInput naming every parameter that is wrong."""
        found = cls(request.query_params, queryset=queryset, request=request)
        faults = [] if found.is_form else _empty(found)
        for name, each in found.filters.items():
            try:
                found.values[name] = each.field.clean(found.data[name])
            except forms.ValidationError as error:
                faults.append(FieldError(name, error.code or "invalid", error.messages[0]))
        if cls.orderings and found.ordering not in cls.orderings:
            allowed = ", ".join(cls.orderings)
            faults.append(FieldError("ordering", "invalid", f"this must be one of {allowed}"))
        if faults:
            raise InvalidInput(f"{faults[0].field}: {faults[0].message}", errors=faults)
        return found

    def __init__(self, data: Mapping[str, str], queryset: TenantQuerySet, *, request: Request | Asked) -> None:
        """Without django-filter's own, which copies all filters and builds a form's class anew for every request."""
        self.data, self.queryset, self.request = data, queryset, request
        self.filters = {name: each.of(self) for name, each in self.base_filters.items() if data.get(name)}
        self.values: dict[str, Any] = {}

    @cached_property
    def qs(self) -> TenantQuerySet:
        """The queryset, narrowed by all that is given."""
        return self.narrowed(self.queryset, self.values)

    def narrowed(self, queryset: TenantQuerySet, names: Iterable[str]) -> TenantQuerySet:
        """A queryset narrowed by what is given of these parameters."""
        for name in names:
            if name in self.values:
                queryset = self.filters[name].filter(queryset, self.values[name])
        return queryset

    @property
    def is_form(self) -> bool:
        """Whether an HTML form may have sent this: it sends its empty fields too."""
        return is_page(self.request)

    @property
    def ordering(self) -> str:
        """The ordering asked for, or the default."""
        default = next(iter(self.orderings), "")
        return str(self.data.get("ordering") or default)

    @property
    def sort(self) -> Sort:
        """The keyset order that the ordering means."""
        return self.orderings[self.ordering]

    def value(self, name: str) -> Any:
        """A parameter's parsed value, or None."""
        return self.values.get(name)


def _empty(found: StrictFilterSet) -> list[FieldError]:
    names = [name for name in [*found.base_filters, "ordering"] if found.data.get(name) == ""]
    return [FieldError(name, "empty", "this has no value; leave it out where it is not meant") for name in names]


def _any_of(field_name: str, values: Sequence[Any]) -> Q:
    present = [value for value in values if value is not None]
    condition = Q(**{f"{field_name}__in": present}) if len(present) > 1 else Q()
    if len(present) == 1:
        condition = Q(**{field_name: present[0]})
    if len(present) == len(values):
        return condition
    missing = Q(**{f"{field_name}__isnull": True})
    return condition | missing if present else missing


def _no_longer_than(length: int, text: str) -> str:
    if len(text) > length:
        raise ValueError(f"a value may have at most {length} characters")
    return text
