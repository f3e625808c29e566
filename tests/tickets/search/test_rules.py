"""The words: what is stored and what is asked meet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.search.rules import (
    MAX_QUERY_WORDS,
    MAX_TERMS,
    form_of,
    language_of,
    number_of,
    query_words,
    search_terms,
    terms_of,
)

LANGUAGES = ("", "en", "de")


def finds(query: str, text: str, language: str = "", stored: str | None = None) -> bool:
    """Whether a query finds a text whose words were made in the ``stored`` language (none: the same)."""
    terms = set(terms_of(text, language=language if stored is None else stored))
    return all(terms & set(word) for word in query_words(query, language))


def test_words_are_folded_and_single_letters_left_out() -> None:
    assert terms_of("VPN drops: ﬁne-tuning a ROUTER_7", "vpn") == ["drops", "fine", "router", "tuning", "vpn"]


@pytest.mark.parametrize(
    ("language", "query", "text"),
    [
        ("en", "printer", "The PRINTERS’ trays"),
        ("en", "printing", "It was printed"),
        ("en", "user", "the user's account"),
        ("en", "user’s", "all users"),
        ("de", "Störung", "Es gibt Störungen im Netz"),
        ("de", "haus", "zwei Häuser"),
        ("de", "stoerung", "Störung"),
        ("de", "straße", "STRASSEN"),
    ],
)
def test_inflected_forms_find_one_another_in_the_tenants_language(language: str, query: str, text: str) -> None:
    assert finds(query, text, language)
    assert not finds(query, text, "") or language == ""


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("Straße", "strasse"),
        ("ТЕЛЕФОН", "телефон"),
        ("carl@example.test", "from: Carl <carl@example.test>"),
        ("example.test", "mail to carl@example.test"),
        ("wi-fi", "the WI-FI is gone"),
        ("AB-1234", "part ab-1234, broken"),
        ("電話", "会社の電話番号です"),
        ("電話番号", "会社の電話番号です"),
        ("水", "水 and more"),
        ("고객", "고객은 기다립니다"),
        ("プリンター", "新しいプリンターが動かない"),
        ("หนังสือ", "ซื้อหนังสือใหม่"),
        ("हिन्दी", "यह हिन्दी है"),
        ("don't", "I don’t know"),
    ],
)
def test_any_script_and_any_kind_of_word_is_found(query: str, text: str) -> None:
    assert query_words(query)
    assert all(finds(query, text, language) for language in LANGUAGES)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("carl@example.test", "carol@example.test"),
        ("番話", "電話番号"),
        ("wi-fi", "the wireless fi"),
        ("दिल्ली", "हिन्दी"),
        ("universe", "printer"),
    ],
)
def test_other_words_are_not_found(query: str, text: str) -> None:
    assert not any(finds(query, text, language) for language in LANGUAGES)


@given(st.text(max_size=200), st.sampled_from(LANGUAGES), st.sampled_from(LANGUAGES))
def test_a_text_is_found_by_its_own_words_whatever_language_it_was_stored_in(
    text: str, language: str, stored: str
) -> None:
    assert finds(text, text, language, stored)


@given(st.lists(st.sampled_from(["printers", "Häuser", "電話番号", "don’t", "42", "ab-12"])))
def test_what_was_stored_before_there_were_stems_is_found_by_its_words(words: list[str]) -> None:
    """The words of such a ticket: case-folded, whole runs of letters, the apostrophe as it was."""
    stored = {"printers", "häuser", "電話番号", "don’t", "42", "ab", "12"}
    for language in LANGUAGES:
        assert all(stored & set(word) for word in query_words(" ".join(words), language))


def test_a_query_without_words_has_none() -> None:
    assert query_words('"!!" - a') == []


@pytest.mark.parametrize(
    ("query", "number"),
    [("#42", 42), (" #7 ", 7), ("42", None), ("#", None), ("#4 2", None), ("#²", None), ("#" + "9" * 18, None)],
)
def test_a_number_with_its_sign_names_a_ticket(query: str, number: int | None) -> None:
    assert number_of(query) == number


def test_amounts_are_bounded_and_the_first_words_kept() -> None:
    many = "zebra " + " ".join(f"word{n}" for n in range(5000))
    assert len(terms_of(many)) == MAX_TERMS
    assert "zebra" in terms_of(many)
    assert len(query_words(many)) == MAX_QUERY_WORDS
    assert max(map(len, terms_of("x" * 500 + " " + "語" * 90, language="en"))) == 40


def test_the_language_is_that_of_the_locale_where_it_is_known() -> None:
    assert [language_of(locale) for locale in ("en", "de-AT", "tlh", "")] == ["en", "de", "", ""]
    assert form_of("de") != form_of("")


def test_internal_words_are_for_staff_only() -> None:
    thread = [{"body": "public answers", "visibility": "public"}, {"body": "secret note", "visibility": "internal"}]
    found = search_terms(42, "Title", "text", thread, "en")
    assert found["public_terms"] == sorted({"42", "answer", "answers", "public", "text", "title", "titl"})
    assert set(found["all_terms"]) - set(found["public_terms"]) == {"note", "secret"}
    assert found["terms_form"] == form_of("en")
