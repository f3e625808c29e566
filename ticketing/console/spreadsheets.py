"""Tables as files that spreadsheets open."""

import csv
from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpResponse

# What a spreadsheet takes for the beginning of a formula (https://owasp.org/www-community/attacks/CSV_Injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv_answer(name: str, lines: Iterable[Sequence[Any]]) -> HttpResponse:
    """The lines as a CSV file to keep, in UTF-8 with the mark by which Excel knows it."""
    answer = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    csv.writer(answer).writerows([safe_cell(cell) for cell in line] for line in lines)
    return answer


def safe_cell(value: Any) -> Any:
    """The value, in a form that no spreadsheet calculates: text that looks like a formula gets an apostrophe."""
    if isinstance(value, int | float):
        return value
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" \u00a0").startswith(_FORMULA) or text.startswith(_FORMULA) else text
