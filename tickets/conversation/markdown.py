"""Markdown to HTML that is safe to show: CommonMark by markdown-it, sanitised by nh3 (ammonia)."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # imported with the first text: nothing that only reads needs them
    from markdown_it import MarkdownIt

_TAGS = {
    *("p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote"),
    *("ul", "ol", "li", "a", "h1", "h2", "h3", "h4", "h5", "h6"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto", "tel"}


def render_markdown(source: str) -> str:
    """Sanitised HTML of a Markdown text. Raw HTML is shown as text; images are dropped, so nothing is fetched."""
    import nh3

    html = _parser().render(source)
    return nh3.clean(
        html, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES, link_rel="noopener noreferrer nofollow"
    )


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
