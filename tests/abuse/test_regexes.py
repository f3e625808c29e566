"""No regular expression of ours takes time that grows faster than the text it reads.

Each one is found in the source, so that a new one is covered without anybody thinking of it. What could make it slow is
made of the expression itself: a text that begins as it wants, a part that may repeat repeated, and an end that it does
not want.
"""

import ast
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ticketing", "tenants", "accounts", "tickets")
FUNCTIONS = {"compile", "match", "search", "fullmatch", "sub", "subn", "split", "findall", "finditer"}
FIELDS = {"RegexField", "RegexValidator", "re_path"}
SIZES = (8, 16, 20, 23, 26, 256, 2048, 8192, 32_768)  # an exponential one shows early, a quadratic one late
MOST_SECONDS = 1.0  # of CPU; linear ones take a hundredth of it, quadratic ones ten times as much
# Where what is read is cut first.
CUT = {"ticketing/logs.py:_TELLING": 2000}  # LONGEST_MESSAGE
ENDS = ("", "\0", "!", "\n")


@dataclass(frozen=True)
class Found:
    where: str
    pattern: str


def found_in(path: Path) -> Iterator[Found | None]:
    """The patterns of a file; None for one that is not written out."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and node.args and _is_pattern(node.func):
            first = node.args[0]
            place = str(path.relative_to(ROOT))
            is_text = isinstance(first, ast.Constant) and isinstance(first.value, str)
            yield Found(f"{place}:{first.lineno}", first.value) if is_text else None


def _is_pattern(function: ast.expr) -> bool:
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "re":
        return function.attr in FUNCTIONS
    return getattr(function, "attr", getattr(function, "id", "")) in FIELDS


def compiled_in(path: Path) -> Iterator[Found]:
    """Those that a module has compiled, from whatever text."""
    import importlib

    place = str(path.relative_to(ROOT))
    module = importlib.import_module(place.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    for name, value in vars(module).items():
        if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
            yield Found(f"{place}:{name}", value.pattern)


def _pattern_of(name: str) -> str:
    place = name.partition(":")[0]
    return next(each.pattern for each in compiled_in(ROOT / place) if each.where == name)


def sources() -> list[Path]:
    return sorted(
        path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts
    )


def all_patterns() -> list[Found]:
    found: dict[str, Found] = {}
    for path in sources():
        written = list(found_in(path))
        if any(each is None for each in written):
            written += compiled_in(path)
        found |= {each.pattern: each for each in written if each is not None}
    return sorted(found.values(), key=lambda each: each.where)


def texts(pattern: str, size: int) -> set[str]:
    """What the pattern wants, with each part that may repeat repeated to the size, and ends that it does not want."""
    tree = parser.parse(pattern)
    repeats = _repeats(tree)
    bodies = {_text(tree, pumped=number, size=size) for number in range(-1, repeats)}
    return {body + end for body in bodies for end in ENDS}


def _repeats(tree: Any) -> int:
    return sum(1 for _ in _walk(tree))


def _walk(tree: Any) -> Iterator[Any]:
    for kind, value in tree:
        if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            yield value
            yield from _walk(value[2])
        elif kind is op.SUBPATTERN:
            yield from _walk(value[3])
        elif kind is op.BRANCH:
            for branch in value[1]:
                yield from _walk(branch)


def _text(tree: Any, *, pumped: int, size: int, seen: list[int] | None = None) -> str:
    seen = [0] if seen is None else seen
    made = []
    for kind, value in tree:
        if kind is op.LITERAL:
            made.append(chr(value))
        elif kind in (op.NOT_LITERAL, op.IN, op.ANY):
            made.append(_character(kind, value))
        elif kind is op.SUBPATTERN:
            made.append(_text(value[3], pumped=pumped, size=size, seen=seen))
        elif kind is op.BRANCH:
            branches = [(seen[0], _text(branch, pumped=pumped, size=size, seen=seen)) for branch in value[1]]
            made.append(max((each for each in branches if each[0] <= pumped), default=branches[0])[1])
        elif kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            least, most, inner = value
            number, seen[0] = seen[0], seen[0] + 1
            text = _text(inner, pumped=pumped, size=size, seen=seen)
            times = min(int(most), size // max(len(text), 1)) if number == pumped else max(least, 1)
            made.append(text * min(times, size))
    return "".join(made)


def _character(kind: Any, value: Any) -> str:
    """One that fits."""
    for candidate in "a0 A.-_@/:\n~é":
        code = ord(candidate)
        if kind is op.ANY or (kind is op.NOT_LITERAL and code != value):
            return candidate
        if kind is op.IN and re.fullmatch(_class(value), candidate):
            return candidate
    return chr(value[0][1][0] if value[0][0] is op.RANGE else value[0][1]) if kind is op.IN else "a"


def _class(items: Any) -> str:
    names = {op.CATEGORY_DIGIT: r"\d", op.CATEGORY_NOT_DIGIT: r"\D", op.CATEGORY_SPACE: r"\s"}
    names |= {op.CATEGORY_NOT_SPACE: r"\S", op.CATEGORY_WORD: r"\w", op.CATEGORY_NOT_WORD: r"\W"}
    parts = []
    for kind, value in items:
        if kind is op.NEGATE:
            parts.append("^")
        elif kind is op.LITERAL:
            parts.append(re.escape(chr(value)))
        elif kind is op.RANGE:
            parts.append(f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}")
        else:
            parts.append(names[value])
    return "[" + "".join(parts) + "]"


@pytest.mark.parametrize("found", all_patterns(), ids=lambda found: found.where)
def test_time_grows_no_faster_than_the_text(found: Found) -> None:
    check(found, MOST_SECONDS)


def check(found: Found, most_seconds: float) -> None:
    compiled = re.compile(found.pattern)
    most = next((size for name, size in CUT.items() if _pattern_of(name) == found.pattern), max(SIZES))
    for size in [size for size in SIZES if size <= most]:
        for text in texts(found.pattern, size):
            for run in (compiled.match, compiled.fullmatch, compiled.search):
                began = time.process_time()
                run(text)
                assert time.process_time() - began < most_seconds, (found, run, text[:40], size)


def test_a_slow_one_would_be_found() -> None:
    for pattern in (r"(a+)+$", r"\s+$"):
        with pytest.raises(AssertionError):
            check(Found("here", pattern), 0.05)


def test_each_is_found() -> None:
    assert len(all_patterns()) >= 30
