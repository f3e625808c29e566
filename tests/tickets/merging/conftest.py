"""Two tickets about the same, and how to look at them."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.actor import Actor
from tests.cast import Cast, actor_of
from ticketing.mongo.repository import Document
from tickets.attachments.services import add_attachment
from tickets.conversation.services import add_comment
from tickets.services import change_ticket, open_ticket


@pytest.fixture
def amir(cast: Cast) -> Actor:
    return actor_of(cast.amir)


@pytest.fixture
def target(cast: Cast) -> Document:
    """Carla's ticket, #1."""
    return open_ticket(actor_of(cast.carla), title="Printer on fire", description="It **burns**.")


@pytest.fixture
def duplicate(cast: Cast, target: Document, amir: Actor) -> Document:
    """Carl's ticket about the same, #2, with an answer, a note and a file of each kind."""
    ticket = open_ticket(actor_of(cast.carl), title="Smoke in room 4", description="From the *copier*.")
    answer = add_comment(actor_of(cast.carl), ticket["_id"], "Now flames")
    add_comment(amir, ticket["_id"], "Looks like sabotage", "internal")
    file = SimpleUploadedFile("flames.txt", b"hot", "text/plain")
    add_attachment(actor_of(cast.carl), ticket["_id"], file, comment_id=answer["_id"])
    add_attachment(amir, ticket["_id"], SimpleUploadedFile("note.txt", b"psst", "text/plain"), visibility="internal")
    return change_ticket(amir, ticket["_id"], {"status": "pending"})
