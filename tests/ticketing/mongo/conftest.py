"""The collections of tests.mongo_app, and a second connection that runs the unmodified backend on the same data."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from django.db import connection, connections

from tests.mongo_app.models import Book, Loan, Shelf

MODELS = (Shelf, Book, Loan)


@pytest.fixture
def library(db: None) -> Iterator[None]:
    """Empty collections for the models of tests.mongo_app, with their indexes."""
    for model in MODELS:
        with connection.schema_editor() as editor:
            editor.create_model(model)
    yield
    for model in MODELS:
        with connection.schema_editor() as editor:
            editor.delete_model(model)


@pytest.fixture
def unmodified(library: None) -> Iterator[str]:
    """The alias of a connection to the same database through django_mongodb_backend itself."""
    settings: dict[str, Any] = deepcopy(connection.settings_dict)
    connections.settings["unmodified"] = {**settings, "ENGINE": "django_mongodb_backend"}
    yield "unmodified"
    connections["unmodified"].close_pool()
    del connections["unmodified"]
    del connections.settings["unmodified"]
