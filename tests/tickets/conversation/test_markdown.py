"""Markdown becomes HTML that cannot run or fetch anything."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.conversation.markdown import _PLAIN, _rendered, mentioned_addresses, render_markdown


def test_ordinary_markdown_is_rendered() -> None:
    html = render_markdown("**bold** and [a link](https://example.org)\n\n- one\n- two")
    assert "<strong>bold</strong>" in html
    assert 'href="https://example.org"' in html
    assert 'rel="noopener noreferrer nofollow"' in html
    assert html.count("<li>") == 2


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](https://tracker.example/pixel.png)",
        '<a href="x" onclick="alert(1)">x</a>',
        "<svg/onload=alert(1)>",
        "[x](vbscript:msgbox)",
        "<iframe src=//evil.example></iframe>",
        "<style>@import url(//evil.example)</style>",
    ],
)
def test_attacks_come_out_harmless(attack: str) -> None:
    html = render_markdown(attack)
    assert not re.search(r"<(script|img|svg|iframe|style)", html, re.IGNORECASE)
    assert not re.search(r"<[^>]*\son\w+=", html, re.IGNORECASE)
    assert not re.search(r'href="\s*(javascript|data|vbscript):', html, re.IGNORECASE)


@given(st.text(alphabet="<>\"'&;:/()[]!`*_~#-= abcjsonerr\n", max_size=120))
def test_only_allowed_tags_come_out(source: str) -> None:
    tags = set(re.findall(r"<\s*/?\s*([a-zA-Z0-9]+)", render_markdown(source)))
    allowed = "p br hr em strong s code pre blockquote ul ol li a h1 h2 h3 h4 h5 h6 table thead tbody tr th td"
    assert tags <= set(allowed.split())


@given(st.from_regex(_PLAIN, fullmatch=True) | st.text(alphabet="ab1é. ,-'\n", max_size=40))
def test_plain_text_reads_as_the_parser_would_have_it(source: str) -> None:
    assert render_markdown(source) == _rendered(source, ())


def test_mentions_are_marked_where_somebody_is_meant() -> None:
    source = "@amir@a.example, @b_o_b@a.example and @nobody@a.example; not x@amir@a.example nor `@ada@a.example`"
    assert mentioned_addresses(source) == ["amir@a.example", "b_o_b@a.example", "nobody@a.example"]
    html = render_markdown(source, ["amir@a.example", "b_o_b@a.example"])
    assert re.findall(r'<span class="mention">(.*?)</span>', html) == ["@amir@a.example", "@b_o_b@a.example"]
    assert "and @nobody@a.example;" in html


@given(st.text(alphabet="@a.b<>\"'`*_[](){}\\& \n", max_size=60))
def test_mentions_make_nothing_but_marks(source: str) -> None:
    html = render_markdown(source, mentioned_addresses(source))
    assert not re.search(r"<span(?! class=\"mention\">)", html)
    assert html.count("<span") == html.count("</span>")
    assert not re.search(r"<(script|img|svg|iframe|style)", html, re.IGNORECASE)
