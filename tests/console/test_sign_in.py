"""Signing in to the console: by host name or tenant field, the same answer for every failure, lock-out, sign-out."""

import pytest
from django.test import Client, override_settings

from tests.cast import PASSWORD

LOGIN = "/console/login/"


def sign_in(host="acme.localhost", email="agent@example.test", password=PASSWORD, **more):
    client = Client(headers={"host": host})
    return client, client.post(LOGIN, {"username": email, "password": password, **more})


def test_the_host_names_the_tenant(cast):
    client, answer = sign_in()
    assert (answer.status_code, answer["Location"]) == (302, "/console/")
    assert "Amir Acme" in client.get("/console/").content.decode()


def test_the_field_names_the_tenant_on_a_neutral_host(cast):
    client, answer = sign_in(host="localhost", tenant="globex")
    assert answer.status_code == 302
    assert "Gus Globex" in client.get("/console/").content.decode()


def test_the_field_is_offered_only_where_the_host_does_not_say_it(cast):
    at_acme = Client(headers={"host": "acme.localhost"}).get(LOGIN).content.decode()
    neutral = Client(headers={"host": "localhost"}).get(LOGIN).content.decode()
    assert 'name="tenant"' not in at_acme
    assert "Acme" in at_acme
    assert 'name="tenant"' in neutral


@pytest.mark.parametrize(
    "attempt",
    [
        {"password": "wrong"},
        {"email": "nobody@example.test"},
        {"host": "nowhere.localhost"},
        {"host": "localhost", "tenant": "nowhere"},
        {"host": "localhost"},
    ],
    ids=["password", "account", "host", "tenant", "operator"],
)
def test_every_failure_reads_the_same(cast, attempt):
    _client, answer = sign_in(**attempt)
    assert answer.status_code == 200
    assert answer.context["form"].non_field_errors() == [
        "That did not work. Check the e-mail address and the password; the account may also be inactive."
    ]


def test_too_many_failures_lock_the_account(cast):
    with override_settings(SIGN_IN_FAILURES_PER_ACCOUNT=2):
        for _attempt in range(2):
            sign_in(password="wrong")
        _client, answer = sign_in()
    [message] = answer.context["form"].non_field_errors()
    assert "Too many failed sign-ins" in message


def test_a_customer_is_not_let_into_the_console_but_signs_in_for_the_api(cast):
    client, answer = sign_in(email="carla@example.test")
    assert "staff" in answer.context["form"].non_field_errors()[0]
    assert client.get("/console/").status_code == 302
    answer = client.post(f"{LOGIN}?next=/api/v1/", {"username": "carla@example.test", "password": PASSWORD})
    assert answer["Location"] == "/api/v1/"
    assert client.get("/console/").status_code == 302
    assert client.get("/console/tickets/ticket/").status_code == 302


def test_signing_out_takes_a_post(cast, browser):
    client = browser(cast.amir)
    assert client.get("/console/logout/").status_code == 405
    client.post("/console/logout/")
    assert client.get("/console/").status_code == 302


def test_customers_sign_out_too(cast, browser):
    client = browser(cast.carla)
    answer = client.post("/console/logout/", {"next": "/api/v1/"})
    assert answer["Location"] == "/api/v1/"
    assert client.get("/api/v1/tickets").status_code == 401


def test_forms_need_the_csrf_token(cast):
    client = Client(enforce_csrf_checks=True, headers={"host": "acme.localhost"})
    assert client.post(LOGIN, {"username": "agent@example.test", "password": PASSWORD}).status_code == 403


def test_pages_carry_strict_headers(cast, browser):
    for page in ("/console/", LOGIN):
        answer = browser(cast.amir if page == "/console/" else None).get(page)
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer["Content-Security-Policy"]
        assert "unsafe-inline" not in answer["Content-Security-Policy"].split("style-src")[0]


def test_the_password_is_changed_through_the_service(cast, browser):
    client = browser(cast.amir)
    other = browser(cast.amir)
    given = {"old_password": "wrong", "new_password1": "a much better one 7", "new_password2": "a much better one 7"}
    refused = client.post("/console/password_change/", given)
    assert refused.context["form"].errors == {"old_password": ["is not your password"]}
    answer = client.post("/console/password_change/", {**given, "old_password": PASSWORD})
    assert answer.status_code == 302
    assert client.get("/console/").status_code == 200
    assert other.get("/console/").status_code == 302
