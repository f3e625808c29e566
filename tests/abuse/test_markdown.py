"""64 KB of markup cost no more than a text with much of it does, whatever the markup is."""

import sys
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tickets.conversation.markdown import mentioned_addresses, render_markdown
from tickets.rules import MAX_TEXT_BYTES

MOST_CALLS = 2_000_000  # of Python functions and C's: about 0.2 s
HOSTILE = [
    *("![", "[", "[a](", "[]()", "[a][", "![a](", "[a]: b\n"),
    *("*a ", "*_", "**a", "`a", "~~a ", "\\", "&#", "<", "<a ", "<!--", "@", "@a@b."),
    *("> ", "- a\n", "1. a\n", "# ", "a\n-\n", "a  \n", "|", "a|b\n-|-\n", "\n", "\t", "    a\n", "```\n"),
]
WIDE_TABLES = [
    ("a|" * 50 + "\n" + "-|" * 50 + "\n") + ("|" * 50 + "\n") * 1200,
    ("a|" * 3000 + "\n" + "-|" * 3000 + "\n") + "a\n" * 25_000,  # each row is filled up to 3000 cells
]


def filled(fragment: str) -> str:
    return (fragment * (MAX_TEXT_BYTES // len(fragment.encode()) + 1))[: MAX_TEXT_BYTES // len(fragment[0].encode())]


def calls_of(source: str) -> int:
    """How many functions are called to read and render a text."""
    calls = 0

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        render_markdown(source, mentioned_addresses(source))
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("source", [*map(filled, HOSTILE), *WIDE_TABLES], ids=lambda source: repr(source[:8]))
def test_no_construct_is_dear(source: str) -> None:
    assert len(source.encode()) <= MAX_TEXT_BYTES
    assert calls_of(source) < MOST_CALLS


@given(st.text('![]()<>*_`~#-+|&@\\:. a1\n\t"', min_size=1, max_size=8))
@settings(max_examples=8, derandomize=True, phases=[Phase.generate])  # to shrink would take minutes
def test_no_mixture_is_dear(fragment: str) -> None:
    assert calls_of(filled(fragment)) < MOST_CALLS


def test_what_is_too_intricate_is_shown_as_it_was_written() -> None:
    source = "![<b>\n" * 10_000
    html = render_markdown(source)
    assert html.count("![&lt;b&gt;") == 10_000
    assert set(html) >= {"<", ">"}
    assert "<b>" not in html
    assert mentioned_addresses("@amir@example.org " + source) == []


def test_long_texts_that_people_write_are_rendered() -> None:
    text = "The *printer* on floor 3 does not print `page.pdf`; see [the photo](https://example.org/p?a=1).\n\n"
    text += "- one thing that was tried\n- another thing\n\n"
    assert render_markdown(filled(text)[:40_000]).count("<em>printer</em>") == 40_000 // len(text) + 1
