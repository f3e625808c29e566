"""The job that makes search words anew: after an upgrade, and when a tenant's language has changed."""

from typing import Any

import pytest

from tenants.repository import TenantRepository
from tenants.services import get_tenant
from tests.cast import Cast, actor_of
from ticketing.jobs import Run
from ticketing.mongo import ObjectId
from ticketing.mongo.pages import PageRequest
from ticketing.mongo.repository import Document
from ticketing.mongo.scope import tenant_scope
from tickets.access import visible_tickets
from tickets.conversation.services import add_comment
from tickets.lists import matching, page_of_tickets
from tickets.privacy.redaction import redact_ticket
from tickets.repository import TicketRepository
from tickets.search import jobs, services
from tickets.services import open_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def tickets(cast: Cast) -> list[Document]:
    """Three of acme's and one of globex's, as the version before stems has left them; the second has a note."""
    stored = [open_ticket(actor_of(cast.carla), title=f"Printers {name}") for name in ("alpha", "beta", "gamma")]
    stored.append(open_ticket(actor_of(cast.greta), title="Printers delta"))
    add_comment(actor_of(cast.amir), stored[1]["_id"], "He keeps calling", visibility="internal")
    for tenant in (cast.acme, cast.globex):
        for ticket in TicketRepository(tenant.pk).find({}):
            words = ticket["title"].lower().split()
            noted = ["he", "keeps", "calling"] if ticket["internal_note_count"] else []
            TicketRepository(tenant.pk).update_all(
                {"_id": ticket["_id"]},
                {"all_terms": sorted([*words, *noted]), "public_terms": words},
                operators={"$unset": {"terms_form": ""}},
            )
    return stored


def found(user: Any, query: str) -> list[int]:
    user.tenant = get_tenant(user.tenant_id)
    actor = actor_of(user)
    with tenant_scope(actor.tenant_id):
        rows = page_of_tickets(actor, matching(actor, visible_tickets(actor), query), PageRequest(10)).rows
    return [row["number"] for row in rows]


def now_of(ticket: Document) -> Document:
    return TicketRepository(ticket["tenant_id"]).get(ticket["_id"])


def test_old_tickets_are_found_by_their_words_at_once_and_by_their_stems_after_the_job(
    cast: Cast, tickets: list[Document]
) -> None:
    assert found(cast.amir, "printers") == [3, 2, 1]
    assert found(cast.amir, "printer") == []
    before = [now_of(ticket) for ticket in tickets]
    run = Run("search.terms")
    jobs.renew(run)
    assert run.notes == {"tickets": 4}
    assert found(cast.amir, "printer") == found(cast.amir, "printing") or found(cast.amir, "printer") == [3, 2, 1]
    assert found(cast.amir, "printer call") == [2]
    assert found(cast.carla, "printer call") == []
    assert found(cast.gus, "printer") == [1]
    for old, new in zip(before, map(now_of, tickets), strict=True):
        terms = ("all_terms", "public_terms", "terms_form")
        assert {**old, **dict.fromkeys(terms)} == {**new, **dict.fromkeys(terms)}
    again = Run("search.terms")
    jobs.renew(again)
    assert again.notes == {"tickets": 0}


def test_another_language_keeps_tickets_findable_and_the_job_brings_its_stems(
    cast: Cast, tickets: list[Document]
) -> None:
    open_ticket(actor_of(cast.carla), title="Zwei Störungen bei den Druckern")
    jobs.renew(Run("search.terms"))
    TenantRepository().update_all({"_id": cast.acme.pk}, {"locale": "de"})
    assert found(cast.amir, "printers") == [3, 2, 1]
    assert found(cast.amir, "störungen") == [4]
    assert found(cast.amir, "störung") == []
    jobs.renew(Run("search.terms"))
    assert found(cast.amir, "störung drucker") == [4]
    assert found(cast.amir, "printers") == [3, 2, 1]


def test_an_interrupted_run_goes_on_where_it_was(
    cast: Cast, tickets: list[Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "BATCH", 1)
    first_tenant = min(cast.acme.pk, cast.globex.pk)
    stops = iter([False, True])
    first = Run("search.terms", stop=lambda: next(stops))
    jobs.renew(first)
    assert first.notes == {"tickets": 1}
    newest = max(TicketRepository(first_tenant).find({}), key=lambda ticket: ticket["number"])
    assert newest["terms_form"] == "1:en"
    assert first.position == f"{first_tenant}:{newest['number']}"
    second = Run("search.terms", position=first.position)
    jobs.renew(second)
    assert second.notes == {"tickets": 3}


def test_what_changes_meanwhile_and_what_was_removed_is_left_alone(
    cast: Cast, tickets: list[Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    redact_ticket(actor_of(cast.ada), tickets[0]["_id"], "erasure")
    threads = services._threads

    def answered_meanwhile(tenant_id: ObjectId, ids: list[ObjectId]) -> dict[ObjectId, list[Document]]:
        read = threads(tenant_id, ids)
        add_comment(actor_of(cast.carla), tickets[2]["_id"], "An afterthought")
        return read

    monkeypatch.setattr(services, "_threads", answered_meanwhile)
    assert services.renew_terms(cast.acme) == (1, 1)
    assert now_of(tickets[0])["all_terms"] == []
    assert "afterthought" in now_of(tickets[2])["all_terms"]
    assert now_of(tickets[2]).get("terms_form") is None
    monkeypatch.setattr(services, "_threads", threads)
    assert services.renew_terms(cast.acme) == (1, 1)
    assert {"afterthought", "printer"} <= set(now_of(tickets[2])["all_terms"])
