"""Texts with variables: ``{{ requester.name }}``. Only the known ones, filled in once; nothing is evaluated."""

import re
from collections.abc import Mapping
from difflib import get_close_matches

from ticketing.errors import InvalidInput
from tickets.rules import clean_text

MAX_NAME = 80
MAX_BODY = 10_000
MAX_OF_OWNER = 100
MAX_SHARED = 400

VARIABLES = (
    "requester.name",
    "requester.first_name",
    "ticket.number",
    "ticket.title",
    "agent.name",
    "tenant.name",
)
_VARIABLE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


def clean_body(value: str) -> str:
    """Markdown of 1 to 10,000 characters whose variables all exist. Raises InvalidInput."""
    body = clean_text(value, "body", required=True)
    if len(body) > MAX_BODY:
        raise InvalidInput.of("body", f"has more than {MAX_BODY} characters", "max_length")
    for name in _VARIABLE.findall(body):
        if name not in VARIABLES:
            near = get_close_matches(name, VARIABLES, 1)
            meant = f"; did you mean {{{{ {near[0]} }}}}?" if near else f"; there are {', '.join(VARIABLES)}"
            raise InvalidInput.of("body", f"has the unknown variable {{{{ {name} }}}}{meant}", "unknown_variable")
    return body


def fill(body: str, values: Mapping[str, str]) -> str:
    """The text with its variables replaced; what is filled in is text, also where it looks like a variable."""
    return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), body)
