"""Markdown to HTML that is safe to show: CommonMark by markdown-it, sanitised by nh3 (ammonia).

Beside CommonMark there are mentions: ``@`` and the e-mail address of a member of staff, as in ``@amir@example.org``.

Markup costs a hundred times what plain letters do, and 64 KB of nothing but ``![`` would take seconds. So the parser
counts its steps, and a text that needs more than MOST_STEPS is shown as it was written.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # imported with the first text: nothing that only reads needs them
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token
    from nh3 import Cleaner

_TAGS = {
    *("p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote"),
    *("ul", "ol", "li", "a", "h1", "h2", "h3", "h4", "h5", "h6"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto", "tel"}
MOST_STEPS = 14_000
BLOCK_STEPS = 3  # what a block costs, compared with a piece of a line
# Lines that begin with a letter and have nothing in them that is markup anywhere: their HTML is known without a parser.
# (An underscore is a letter to ``re``.)
_LINE = r"[^\W\d_][\w .,;:?()/%'-]*+(?<! )"
_PLAIN = re.compile(rf"{_LINE}(?:\n{{1,2}}{_LINE})*")
_ADDRESS = re.compile(r"@([^\s@<>()\[\],;:\"'`\\|]{1,64}@[\w-]+(?:\.[\w-]+)+)")


def render_markdown(source: str, mentioned: Collection[str] = ()) -> str:
    """Sanitised HTML of a Markdown text. Raw HTML is shown as text; images are dropped, so nothing is fetched.

    ``mentioned`` are the addresses, as they were written, that name somebody: those are marked.
    """
    if "_" not in source and _PLAIN.fullmatch(source):
        return "".join("<p>" + part.replace("\n", "<br>\n") + "</p>\n" for part in source.split("\n\n"))
    return _rendered(source, mentioned)


def _rendered(source: str, mentioned: Collection[str]) -> str:
    try:
        html = _parser().render(source, {"mentioned": mentioned, "steps": 0})
    except _TooIntricate:
        html = "<p>{}</p>\n".format(escape(source).replace("\n", "<br>\n"))
    return _cleaner().clean(html)


def mentioned_addresses(source: str) -> list[str]:
    """The addresses behind an ``@`` in a Markdown text, as they were written, each once; those in code do not count."""
    if "@" not in source:
        return []
    try:
        tokens = _parser().parse(source, {"steps": 0})
    except _TooIntricate:
        return []
    inlines = (token.children or [] for token in tokens)
    found = (token.content for children in inlines for token in children if token.type == "mention")
    return list(dict.fromkeys(found))


class _TooIntricate(Exception):
    """A text with more markup than anybody writes."""


@cache
def _cleaner() -> "Cleaner":
    from nh3 import Cleaner

    return Cleaner(
        tags=_TAGS | {"span"},
        attributes=_ATTRIBUTES,
        allowed_classes={"span": {"mention"}},
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    parser.block.ruler.before("table", "steps", _count_block_step, {"alt": ["paragraph", "blockquote"]})
    parser.inline.ruler.before("text", "steps", _count_inline_step)
    parser.inline.ruler.push("mention", _read_mention)
    parser.add_render_rule("mention", _render_mention)
    return parser


def _count_inline_step(state: "StateInline", _silent: bool) -> bool:
    """The first rule that is tried wherever something may begin; it never applies."""
    _count(state.env)
    return False


def _count_block_step(state: "StateBlock", line: int, _end: int, silent: bool) -> bool:
    """The same for blocks and, as one that may end them, for lines within. Each row of a table has all its columns."""
    if not silent:
        state.env["columns"] = 1 + state.src.count("|", state.bMarks[line], state.eMarks[line])
    _count(state.env, BLOCK_STEPS * state.env["columns"])
    return False


def _count(env: Any, steps: int = 1) -> None:
    env["steps"] += steps
    if env["steps"] > MOST_STEPS:
        raise _TooIntricate


def _read_mention(state: "StateInline", silent: bool) -> bool:
    """markdown-it's rule for an ``@``: takes the address behind it, unless a word ends right before."""
    if state.src[state.pos] != "@" or (state.pos and (state.src[state.pos - 1].isalnum())):
        return False
    found = _ADDRESS.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        state.push("mention", "", 0).content = found[1]
    state.pos = found.end()
    return True


def _render_mention(
    _renderer: Any, tokens: "Sequence[Token]", index: int, _options: Any, env: Mapping[str, Any]
) -> str:
    address = tokens[index].content
    text = escape(f"@{address}")
    return f'<span class="mention">{text}</span>' if address in env["mentioned"] else text
