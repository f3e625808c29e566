"""A signing key is replaced: what the old one signed counts while it is a fallback, and not after."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.passwords import accept_invitation, invitation_for
from accounts.sessions import AccessToken, RefreshToken, get_account_of_token, open_session, refresh_session
from accounts.signatures import RotatingBackend
from tests.cast import Cast
from ticketing.errors import InvalidInput, NotAuthenticated

pytestmark = pytest.mark.django_db

OLD, NEW = "the old key, of which somebody has made a photograph", "the new key, which is in nobody's photograph at all"
Sign = Callable[..., None]


@pytest.fixture
def sign_with(monkeypatch: pytest.MonkeyPatch) -> Sign:
    """Settings are read once at start; this is a start with other tokens' keys."""

    def use(key: str, *former: str) -> None:
        for token in (AccessToken, RefreshToken):
            monkeypatch.setattr(token, "_token_backend", RotatingBackend(key, former))

    return use


def test_tokens_of_the_old_key_count_until_it_is_taken_away(cast: Cast, sign_with: Sign) -> None:
    sign_with(OLD)
    first, second = open_session(cast.carla), open_session(cast.carla)
    sign_with(NEW, OLD)
    assert get_account_of_token(first.access).user == cast.carla
    _, renewed = refresh_session(first.refresh)
    sign_with(NEW)
    assert get_account_of_token(renewed.access).user == cast.carla
    for call in (lambda: get_account_of_token(second.access), lambda: refresh_session(second.refresh)):
        with pytest.raises(NotAuthenticated):
            call()


def test_a_third_key_never_counts(cast: Cast, sign_with: Sign) -> None:
    sign_with("a key that somebody has made up himself, and it is long")
    forged = open_session(cast.carla)
    sign_with(NEW, OLD)
    with pytest.raises(NotAuthenticated):
        get_account_of_token(forged.access)


def test_console_sessions_outlive_the_overlap_only_by_signing_in_anew(cast: Cast, settings: Any) -> None:
    settings.SECRET_KEY = OLD
    client = Client(HTTP_HOST="acme.localhost")
    client.force_login(cast.ada)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]
    assert client.get("/console/").status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    assert client.get("/console/").status_code == 302


def test_invitations_of_the_old_key_are_taken_while_it_is_a_fallback(cast: Cast, settings: Any) -> None:
    settings.SECRET_KEY = OLD
    for_carla, for_carl = invitation_for(cast.carla), invitation_for(cast.carl)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]
    assert accept_invitation(for_carla, "quite a long new password").pk == cast.carla.pk
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(InvalidInput):
        accept_invitation(for_carl, "quite a long new password")
