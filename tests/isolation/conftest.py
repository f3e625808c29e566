"""The world of the walks, built once for a process and laid into the database anew for each test."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accounts.sessions import AccessToken
from tests.isolation.world import World, build_world

_worlds: list[World] = []


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Thousands of expected refusals would bury the report of a fault."""
    caplog.set_level(logging.CRITICAL, "django.request")


@pytest.fixture
def world(db: None) -> World:
    """Acme and globex as they were built, whatever the test before did to them."""
    if not _worlds:
        with pytest.MonkeyPatch.context() as patch:  # the walks may take longer than a token lives
            patch.setattr(AccessToken, "lifetime", timedelta(days=1))
            _worlds.append(build_world())
    _worlds[0].snapshot.undo()
    return _worlds[0]


@pytest.fixture
def walked(record_property: Callable[[str, Any], None]) -> Callable[[int, str], None]:
    """Notes how many combinations a walk asked; the run's last lines add them up."""

    def note(number: int, of_what: str) -> None:
        record_property("walked", [number, of_what])

    return note
