"""In whose language and time zone a request of the console runs, and what is left of them afterwards."""

from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone, translation

from accounts.middleware import ScopedAuthenticationMiddleware
from accounts.repository import users_of
from tenants.repository import TenantRepository
from tests.accounts.test_browser import Session, signed_in
from tests.cast import Cast
from ticketing.mongo.client import get_database

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _as_before_a_request() -> Any:
    with translation.override("en"), timezone.override(None):
        yield


def _ask(cast: Cast, user: Any, path: str = "/console/", **headers: str) -> tuple[str, str]:
    """The language and the time zone that such a request runs in."""
    from django.conf import settings
    from django.http import HttpResponse

    before = signed_in(user) if user else None
    request = RequestFactory().get(path, headers={"host": "localhost", **headers})
    if before is not None:
        request.COOKIES[settings.SESSION_COOKIE_NAME] = before.session.session_key
        request.session = Session(before.session.session_key)
    ScopedAuthenticationMiddleware(lambda _: HttpResponse()).process_request(request)
    return translation.get_language(), timezone.get_current_timezone_name()


def _choose(user: Any, **chosen: str) -> None:
    users_of(user.tenant_id).update_where({"_id": user.pk}, chosen)


def test_people_choose_for_themselves_and_have_the_tenants_otherwise(cast: Cast) -> None:
    TenantRepository().update_where({"_id": cast.acme.pk}, {"locale": "de", "time_zone": "Europe/Berlin"})
    assert _ask(cast, cast.amir) == ("de", "Europe/Berlin")
    _choose(cast.amir, language="en", time_zone="Asia/Tokyo")
    assert _ask(cast, cast.amir) == ("en", "Asia/Tokyo")
    assert _ask(cast, cast.ada) == ("de", "Europe/Berlin")


def test_operators_choose_too(cast: Cast) -> None:
    assert _ask(cast, cast.olga) == ("en", "UTC")
    _choose(cast.olga, language="de", time_zone="Europe/Berlin")
    assert _ask(cast, cast.olga) == ("de", "Europe/Berlin")


def test_an_account_of_the_former_version_has_chosen_nothing(cast: Cast) -> None:
    get_database()["users"].update_one({"_id": cast.amir.pk}, {"$unset": {"language": "", "time_zone": ""}})
    assert _ask(cast, cast.amir) == ("en", "UTC")


def test_before_the_sign_in_the_browser_is_asked(cast: Cast) -> None:
    assert _ask(cast, None, **{"accept-language": "fr-XX;q=0.1, de-AT, en;q=0.5"})[0] == "de"


def test_the_api_speaks_one_language(cast: Cast) -> None:
    _choose(cast.amir, language="de")
    assert _ask(cast, cast.amir, "/api/v1/tickets")[0] == "en"


def test_nothing_is_left_for_the_next_request(cast: Cast) -> None:
    Client(headers={"host": "acme.localhost", "accept-language": "de"}).get("/console/login/")
    assert (translation.get_language(), timezone.get_current_timezone_name()) == ("en", "UTC")
