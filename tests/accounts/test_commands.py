"""manage.py create_tenant and create_user."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.passwords import accept_invitation
from accounts.repository import UserRepository
from accounts.sign_in import sign_in, sign_in_operator
from tenants.models import Tenant
from tenants.services import find_tenant
from tests.cast import PASSWORD, make_tenant

pytestmark = pytest.mark.django_db
HERE = "192.0.2.1"


def run(*arguments: str, monkeypatch: pytest.MonkeyPatch | None = None, stdin: str = "") -> str:
    out = io.StringIO()
    if monkeypatch:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
    call_command(*arguments, stdout=out)
    return out.getvalue()


def user_arguments(**changes: str) -> list[str]:
    options = {"tenant": "acme", "email": "ada@acme.test", "name": "Ada"} | changes
    return ["create_user", *(f"--{name}={value}" for name, value in options.items() if value)]


def test_a_tenant_with_host_names_and_an_invited_admin(db: None) -> None:
    hosts = ["--host", "help.acme.test", "--host", "Support.Acme.test"]
    text = run("create_tenant", "--slug=acme", "--name=Acme", "--admin-email=ada@acme.test", *hosts)
    tenant = find_tenant("acme")
    assert tenant is not None
    assert tenant.hosts == ["help.acme.test", "support.acme.test"]
    accept_invitation(text.strip().splitlines()[-1], PASSWORD)
    assert sign_in(tenant, "ada@acme.test", PASSWORD, HERE).role == "admin"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--slug=acme", "--name=Again"], "slug: another tenant has this slug"),
        (["--slug=Ac me", "--name=Acme"], "slug: use"),
        (["--slug=new", "--name= "], "name: must not be empty"),
        (["--slug=new", "--name=New", "--host=help_acme"], "hosts: 'help_acme' is not a domain name"),
        (["--slug=new", "--name=New", "--admin-email=x"], "email: must be an e-mail address"),
    ],
)
def test_what_is_wrong_with_a_tenant_is_one_clear_line_and_nothing_is_stored(
    db: None, arguments: list[str], expected: str
) -> None:
    make_tenant("acme")
    with pytest.raises(CommandError) as error:
        run("create_tenant", *arguments)
    assert str(error.value).startswith(expected)
    assert "\n" not in str(error.value)
    assert Tenant.objects.count() == 1


def test_an_account_with_its_password_from_standard_input(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = make_tenant("acme")
    text = run(*user_arguments(role="agent"), "--password-stdin", monkeypatch=monkeypatch, stdin=f"{PASSWORD}\n")
    assert text == "Created ada@acme.test as agent.\n"
    assert sign_in(tenant, "ada@acme.test", PASSWORD, HERE).role == "agent"


def test_an_operator_who_is_invited(db: None) -> None:
    text = run(*user_arguments(tenant=""), "--operator", "--invite")
    accept_invitation(text.strip().splitlines()[-1], PASSWORD)
    assert sign_in_operator("ada@acme.test", PASSWORD, HERE).role == "operator"


@pytest.mark.parametrize(
    ("changes", "flags", "stdin", "expected"),
    [
        ({"tenant": "nowhere"}, ["--invite"], "", "There is no tenant 'nowhere'"),
        ({}, ["--password-stdin"], "", "There was no password on standard input."),
        ({}, ["--password-stdin"], "12345678\n", "password: "),
        ({}, [], "", "Give the password by --password-stdin"),
        ({"email": "x"}, ["--invite"], "", "email: must be an e-mail address"),
        ({"role": "operator"}, ["--invite"], "", "Error: argument --role: invalid choice"),
        ({"tenant": ""}, ["--invite"], "", "Error: one of the arguments --tenant --operator is required"),
    ],
)
def test_what_is_wrong_with_an_account_is_one_clear_line(
    db: None, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], flags: list[str], stdin: str, expected: str
) -> None:
    tenant = make_tenant("acme")
    with pytest.raises(CommandError) as error:
        run(*user_arguments(**changes), *flags, monkeypatch=monkeypatch, stdin=stdin)
    assert str(error.value).startswith(expected)
    assert UserRepository(tenant.pk).count({}) == 0


def test_a_password_that_is_asked_for_must_be_typed_twice_alike(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = make_tenant("acme")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    typed = iter([PASSWORD, "something else", PASSWORD, PASSWORD])
    monkeypatch.setattr("getpass.getpass", lambda _: next(typed))
    with pytest.raises(CommandError, match="differ"):
        run(*user_arguments())
    run(*user_arguments())
    assert sign_in(tenant, "ada@acme.test", PASSWORD, HERE)
