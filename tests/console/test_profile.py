"""One's own account on the console: name, language, time zone, and the end of all sessions."""

from typing import Any

import pytest

from accounts.repository import users_of
from tenants.repository import TenantRepository
from tests.cast import Cast
from tests.console.conftest import Browser
from tests.console.queries import counted_queries

pytestmark = pytest.mark.django_db
PROFILE = "/console/profile/"


def form_of(answer: Any) -> dict[str, Any]:
    """What a browser would send back unchanged."""
    data = {}
    for field in answer.context["form"]:
        data[field.html_name] = data[field.html_initial_name] = field.value()
    return data


def errors_of(answer: Any) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = answer.context["form"].errors
    return errors


@pytest.mark.parametrize("who", ["amir", "ada", "olga"])
def test_staff_and_operators_change_theirs(cast: Cast, browser: Browser, who: str) -> None:
    person = getattr(cast, who)
    client = browser(person)
    data = form_of(client.get(PROFILE)) | {"language": "de", "time_zone": "Asia/Tokyo", "name": "<b>Kim</b>"}
    assert client.post(PROFILE, data | {"role": "admin", "email": "new@example.test"}).status_code == 302
    stored = users_of(person.tenant_id).get(person.pk)
    assert (stored["name"], stored["language"], stored["time_zone"]) == ("<b>Kim</b>", "de", "Asia/Tokyo")
    assert (stored["email"], stored["role"]) == (person.email, person.role)
    page = client.get(PROFILE).content.decode()
    assert "<b>Kim</b>" not in page
    assert '<html lang="de"' in page


def test_times_are_shown_in_the_persons_zone(cast: Cast, browser: Browser) -> None:
    at = cast.ada.created_at.replace(year=2026, month=2, day=1, hour=23, minute=30)
    users_of(cast.acme.pk).update_where({"_id": cast.amir.pk}, {"created_at": at})
    client = browser(cast.ada)
    assert "Sun 1 Feb 2026, 23:30 UTC" in client.get("/console/accounts/user/").content.decode()
    client.post(PROFILE, form_of(client.get(PROFILE)) | {"time_zone": "Asia/Tokyo"})
    assert "Mon 2 Feb 2026, 08:30 JST" in client.get("/console/accounts/user/").content.decode()


def test_without_a_choice_it_says_what_is_used(cast: Cast, browser: Browser) -> None:
    TenantRepository().update_where({"_id": cast.acme.pk}, {"time_zone": "Europe/Berlin"})
    page = browser(cast.amir).get(PROFILE).content.decode()
    assert "(Europe/Berlin)" in page
    assert "(English)" in page


def test_bad_and_late_input_is_told_and_kept(cast: Cast, browser: Browser) -> None:
    client = browser(cast.amir)
    data = form_of(client.get(PROFILE))
    refused = client.post(PROFILE, data | {"time_zone": "Europe/Atlantis", "name": " "})
    assert errors_of(refused).keys() == {"time_zone", "name"}
    refused = client.post(PROFILE, data | {"name": "A\u202eB"})
    assert errors_of(refused).keys() == {"name"}
    assert client.post(PROFILE, data | {"name": "First"}).status_code == 302
    late = client.post(PROFILE, data | {"name": "Second"})
    assert (late.status_code, 'value="Second"' in late.content.decode()) == (200, True)
    assert users_of(cast.acme.pk).get(cast.amir.pk)["name"] == "First"


def test_signing_out_everywhere_ends_other_browsers_too(cast: Cast, browser: Browser) -> None:
    here, there = browser(cast.amir), browser(cast.amir)
    assert here.get(f"{PROFILE}sign-out/").status_code == 405
    assert here.post(f"{PROFILE}sign-out/").headers["Location"] == "/console/"
    assert [client.get(PROFILE).status_code for client in (here, there)] == [302, 302]


def test_takes_few_queries_and_is_offered_on_every_page(cast: Cast, browser: Browser) -> None:
    client = browser(cast.amir)
    client.get(PROFILE)
    with counted_queries() as sent:
        page = client.get(PROFILE).content.decode()
    assert len(sent) <= 8, sent
    assert f'<a href="{PROFILE}">My account</a>' in page
