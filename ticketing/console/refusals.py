"""What services refuse, in the language of whoever is at the console; the API says the same in English."""

from django.utils.translation import gettext

from ticketing.errors import TicketingError, translated


def explain(error: TicketingError) -> str:
    """The whole of an error, for a message beside no field."""
    if len(error.errors) < 2:
        return in_words(error.detail)
    return "; ".join(f"{each.field}: {in_words(each.message)}" for each in error.errors)


def in_words(text: str) -> str:
    """One text of an error."""
    return translated(text, gettext)
