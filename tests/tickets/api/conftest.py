"""A ticket of Carla's at acme, and clients for everybody."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.keys import create_api_key
from accounts.models import User
from tests.cast import Cast, actor_of, api

TICKETS = "/api/v1/tickets"
Row = dict[str, Any]
WithKey = Callable[..., APIClient]


def titles(client: APIClient, query: str = "") -> list[str]:
    response = client.get(TICKETS + query)
    assert response.status_code == 200, response.content
    return [row["title"] for row in response.json()["data"]]


@pytest.fixture
def carla(cast: Cast) -> APIClient:
    """A customer of acme."""
    return api(cast.carla)


@pytest.fixture
def carl(cast: Cast) -> APIClient:
    """Another customer of acme."""
    return api(cast.carl)


@pytest.fixture
def amir(cast: Cast) -> APIClient:
    """An agent of acme."""
    return api(cast.amir)


@pytest.fixture
def gus(cast: Cast) -> APIClient:
    """An agent of globex."""
    return api(cast.gus)


@pytest.fixture
def opened(carla: APIClient) -> Row:
    """Carla's ticket number 1, as she was answered."""
    response = carla.post(TICKETS, {"title": "Printer on fire", "description": "It *burns*."})
    assert response.status_code == 201, response.content
    return dict(response.json())


@pytest.fixture
def open_for(cast: Cast) -> Callable[..., Row]:
    """Opens a ticket for somebody."""

    def do(user: User, **values: Any) -> Row:
        response = api(user).post(TICKETS, {"title": "Something", **values})
        assert response.status_code == 201, response.content
        return dict(response.json())

    return do


@pytest.fixture
def with_key(cast: Cast) -> WithKey:
    """A client that calls with a key of the admin's, of these scopes."""

    def do(*scopes: str) -> APIClient:
        _, secret = create_api_key(actor_of(cast.ada), name="Integration", scopes=list(scopes))
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Api-Key {secret}")
        return client

    return do
