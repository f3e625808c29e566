"""The catalogues of translations: ``python -m ticketing.locale.catalogue`` writes them anew, ``--check`` tells what is
missing. Needs Babel, which only a checkout has; the platform reads the compiled catalogues alone.

Found are the texts of gettext calls and templates, those of the theme's templates, and what services refuse: the texts
given to the errors of ``ticketing.errors``, which stay English in the API; and what background jobs say of themselves.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from string import Formatter
from typing import Any

import unfold
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).resolve().parent
LANGUAGES = ("de",)
PACKAGES = ("ticketing", "tenants", "accounts", "tickets")
# Nobody of the console's people sees what is refused here.
ENGLISH_ONLY = re.compile(
    r"/(api|backup|migrations|management|mongo|jobs|aws)/|tickets/(smoke|transfer/)|/catalogue\.py$"
)
# The texts' positions among a call's arguments: the singular, and the plural where there is one.
GETTEXT = {"_": (0,), "gettext": (0,), "gettext_lazy": (0,), "gettext_noop": (0,), "Message": (0,)} | {
    "ngettext": (0, 1),
    "ngettext_lazy": (0, 1),
}
TEMPLATE_KEYWORDS: dict[str, Any] = {"_": None, "gettext": None, "ngettext": (1, 2)}
# Those of the theme's templates that the console shows and that say more than Django's own catalogue knows.
THEME = (
    "admin/actions.html",
    "unfold/helpers/actions_row.html",
    "unfold/helpers/boolean.html",
    "unfold/helpers/change_list_headers.html",
    "unfold/helpers/field_readonly_value_file.html",
    "unfold/helpers/theme_switch_dropdown.html",
    "unfold/widgets/clearable_file_input.html",
    "unfold/widgets/clearable_file_input_small.html",
    "unfold/widgets/password_toggle.html",
)
THEME_CODE = ("Select action", "Select action to run")
WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)  # the same input makes the same file

Text = str | tuple[str, str]


class Texts:
    """What is found, and what is found that nobody can translate."""

    def __init__(self) -> None:
        self.found: set[Text] = set()
        self.faults: list[str] = []


def main(arguments: list[str]) -> int:
    texts = extracted()
    faults = list(texts.faults)
    for language in LANGUAGES:
        path = FOLDER / language / "LC_MESSAGES" / "django.po"
        catalogue = updated(path, language, sorted(texts.found, key=str))
        files = {path: compiled(write_po, catalogue), path.with_suffix(".mo"): compiled(write_mo, catalogue)}
        if "--check" in arguments:
            stale = [each for each, content in files.items() if not each.exists() or each.read_bytes() != content]
            faults += [f"{each.relative_to(ROOT)} is not what the code says: run `make messages`" for each in stale]
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            for each, content in files.items():
                each.write_bytes(content)
        faults += faults_of(catalogue)
    sys.stderr.write("".join(f"{fault}\n" for fault in faults))
    return 1 if faults else 0


def compiled(write: Callable[..., None], catalogue: Catalog) -> bytes:
    """The bytes of a file of the catalogue."""
    content = BytesIO()
    options = {"width": 120, "no_location": True, "ignore_obsolete": True} if write is write_po else {}
    write(content, catalogue, **options)
    return content.getvalue()


def updated(path: Path, language: str, texts: Iterable[Text]) -> Catalog:
    """The catalogue of these texts, with the translations that it has already."""
    known = Catalog(locale=language)
    if path.exists():
        with path.open("rb") as file:
            known = read_po(file, locale=language)
    catalogue = Catalog(
        locale=language,
        project="Ticketing",
        version="1.0",
        header_comment=f"# What the console says in {language}. Written by `make messages`; only msgstr is edited.",
        last_translator="Ticketing",
        language_team="Ticketing",
        msgid_bugs_address="-",
        charset="utf-8",
        fuzzy=False,
    )
    catalogue.creation_date = catalogue.revision_date = WRITTEN
    for text in texts:
        message = catalogue.add(text)
        before = known.get(message.id if isinstance(message.id, str) else message.id[0])
        if before is not None and type(before.id) is type(message.id):
            message.string = before.string
            message.flags |= before.flags & {"fuzzy"}
    return catalogue


def faults_of(catalogue: Catalog) -> list[str]:
    """What is not translated, only guessed, or has other placeholders than the English."""
    faults = []
    for message in catalogue:
        if not message.id:
            continue
        shown = repr(message.id)
        strings = [message.string] if isinstance(message.string, str) else list(message.string or ("",))
        if not all(strings):
            faults.append(f"{catalogue.locale}: not translated: {shown}")
        elif message.fuzzy:
            faults.append(f"{catalogue.locale}: fuzzy: {shown}")
        elif not _same_placeholders(message, strings):
            faults.append(f"{catalogue.locale}: other placeholders than in {shown}")
    return faults


def _same_placeholders(message: Message, strings: list[str]) -> bool:
    """A singular may leave out the number, as "one more" does."""
    wanted = placeholders(message.id if isinstance(message.id, str) else message.id[-1])
    *singular, last = [placeholders(each) for each in strings]
    return last == wanted and all(each <= wanted for each in singular)


def placeholders(text: str) -> set[str]:
    """The names in ``%(name)s`` and ``{name}``."""
    named = set(re.findall(r"%\((\w+)\)[sd]|%[sd]", text))
    try:
        return named | {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError:  # a lone brace: no template
        return named


def extracted() -> Texts:
    """Every text of the code, of its templates and of the theme's."""
    texts = Texts()
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            read_code(path, texts)
        for path in sorted((ROOT / package).rglob("*.html")):
            read_template(path, texts)
    for name in THEME:
        read_template(Path(unfold.__file__).parent / "templates" / name, texts)
    texts.found.update(THEME_CODE)
    return texts


def read_template(path: Path, texts: Texts) -> None:
    # The rest of the page becomes words of X, whose indentation is none of Python's.
    code = "\n".join(line.strip() for line in templatize(path.read_text("utf-8")).splitlines())
    calls: Any = extract_python(BytesIO(code.encode()), TEMPLATE_KEYWORDS, (), {})
    for _line, _keyword, found, _comments in calls:
        parts = (found,) if isinstance(found, str) else tuple(str(part) for part in found if part)
        if "\n" in parts[0]:
            texts.faults.append(f"{path}: a blocktranslate of several lines has to be trimmed: {parts[0]!r}")
        texts.found.add(parts[0] if len(parts) == 1 else (parts[0], parts[1]))


def read_code(path: Path, texts: Texts) -> None:
    refusals = not ENGLISH_ONLY.search(f"/{path.relative_to(ROOT)}")
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            positions = GETTEXT.get(_name(node.func)) or (_refused(node) if refusals else None)
            if positions and len(node.args) > max(positions):
                _read_arguments(path, [node.args[position] for position in positions], texts)
        elif isinstance(node, ast.FunctionDef):
            if refusals:
                texts.found.update(_templates(node))
            if any(_name(getattr(each, "func", each)) == "job" for each in node.decorator_list):
                texts.found.add((ast.get_docstring(node) or "").partition("\n")[0])
        elif isinstance(node, ast.ClassDef) and any(_name(base) in ERRORS for base in node.bases):
            texts.found.update(_titles(node))


def _templates(function: ast.FunctionDef) -> Iterator[Text]:
    """What a function names before it refuses with it: ``text = "…"; Message(text, …)``."""
    named = set()
    for call in (each for each in ast.walk(function) if isinstance(each, ast.Call)):
        [position] = (0,) if _name(call.func) == "Message" else _refused(call) or (len(call.args),)
        named |= {_name(each) for each in call.args[position : position + 1]} - {""}
    assigned = (each for each in ast.walk(function) if isinstance(each, ast.Assign))
    for value in (each.value for each in assigned if _name(each.targets[0]) in named):
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value


def _read_arguments(path: Path, arguments: list[ast.expr], texts: Texts) -> None:
    """The text of a call, which may choose between two."""
    if len(arguments) == 1 and isinstance(arguments[0], ast.IfExp):
        _read_arguments(path, [arguments[0].body], texts)
        _read_arguments(path, [arguments[0].orelse], texts)
        return
    if any(isinstance(each, ast.JoinedStr) for each in arguments):
        where = f"{path.relative_to(ROOT)}:{arguments[0].lineno}"
        texts.faults.append(f"{where}: an f-string cannot be translated; use Message(template, **values)")
    parts = [each.value for each in arguments if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    if len(parts) == len(arguments) and parts[0]:
        texts.found.add(parts[0] if len(parts) == 1 else (parts[0], parts[1]))


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _refused(call: ast.Call) -> tuple[int, ...] | None:
    """The position of the text in an error that is made: Error(text), Error.of(field, text), FieldError(…, …, text)."""
    if isinstance(call.func, ast.Attribute) and call.func.attr == "of":
        return (1,) if _name(call.func.value) in ERRORS else None
    name = _name(call.func)
    return (2,) if name == "FieldError" else (0,) if name in ERRORS else None


def _titles(node: ast.ClassDef) -> Iterator[Text]:
    """The default text of a class of errors."""
    for statement in node.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple | ast.Name):
            target, value = statement.targets[0], statement.value
            names = [_name(each) for each in target.elts] if isinstance(target, ast.Tuple) else [_name(target)]
            values = value.elts if isinstance(value, ast.Tuple) else [value]
            for name, each in zip(names, values, strict=False):
                if name == "title" and isinstance(each, ast.Constant):
                    yield str(each.value)


def _error_names() -> frozenset[str]:
    """The names of TicketingError and of all classes that come from it, wherever they stand."""
    bases = {
        node.name: {_name(base) for base in node.bases}
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
    }
    names = {"TicketingError"}
    while more := {name for name, of in bases.items() if of & names} - names:
        names |= more
    return frozenset(names)


ERRORS = _error_names()

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
