"""The documents agree with the code: links, settings, commands, targets, and the tables of docs/integrators.md."""

import importlib
import os
import pkgutil
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from django.conf import settings
from django.core.management import get_commands, load_command_class

from accounts.roles import KEY_RESOURCES, PERMISSIONS, Action, Role, level_of
from ticketing.errors import TicketingError
from tickets.workflow.rules import DEFAULT_WORKFLOW, STATUSES

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ticketing", "tenants", "accounts", "tickets")
INTEGRATORS, OPERATORS = ROOT / "docs" / "integrators.md", ROOT / "docs" / "operators.md"
READMES = [ROOT / "README.md", ROOT / "deploy" / "README.md", ROOT / "ticketing" / "mongo" / "README.md"]
DOCUMENTS = [*READMES, *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
OF_COMMANDS = {"snapshot_too_old", "not_empty", "file_missing"}  # errors that no request can meet
OF_CONSOLE = {"already_sent", "on_its_way"}  # errors of the box in which agents answer, which the API has not
DJANGO_OWN = {"help", "version"}  # known to manage.py without being listed


def text_of(name: str | Path) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def code_in(text: str) -> list[str]:
    """The lines of code: those of fenced blocks, and what stands in backticks."""
    fences = re.compile(r"^```\w*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
    lines = [line for block in fences.findall(text) for line in block.splitlines()]
    return [*lines, *re.findall(r"`([^`\n]+)`", fences.sub("", text))]


def section(heading: str) -> str:
    """What stands below a heading of docs/integrators.md, up to the next one."""
    found: str = text_of(INTEGRATORS).split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return found


def table(heading: str) -> list[list[str]]:
    """The cells of the table below a heading of docs/integrators.md, without its head."""
    rows = [line.strip("|").split("|") for line in section(heading).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def words(cell: str) -> list[str]:
    """What a cell has in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def anchors_of(text: str) -> set[str]:
    """The fragments by which GitHub addresses the headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name: str) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", text_of(name)):
        if not re.match(r"https?://|mailto:", link):
            path, _, fragment = link.partition("#")
            target = (ROOT / name).parent / path if path else ROOT / name
            assert target.exists(), link
            assert not fragment or fragment in anchors_of(text_of(target)), link


def test_every_document_is_found_from_the_readme() -> None:
    found, new = set(), {ROOT / "README.md"}
    while new:
        found |= new
        links = [(path, link) for path in new for link in re.findall(r"\]\(([^)#\s]+\.md)", text_of(path))]
        new = {(path.parent / link).resolve() for path, link in links if "://" not in link} - found
    assert set(DOCUMENTS) <= found, set(DOCUMENTS) - found


def test_the_settings_of_the_operators_are_those_that_are_read() -> None:
    rows = re.findall(r"^\| (`[A-Z].*?) \|", text_of(OPERATORS), re.MULTILINE)
    documented = {name.partition("=")[0] for cell in rows for name in words(cell)}
    read = set()
    for path in [ROOT / "manage.py", *(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))]:
        reading = (
            r"\benv\.(?:text|boolean|integer|words|choice)\(\s*\"(\w+)\"|environ(?:\.get\(|\[)\"(\w+)\"\]?(?!\]? *=)"
        )
        read |= {name for names in re.findall(reading, path.read_text()) for name in names if name}
    assert documented == read


def documented_commands() -> Iterator[tuple[str, str, list[str]]]:
    """Document, command, and the options that stand with it."""
    for name in NAMES:
        for line in code_in(text_of(name)):
            if found := re.search(r"manage\.py ([a-z_]+)", line):
                yield name, found[1], re.findall(r"(?<!\w)--[a-z-]+", line)


def test_every_command_in_the_documents_exists_with_its_options() -> None:
    for name, command, options in documented_commands():
        if command in DJANGO_OWN:
            continue
        assert command in get_commands(), f"{name}: manage.py {command}"
        parser = load_command_class(get_commands()[command], command).create_parser("manage.py", command)
        known = {option for action in parser._actions for option in action.option_strings}
        assert set(options) <= known, f"{name}: manage.py {command}"


def test_every_command_of_ours_is_in_the_documents() -> None:
    ours = {command for command, app in get_commands().items() if app in PACKAGES}
    assert ours <= {command for _, command, _ in documented_commands()}


def test_every_target_of_make_in_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    for name in NAMES:
        for line in code_in(text_of(name)):
            if found := re.match(r"(?:\w+=\S+ )*make ([a-z-]+)", line):
                assert found[1] in targets, f"{name}: make {found[1]}"


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_dependency_is_justified(name: str) -> None:
    for line in text_of(name).splitlines():
        assert line.startswith("-") or re.match(r"\S+==\S+.* # \w.{10,}", line), line


def test_no_file_names_a_machine() -> None:
    names = re.compile(
        r"/work/|/root/|/opt/|/home/|bash_jobs|index-url|trusted-host|\bpypi\.(?!org\b)|artifactory|devpi|docker\.io"
    )
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in listed.stdout.decode().splitlines():
        path = ROOT / name
        if path != Path(__file__).resolve() and path.is_file():
            found = names.search(path.read_bytes().decode("utf-8", "ignore"))
            assert not found, f"{name}: {found and found[0]}"


def test_the_table_of_roles_is_that_of_the_code() -> None:
    assert table("What each role may do") == [
        [
            f"`{action}`",
            *("yes" if action in PERMISSIONS[role] else "" for role in Role),
            f"`{action.resource}:{level_of(action)}`" if action.resource in KEY_RESOURCES else "",
        ]
        for action in Action
    ]


def test_the_table_of_transitions_is_that_of_the_code() -> None:
    workflow = DEFAULT_WORKFLOW
    wanted = [
        [
            [status],
            *(workflow.allowed(status, role) for role in (Role.AGENT, Role.USER)),
            *(
                [moves[status]] if status in moves else []
                for moves in (workflow.on_customer_answer, workflow.on_staff_answer)
            ),
        ]
        for status in STATUSES
    ]
    assert [[words(cell) for cell in row] for row in table("Statuses and transitions")] == wanted
    assert all(workflow.allowed(status, Role.AGENT) == workflow.allowed(status, Role.ADMIN) for status in STATUSES)


def test_the_table_of_errors_is_that_of_the_code() -> None:
    with mock.patch.dict(os.environ):  # the entry point on Lambda changes it
        for package in PACKAGES:
            root = importlib.import_module(package)
            for module in pkgutil.walk_packages(root.__path__, f"{package}."):
                if not re.search(r"migrations|wsgi", module.name):
                    importlib.import_module(module.name)
    documented = {(words(code)[0], int(status)) for code, status, _ in table("Error codes")}
    defined = {(error.code, error.status) for error in descendants(TicketingError)}
    assert documented == {(code, status) for code, status in defined if code not in OF_COMMANDS | OF_CONSOLE}


def descendants(error: type[TicketingError]) -> Iterator[type[TicketingError]]:
    for each in error.__subclasses__():
        if each.__module__.split(".")[0] in PACKAGES:
            yield each
            yield from descendants(each)


def test_the_table_of_filters_is_what_the_list_takes() -> None:
    from tickets.api.stats import StatsView
    from tickets.api.tickets import TicketsView
    from tickets.lists import ORDERINGS

    documented = [name for row in table("Filters of tickets") for name in words(row[0])]
    assert set(documented) == TicketsView().known_parameters("GET")
    assert {*documented[: documented.index("q") + 1], "days"} == StatsView().known_parameters("GET")
    described = dict(table("Filters of tickets"))
    assert words(described["`ordering`"])[: len(ORDERINGS)] == list(ORDERINGS)
    assert set(words(described["`fields`, `include`"])) == {"include", *TicketsView.includes}


def test_the_table_of_limits_is_that_of_the_settings_and_rules() -> None:
    from ticketing.api.filters import MAX_VALUES
    from ticketing.api.idempotency import LONGEST
    from ticketing.api.pagination import MAX_LIMIT
    from ticketing.settings import (  # as they are without the tests' own
        RATE_LIMIT_ADDRESS_PER_MINUTE,
        RATE_LIMIT_SIGN_IN_PER_MINUTE,
        RATE_LIMIT_TENANT_PER_MINUTE,
        RATE_LIMIT_USER_PER_MINUTE,
    )
    from tickets import rules

    assert [[int(number) for number in re.findall(r"\d+", row[1])] for row in table("Limits")] == [
        [RATE_LIMIT_USER_PER_MINUTE],
        [RATE_LIMIT_ADDRESS_PER_MINUTE],
        [RATE_LIMIT_SIGN_IN_PER_MINUTE],
        [RATE_LIMIT_TENANT_PER_MINUTE],
        [settings.MAX_BODY_BYTES // 2**20],
        [settings.MAX_FILE_BYTES // 2**20],
        [settings.MAX_UPLOAD_BYTES // 2**20],
        [rules.MAX_TITLE],
        [rules.MAX_TEXT_BYTES // 2**10],
        [rules.MAX_TAGS, rules.MAX_TAG],
        [rules.MAX_CATEGORY],
        [rules.MAX_FOLLOWERS],
        [LONGEST],
        [MAX_LIMIT],
        [MAX_VALUES],
        [settings.COMMENT_EDIT_MINUTES],
    ]
