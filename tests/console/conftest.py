"""Signed-in browsers for the console's tests."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.actor import Via
from accounts.models import User
from tests.cast import PASSWORD, actor_of
from tests.console import queries  # noqa: F401 - listens from the first client on
from tickets.services import open_ticket

Browser = Callable[[User | None], Client]


@pytest.fixture
def browser(cast: Any) -> Browser:
    """A browser on the host of the user's tenant, signed in through the form."""

    def sign_in(user: User | None) -> Client:
        tenant = next((each for each in (cast.acme, cast.globex) if user and each.pk == user.tenant_id), None)
        client = Client(headers={"host": f"{tenant.slug}.localhost" if tenant else "localhost"})
        if user is not None:
            answer = client.post("/console/login/?next=/api/v1/", {"username": user.email, "password": PASSWORD})
            assert answer.status_code == 302, answer.context["form"].errors
        return client

    return sign_in


@pytest.fixture
def ticket(cast: Any) -> dict[str, Any]:
    """Carla's ticket at Acme."""
    return open_ticket(actor_of(cast.carla, Via.API), title="Printer on fire", description="It **smokes**.")
