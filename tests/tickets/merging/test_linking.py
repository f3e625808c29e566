"""Links between tickets: both have them, customers do not notice."""

import pytest

from accounts.actor import Actor
from tests.cast import Cast, actor_of
from tests.tickets.merging.looking import stored, types_of
from ticketing.errors import InvalidInput, NotAllowed, NotFound
from ticketing.mongo.repository import Document
from ticketing.mongo.scope import tenant_scope
from tickets.merging import rules
from tickets.merging.linking import link_tickets, unlink_tickets
from tickets.merging.lists import find_merge_candidates, related_tickets
from tickets.merging.rules import TooMany
from tickets.services import change_ticket, open_ticket

pytestmark = pytest.mark.django_db


def test_a_link_is_on_both_sides_and_not_for_customers(
    cast: Cast, amir: Actor, target: Document, duplicate: Document
) -> None:
    change_ticket(amir, "2", {"status": "closed"})
    assert link_tickets(amir, "1", "2")["_id"] == duplicate["_id"]
    link_tickets(amir, "2", "1")
    assert [each["number"] for each in related_tickets(amir, stored(target))] == [2]
    assert [each["number"] for each in related_tickets(amir, stored(duplicate))] == [1]
    assert types_of(target).count("ticket.linked") == types_of(duplicate).count("ticket.linked") == 1
    assert stored(target)["public_version"] == target["public_version"]
    with pytest.raises(NotAllowed):
        related_tickets(actor_of(cast.carla), stored(target))

    unlink_tickets(amir, "1", "2")
    assert stored(target)["related_ids"] == stored(duplicate)["related_ids"] == []
    version = stored(target)["version"]
    unlink_tickets(amir, "1", "2")
    assert stored(target)["version"] == version
    with pytest.raises(NotFound):
        unlink_tickets(amir, "1", "99")


def test_what_cannot_be_linked_is_refused(
    cast: Cast, amir: Actor, target: Document, duplicate: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = open_ticket(actor_of(cast.greta), title="Theirs")
    for other in ("1", "99", theirs["_id"]):
        with pytest.raises(InvalidInput) as refused:
            link_tickets(amir, "1", other)
        assert refused.value.errors[0].field == "ticket"
    with pytest.raises(NotAllowed):
        link_tickets(actor_of(cast.carla), "1", "1")
    third = open_ticket(actor_of(cast.carl), title="Third")
    link_tickets(amir, "1", "2")
    monkeypatch.setattr(rules, "MAX_RELATED", 1)
    with pytest.raises(TooMany, match="#1"):
        link_tickets(amir, third["_id"], "1")
    assert stored(third)["related_ids"] == []


def test_candidates_are_open_and_first_the_requesters_own(
    cast: Cast, amir: Actor, target: Document, duplicate: Document
) -> None:
    other = open_ticket(actor_of(cast.carl), title="Copier broken")
    closed = open_ticket(actor_of(cast.carl), title="Copier old")
    change_ticket(amir, closed["_id"], {"status": "closed"})

    def found(query: str) -> list[int]:
        with tenant_scope(cast.acme.pk):
            return [each["number"] for each in find_merge_candidates(amir, duplicate, query)]

    assert found("") == [other["number"]]
    assert found("copier") == [other["number"]]
    assert found("printer fire") == found("#1") == found(" 1 ") == [1]
    assert found("#2") == found("?") == found("#99") == found(f"#{closed['number']}") == []
