"""What a saved view may be called and hold."""

from urllib.parse import parse_qsl, urlencode

from accounts.rules import clean_name
from ticketing.errors import InvalidInput, LimitExceeded, Message

MAX_NAME = 60
MAX_QUERY = 1000
MAX_OF_OWNER = 50


def clean_view_name(value: object) -> str:
    """One line of 1 to 60 characters. Raises InvalidInput."""
    return clean_name(value, MAX_NAME)


def clean_query(value: str) -> str:
    """A list's part of a URL, without what is empty in it. Raises InvalidInput."""
    query = urlencode(parse_qsl(value))
    if len(query) > MAX_QUERY:
        raise InvalidInput.of("query", Message("has more than {limit} characters", limit=MAX_QUERY), "max_length")
    return query


def check_room(views: int) -> None:
    """Raises LimitExceeded for somebody who keeps as many views as he may."""
    if views >= MAX_OF_OWNER:
        raise LimitExceeded(Message("You keep {limit} views already; delete one first", limit=MAX_OF_OWNER))
