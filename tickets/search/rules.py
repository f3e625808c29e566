"""Words to search by: the one tokeniser of what is stored and of what is asked."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

MAX_TERMS = 2000
MAX_QUERY_TERMS = 10
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_LONGEST = 40


def terms_of(*texts: str) -> list[str]:
    """The distinct words of the texts, compatibility-normalised and case-folded (Unicode NFKC), sorted.

    Words of one letter are left out, longer ones are cut to 40; at most MAX_TERMS are kept.
    """
    found = {word[:_LONGEST] for text in texts for word in _words(text) if len(word) > 1}
    return sorted(found)[:MAX_TERMS]


def query_terms(query: str) -> list[str]:
    """The words that all must match, in the order asked and at most MAX_QUERY_TERMS; empty when there is none."""
    return list(dict.fromkeys(word[:_LONGEST] for word in _words(query) if len(word) > 1))[:MAX_QUERY_TERMS]


def search_terms(title: str, description: str, thread: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """A ticket's stored words from all of its texts: ``all_terms`` for staff, ``public_terms`` without internal notes.

    ``thread`` holds comments with ``body`` and ``visibility``.
    """
    comments = list(thread)
    public = [comment["body"] for comment in comments if comment["visibility"] == "public"]
    return {
        "all_terms": terms_of(title, description, *(comment["body"] for comment in comments)),
        "public_terms": terms_of(title, description, *public),
    }


def _words(text: str) -> Iterable[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
