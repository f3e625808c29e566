"""The ticket's storage."""

import pytest

from tests.cast import Cast
from tests.profile import profiled, reads
from tickets.repository import TicketRepository
from tickets.rules import Content
from tickets.services import new_ticket_document

pytestmark = pytest.mark.django_db


def test_an_import_looks_for_its_rows_only(cast: Cast) -> None:
    tickets = TicketRepository(cast.acme.pk)
    base = new_ticket_document(0, Content("Printer", "It is on fire."), cast.carla.pk, "import")
    stored = tickets.insert_many({**base, "number": each, "external_id": f"old-{each}"} for each in range(1, 101))

    with profiled() as entries:
        found = tickets.find_by_external_ids(["old-7", *(f"new-{each}" for each in range(50))])

    assert found == {"old-7": stored[6]["_id"]}
    [read] = reads(entries, "tickets")
    assert read["docsExamined"] == 1
