"""Texts with variables: ``{{ requester.name }}``. Only the known ones, filled in once; nothing is evaluated."""

import re
from collections.abc import Mapping
from difflib import get_close_matches

from ticketing.errors import InvalidInput, Message
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
_VARIABLE = re.compile(r"\{\{([^{}]*)\}\}")


def clean_body(value: str) -> str:
    """Markdown of 1 to 10,000 characters whose variables all exist. Raises InvalidInput."""
    body = clean_text(value, "body", required=True)
    if len(body) > MAX_BODY:
        raise InvalidInput.of("body", Message("has more than {limit} characters", limit=MAX_BODY), "max_length")
    for name in map(str.strip, _VARIABLE.findall(body)):
        if name not in VARIABLES:
            raise InvalidInput.of("body", _unknown(name), "unknown_variable")
    return body


def _unknown(name: str) -> Message:
    if near := get_close_matches(name, VARIABLES, 1):
        text = "has the unknown variable {name}; did you mean {near}?"
        return Message(text, name=_shown(name), near=_shown(near[0]))
    return Message("has the unknown variable {name}; there are {known}", name=_shown(name), known=(*VARIABLES,))


def _shown(variable: str) -> str:
    return f"{{{{ {variable} }}}}"


def fill(body: str, values: Mapping[str, str]) -> str:
    """The text with its variables replaced; what is filled in is text, also where it looks like a variable."""
    return _VARIABLE.sub(lambda found: values.get(found[1].strip(), found[0]), body)
