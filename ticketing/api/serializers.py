"""Input that is checked, never guessed: unknown names and wrong JSON types are refused with the field named."""

import re
from collections.abc import Iterator, Mapping
from copy import copy, deepcopy
from datetime import UTC, datetime
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.utils import html

from ticketing.api.renderers import rfc3339
from ticketing.clock import to_milliseconds
from ticketing.mongo import ObjectId, parse_object_id

TITLE_LENGTH = 200
TEXT_BYTES = 64 * 1024

_FORM_EXTRAS = {"csrfmiddlewaretoken"}
# Control characters (Cc), separators of lines and paragraphs (Zl, Zp), and bidirectional overrides and isolates, which
# make a line read differently from what it says (Unicode TR 36, 2.6); the OpenAPI document has them as a pattern, too.
_NO_LINE = r"\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
_NO_TEXT = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_NOT_IN_LINE, _NOT_IN_TEXT = re.compile(f"[{_NO_LINE}]"), re.compile(f"[{_NO_TEXT}]")
_PART = re.compile(r"(?P<whole>\w+)(?:(?P<item>\[\d+\])|\.).*", re.ASCII | re.DOTALL)
# RFC 3339, section 5.6: the zone is required, so that no time is ambiguous.
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)


class StrictSerializer(serializers.Serializer[Any]):
    """Base of all input. JSON values must have the field's own type; forms, which know only text, are converted.

    ``example`` is shown in the OpenAPI document.
    """

    example: ClassVar[Mapping[str, Any] | None] = None

    def get_fields(self) -> dict[str, Any]:
        """Copies of the declared fields. DRF makes each anew, which takes longer than all that they check."""
        return {name: _copied(field) for name, field in self._declared_fields.items()}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Raises ValidationError with everything that is wrong, not just the first fault."""
        faults = dict(self._faults(data)) if isinstance(data, Mapping) else {}
        try:
            value: dict[str, Any] = super().to_internal_value(data)
        except ValidationError as error:
            if not isinstance(error.detail, dict):
                raise
            raise ValidationError({**error.detail, **faults}) from None
        if faults:
            raise ValidationError(faults)
        return value

    def _faults(self, data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        is_form = html.is_html_input(data)
        writable = {field.field_name: field for field in self._writable_fields}
        for name in data:
            if name in writable:
                fault = None if is_form else _type_fault(writable[name], data[name])
                if fault:
                    yield name, fault
            elif name in self.fields:
                yield name, [ErrorDetail("This field cannot be set.", "read_only")]
            elif not (is_form and (name in _FORM_EXTRAS or _is_part(writable, name))):
                yield name, [ErrorDetail("There is no such field.", "unknown")]


def _is_part(fields: Mapping[Any, Any], name: str) -> bool:
    """Whether a form's field is an item of a list (``tags[0]``) or a member of an object (``settings.colour``)."""
    found = _PART.fullmatch(name)
    field = fields.get(found["whole"]) if found else None
    kinds = (serializers.ListField,) if found and found["item"] else (serializers.DictField, serializers.BaseSerializer)
    return isinstance(field, kinds)


def _copied(field: serializers.Field[Any, Any, Any, Any]) -> Any:
    """A field to bind and adjust. What it holds is the declared one's, too: it is replaced, never changed in place."""
    if isinstance(field, serializers.BaseSerializer):
        return deepcopy(field)
    copied: Any = copy(field)
    if isinstance(field, serializers.ListField):
        copied.child = _copied(copied.child)
        copied.child.parent = copied
    return copied


def _type_fault(field: serializers.Field[Any, Any, Any, Any], value: Any) -> Any:
    """What is wrong with the JSON type of a value, in ValidationError's shape, or None."""
    if value is None:
        return None
    if isinstance(field, serializers.ListField) and isinstance(value, list):
        faults = {position: _type_fault(field.child, item) for position, item in enumerate(value)}
        return {position: fault for position, fault in faults.items() if fault} or None
    for kinds, types, name in _JSON_TYPES:
        if isinstance(field, kinds):
            right = isinstance(value, types) and (bool in types or not isinstance(value, bool))
            if types == (int,) and isinstance(value, float):
                right = value.is_integer()  # 3.0 is one (JSON Schema 2020-12, validation, section 6.1.1)
            return None if right else [ErrorDetail(f"This must be {name}.", "wrong_type")]
    return None


_JSON_TYPES: list[tuple[tuple[type[Any], ...], tuple[type, ...], Any]] = [
    ((serializers.BooleanField,), (bool,), "true or false"),
    ((serializers.IntegerField,), (int,), "a whole number"),
    ((serializers.FloatField,), (int, float), "a number"),
    (
        (serializers.CharField, serializers.ChoiceField, serializers.DateTimeField, serializers.DateField),
        (str,),
        "a string",
    ),
]


class LineField(serializers.CharField):
    """One line of text, by default a title's 200 characters. No line breaks, no control or direction characters."""

    schema = {"pattern": rf"^[^{_NO_LINE}]*$"}

    default_error_messages = {"control": "This must be one line without control characters."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": TITLE_LENGTH, **kwargs})
        if not self.allow_blank:
            self.schema = {"pattern": rf"^[^{_NO_LINE}]*[^\s{_NO_LINE}][^{_NO_LINE}]*$"}

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(data)
        if _NOT_IN_LINE.search(text):
            self.fail("control")
        return text


class TextField(serializers.CharField):
    """Text of several lines, limited in bytes as it is stored (UTF-8). Line ends become ``\\n``; other control
    characters are refused."""

    default_error_messages = {
        "control": "Control characters other than line breaks and tabs are not allowed.",
        "max_bytes": "This may have at most {max_bytes} bytes.",
    }

    def __init__(self, **kwargs: Any) -> None:
        self.max_bytes = kwargs.pop("max_bytes", TEXT_BYTES)
        kwargs.setdefault("style", {"base_template": "textarea.html", "rows": 8})
        super().__init__(**{"trim_whitespace": False, **kwargs})
        filled = "" if self.allow_blank else rf"[^\s{_NO_TEXT}][^{_NO_TEXT}]*"
        self.schema = {"maxLength": self.max_length or self.max_bytes, "pattern": rf"^[^{_NO_TEXT}]*{filled}$"}

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(data).replace("\r\n", "\n").replace("\r", "\n")
        if _NOT_IN_TEXT.search(text):
            self.fail("control")
        if len(text.encode("utf-8", "surrogatepass")) > self.max_bytes:
            self.fail("max_bytes", max_bytes=self.max_bytes)
        return text

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Text that is nothing but white space counts as blank, although the white space of real text is kept."""
        if isinstance(data, str) and not data.strip():
            data = ""
        return super().run_validation(data)


class ObjectIdField(serializers.CharField):
    """An id: 24 hexadecimal digits in, an ObjectId inside, the digits out."""

    default_error_messages = {"invalid_id": "This is not an id."}
    schema = {"pattern": "^[0-9a-fA-F]{24}$"}

    def to_internal_value(self, data: Any) -> ObjectId:  # type: ignore[override]
        found = parse_object_id(super().to_internal_value(data))
        if found is None:
            self.fail("invalid_id")
        return found

    def to_representation(self, value: Any) -> str:
        return str(value)


class UTCDateTimeField(serializers.DateTimeField):
    """A time with its zone (RFC 3339) in, aware UTC of whole milliseconds inside, UTC with ``Z`` out."""

    default_error_messages = {"invalid": "This must be a time with a zone, such as 2026-02-01T09:30:00Z."}

    def to_internal_value(self, value: Any) -> datetime:
        found = find_time(value) if isinstance(value, str) else None
        if found is None:
            self.fail("invalid", format="RFC 3339")
        return found

    def to_representation(self, value: Any) -> str | None:  # type: ignore[override]
        return rfc3339(value) if isinstance(value, datetime) else value


class WordsField(serializers.ListField):
    """A list of short texts. JSON has a list; a form has one input with the words between commas."""

    child = LineField(max_length=80)

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("style", {"base_template": "input.html", "input_type": "text"})
        super().__init__(**kwargs)

    def get_value(self, dictionary: Any) -> Any:
        if not html.is_html_input(dictionary):
            return super().get_value(dictionary)
        if self.field_name not in dictionary:
            return serializers.empty
        given = dictionary.getlist(self.field_name)
        return [word.strip() for text in given for word in text.split(",") if word.strip()]


class PageInfo(serializers.Serializer[Any]):
    """Where a page stands in its list."""

    limit = serializers.IntegerField()
    has_more = serializers.BooleanField(help_text="Whether rows follow in the list's own order.")
    after = serializers.CharField(allow_null=True, help_text="The cursor of the next page.")
    before = serializers.CharField(allow_null=True, help_text="The cursor of the previous page.")
    incomplete = serializers.BooleanField(
        required=False,
        help_text="True where a search came to its limit before the page was full; its cursor goes on from there.",
    )
    count = serializers.RegexField(
        r"^\d+\+?$",
        required=False,
        help_text='With `count=true`: how many there are, counted up to 10,000 ("10000+" beyond that); "57+" is at '
        "least 57, where a search came to its limit.",
    )


def find_time(text: str) -> datetime | None:
    """The time of an RFC 3339 text with a zone, in UTC, or None where it is not one."""
    if not _TIME.fullmatch(text):
        return None
    try:
        return to_milliseconds(datetime.fromisoformat(text.upper()).astimezone(UTC))
    except (ValueError, OverflowError):
        return None
