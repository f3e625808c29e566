"""The tokeniser: what is stored and what is asked meet."""

from hypothesis import given
from hypothesis import strategies as st

from tickets.search.rules import MAX_QUERY_TERMS, MAX_TERMS, query_terms, search_terms, terms_of


def test_words_are_folded_and_single_letters_left_out() -> None:
    assert terms_of("VPN drops: ﬁne-tuning a ROUTER_7", "vpn") == ["drops", "fine", "router", "tuning", "vpn"]


def test_any_script_is_searchable() -> None:
    assert query_terms("Straße ТЕЛЕФОН 電話") == ["strasse", "телефон", "電話"]


def test_a_query_without_words_has_none() -> None:
    assert query_terms('"!!" - a') == []


def test_amounts_are_bounded() -> None:
    many = " ".join(f"word{n}" for n in range(5000))
    assert len(terms_of(many)) == MAX_TERMS
    assert len(query_terms(many)) == MAX_QUERY_TERMS


@given(st.text(max_size=200))
def test_a_text_is_found_by_its_own_words(text: str) -> None:
    assert set(query_terms(text)) <= set(terms_of(text))


def test_internal_words_are_for_staff_only() -> None:
    thread = [{"body": "public answer", "visibility": "public"}, {"body": "secret note", "visibility": "internal"}]
    found = search_terms("Title", "text", thread)
    assert found["public_terms"] == ["answer", "public", "text", "title"]
    assert set(found["all_terms"]) - set(found["public_terms"]) == {"note", "secret"}
