"""An empty file storage, and nobody whose requests have to be waited for."""

import shutil
from datetime import timedelta

import pytest
from django.conf import settings

from tickets.privacy import erasure


@pytest.fixture(autouse=True)
def _empty_storage() -> None:
    shutil.rmtree(settings.MEDIA_ROOT, ignore_errors=True)


@pytest.fixture(autouse=True)
def _nothing_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "REQUESTS_END_WITHIN", timedelta())
