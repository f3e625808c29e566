"""Words to search by: the one place that makes them, of what is stored and of what is asked.

A ticket keeps each word as it is written and its stem in the tenant's language; a word that is asked for finds either
of its own. So inflected forms meet by their stem, and what was stored in another language, or before there were stems,
is still found by the word itself.
"""

import re
import threading
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

MAX_TERMS = 3000
MAX_QUERY_WORDS = 10
_LONGEST = 40
_STEMMERS = {"de": "german", "en": "english"}
# Counts up when other words are made of the same text, so that the job ``search.terms`` makes them anew.
_FORM = 1

_ASCII_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*", re.ASCII)


def language_of(locale: str) -> str:
    """The language to stem in for a tenant's locale; empty where there is no stemmer for it."""
    language = locale.partition("-")[0].lower()
    return language if language in _STEMMERS else ""


def form_of(language: str) -> str:
    """What a ticket says of its terms: how they were made, and in which language they were stemmed."""
    return f"{_FORM}:{language}"


def terms_of(*texts: str, language: str = "") -> list[str]:
    """The distinct words of the texts and their stems, sorted; the first MAX_TERMS of them where there are more.

    Words are compatibility-normalised and case-folded (Unicode NFKC) and cut to 40 letters. Single letters are left
    out. Of scripts without spaces each two letters that follow one another are a word.
    """
    words = dict.fromkeys(word for text in texts for word in _words(text))
    found: dict[str, None] = {}
    for word in words:
        found[word.text[:_LONGEST]] = None
        if not word.run:
            found[_stem(word.text, language)] = None
        if len(found) >= MAX_TERMS:
            break
    return sorted(found)[:MAX_TERMS]


def query_words(query: str, language: str = "") -> list[tuple[str, ...]]:
    """The words that all must match, in the order asked and at most MAX_QUERY_WORDS; empty when there is none.

    Of each word one of the given terms must match.
    """
    # Before there were pairs, a whole run of such letters was one word.
    pairs = ((word.run or _stem(word.text, language), word.text) for word in _words(query))
    words = dict.fromkeys(tuple(dict.fromkeys(term[:_LONGEST] for term in pair)) for pair in pairs)
    return list(words)[:MAX_QUERY_WORDS]


def number_of(query: str) -> int | None:
    """The ticket's number that a query such as ``#42`` names; None for words."""
    number = query.strip()
    digits = number.removeprefix("#")
    return int(digits) if number != digits and digits.isascii() and digits.isdecimal() and len(digits) < 18 else None


def search_terms(
    number: int, title: str, description: str, thread: Iterable[Mapping[str, Any]], language: str
) -> dict[str, Any]:
    """What a ticket keeps to be found by: ``all_terms`` for staff, ``public_terms`` without internal notes.

    ``thread`` holds comments with ``body`` and ``visibility``. The number is a word of the ticket.
    """
    comments = list(thread)
    public = [comment["body"] for comment in comments if comment["visibility"] == "public"]
    own = (str(number), title, description)
    all_terms = terms_of(*own, *(comment["body"] for comment in comments), language=language)
    return {
        "all_terms": all_terms,
        "public_terms": all_terms if len(public) == len(comments) else terms_of(*own, *public, language=language),
        "terms_form": form_of(language),
    }


class _Word(NamedTuple):
    """``run`` is, for a pair of letters of a script without spaces, what it is a pair of."""

    text: str
    run: str = ""


def _words(text: str) -> Iterator[_Word]:
    folded = unicodedata.normalize("NFKC", text).casefold()
    if folded.isascii():  # the same words, in a seventh of the time
        yield from (_Word(word) for word in _ASCII_WORD.findall(folded) if len(word) > 1)
        return
    for run, word in _pattern().findall(folded):
        if len(word) > 1:
            yield _Word(word)
        elif run:
            for start in range(max(1, len(run) - 1)):
                yield _Word(run[start : start + 2], run)


def _stem(word: str, language: str) -> str:
    plain = word.replace("’", "'")
    stem: str = _stemmers.of(language).stemWord(plain) if language else plain
    return (stem if len(stem) > 1 else plain)[:_LONGEST]


@cache
def _pattern() -> Any:
    """Python's own ``re`` takes a word apart at its combining marks and knows no scripts."""
    import regex  # only who writes or searches pays for it

    unspaced = r"[\p{Han}\p{Hiragana}\p{Katakana}ー\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
    letter = rf"[\w--_--{unspaced}]"
    return regex.compile(rf"({unspaced}+)|({letter}+(?:['’]{letter}+)*)", regex.VERSION1)


class _Stemmers(threading.local):
    """A stemmer may be used by one thread at a time."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def of(self, language: str) -> Any:
        if language not in self._made:
            import Stemmer

            self._made[language] = Stemmer.Stemmer(_STEMMERS[language])
        return self._made[language]


_stemmers = _Stemmers()
