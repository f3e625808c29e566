"""What extraction finds, and what the gate complains of."""

from pathlib import Path

import pytest

from ticketing.locale import catalogue
from ticketing.locale.catalogue import Texts, faults_of, read_code, read_template, updated


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(catalogue, "ROOT", tmp_path)
    return tmp_path


def _read(path: Path, content: str) -> Texts:
    texts = Texts()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, "utf-8")
    (read_code if path.suffix == ".py" else read_template)(path, texts)
    return texts


def test_code_says_texts_refusals_and_titles(folder: Path) -> None:
    code = """
class Odd(Conflict):
    code, title = "odd", "This is odd"

_("Shown"); gettext_lazy("Shown " "later"); ngettext("%(n)d row", "%(n)d rows", n); _(name)
raise InvalidInput.of("title", "may not be empty", "blank")
raise NotAllowed("Only here" if here else "Only there")
Message("at most {limit}", limit=3); FieldError("a", "b", "is wrong"); print("not this")

def check(name):
    other = "not this"
    text = "{name} is unknown"
    return Message(text, name=name)

@job("odd.tidy", every=DAY)
def tidy(run):
    '''Tidies up.

    Daily.'''
"""
    assert _read(folder / "tickets/odd.py", code).found == {
        "This is odd",
        "Shown",
        "Shown later",
        ("%(n)d row", "%(n)d rows"),
        "may not be empty",
        "Only here",
        "Only there",
        "at most {limit}",
        "is wrong",
        "{name} is unknown",
        "Tidies up.",
    }


def test_what_cannot_be_translated_is_a_fault_where_people_can_see_it(folder: Path) -> None:
    code = 'raise NotAllowed(f"not {name}")'
    assert _read(folder / "tickets/rules.py", code).faults == [
        "tickets/rules.py:1: an f-string cannot be translated; use Message(template, **values)"
    ]
    assert _read(folder / "tickets/api/views.py", code).faults == []


def test_templates_say_texts_plurals_and_arguments_of_filters(folder: Path) -> None:
    html = """{% load i18n %}
        <p title="{% translate 'Title' %}">{{ name|default:_("Somebody") }}</p>
            {% blocktranslate count counter=n %}{{ counter }} row{% plural %}{{ counter }} rows{% endblocktranslate %}
      {% blocktranslate trimmed with name=user.name %}
          Hello
          {{ name }}
      {% endblocktranslate %}"""
    assert _read(folder / "page.html", html).found == {
        "Title",
        "Somebody",
        ("%(counter)s row", "%(counter)s rows"),
        "Hello %(name)s",
    }


PO = """
msgid ""
msgstr "Language: de\\n"

msgid "Kept"
msgstr "Behalten"

#, fuzzy
msgid "Guessed"
msgstr "Geraten"

msgid "at most {limit}"
msgstr "höchstens {grenze}"

msgid "Gone"
msgstr "Weg"

msgid "one row"
msgid_plural "%(n)d rows"
msgstr[0] "eine Zeile"
msgstr[1] "%(n)d Zeilen"
"""


def test_the_gate_names_each_text_that_is_not_right(tmp_path: Path) -> None:
    path = tmp_path / "django.po"
    path.write_text(PO, "utf-8")
    made = updated(path, "de", ["Added", "Guessed", "Kept", "at most {limit}", ("one row", "%(n)d rows")])
    assert [fault.partition(": ")[2] for fault in faults_of(made)] == [
        "not translated: 'Added'",
        "fuzzy: 'Guessed'",
        "other placeholders than in 'at most {limit}'",
    ]
    assert made.get("Kept").string == "Behalten"
    assert made.get("Gone") is None
