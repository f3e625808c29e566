"""A ticket of Carla's at acme, and clients for everybody."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from tests.cast import Cast, api

TICKETS = "/api/v1/tickets"
Row = dict[str, Any]


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
