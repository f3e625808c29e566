import hashlib
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.files.storage import default_storage
from django.core.management import call_command

from accounts.actor import Actor, Via
from accounts.models import User
from accounts.roles import Role
from tenants.models import Tenant
from tenants.services import find_tenant
from ticketing.mongo import ObjectId
from ticketing.mongo.client import get_database
from ticketing.mongo.repository import Document
from tickets.attachments.sweeping import find_missing_files, sweep_files
from tickets.demo.people import ACME, DEMO_SIGN_INS, DEMO_TENANTS, GLOBEX
from tickets.demo.services import TICKETS, load_demo
from tickets.models import Status
from tickets.stats.services import differences, ticket_stats
from tickets.workflow.rules import DEFAULT_WORKFLOW

TODAY = date(2026, 6, 30)
MIDNIGHT = datetime(2026, 6, 30, tzinfo=UTC)
COLLECTIONS = ("users", "teams", "tickets", "comments", "events", "attachments")

pytestmark = pytest.mark.django_db


def tenant_of(slug: str) -> Tenant:
    tenant = find_tenant(slug)
    assert tenant is not None
    return tenant


def stored(tenant: Tenant, collection: str) -> list[Document]:
    return list(get_database()[collection].find({"tenant_id": tenant.pk}).sort("_id", 1))


def content(tenant: Tenant) -> dict[str, list[Document]]:
    """All that belongs to the tenant, without what must differ: its own id and salted hashes."""
    unlike = {"tenant_id", "password", "storage_key"}
    return {
        name: [{key: value for key, value in each.items() if key not in unlike} for each in stored(tenant, name)]
        for name in COLLECTIONS
    }


def test_what_is_loaded() -> None:
    """To load the demo for each of these checks would take longer than all of them."""
    assert load_demo(TODAY) == ["acme", "globex"]
    check_both_tenants_are_complete_and_share_numbers_and_titles()
    check_each_ticket_agrees_with_its_thread_and_its_history()
    check_the_statistics_equal_a_recount()
    check_each_tenants_notes_hold_its_own_code_word_only()
    check_files_are_there_and_nothing_else()
    check_sign_ins_work_and_pass_the_validators()


def check_both_tenants_are_complete_and_share_numbers_and_titles() -> None:
    tickets = {demo.slug: stored(tenant_of(demo.slug), "tickets") for demo in DEMO_TENANTS}
    for own in tickets.values():
        assert sorted(ticket["number"] for ticket in own) == list(range(1, TICKETS + 1))
        assert {ticket["status"] for ticket in own} == set(Status.values)
        assert sum(ticket["reopened_count"] for ticket in own) > 5
        assert sum(ticket["internal_note_count"] for ticket in own) > 50
        assert all(MIDNIGHT - timedelta(days=181) < ticket["created_at"] for ticket in own)
        assert all(ticket["created_at"] <= ticket["updated_at"] < MIDNIGHT for ticket in own)
    titles = [{ticket["title"] for ticket in own} for own in tickets.values()]
    assert len(titles[0] & titles[1]) > 5


def check_each_ticket_agrees_with_its_thread_and_its_history() -> None:
    tenant = tenant_of("acme")
    comments, events = by_ticket(stored(tenant, "comments")), by_ticket(stored(tenant, "events"))
    attachments = by_ticket(stored(tenant, "attachments"))
    for ticket in stored(tenant, "tickets"):
        thread, history = comments.get(ticket["_id"], []), events[ticket["_id"]]
        visibilities = Counter(comment["visibility"] for comment in thread)
        assert ticket["comment_count"] == visibilities["public"]
        assert ticket["internal_note_count"] == visibilities["internal"]
        files = Counter(file["visibility"] for file in attachments.get(ticket["_id"], []))
        assert (ticket["attachment_count"], ticket["internal_attachment_count"]) == (files["public"], files["internal"])
        assert sorted({event["version"] for event in history}) == list(range(1, ticket["version"] + 1))
        assert max(event["at"] for event in history) == ticket["updated_at"]
        moves = [event["changes"]["status"] for event in history if event["type"] == "ticket.status_changed"]
        assert [move[1] for move in moves][-1:] == ([ticket["status"]] if moves else [])
        assert ticket["status"] != "new" or not moves
        assert (ticket["resolved_at"] is not None) == (ticket["status"] in ("resolved", "closed"))
        assert (ticket["closed_at"] is not None) == (ticket["status"] == "closed")
        for source, target in moves:
            DEFAULT_WORKFLOW.check(source, target, "agent")


def check_the_statistics_equal_a_recount() -> None:
    for demo in DEMO_TENANTS:
        tenant = tenant_of(demo.slug)
        assert not differences(tenant.pk)
        stats = ticket_stats(Actor.system(tenant, Via.COMMAND))
        assert {name: amount for name, amount in stats["status"].items() if amount} == Counter(
            ticket["status"] for ticket in stored(tenant, "tickets")
        )


def check_each_tenants_notes_hold_its_own_code_word_only() -> None:
    for demo, other in ((ACME, GLOBEX), (GLOBEX, ACME)):
        notes = [each["body"] for each in stored(tenant_of(demo.slug), "comments") if each["visibility"] == "internal"]
        assert notes
        assert all(demo.secret in note for note in notes)
        texts = str(content(tenant_of(demo.slug)))
        assert other.secret not in texts


def check_files_are_there_and_nothing_else() -> None:
    for demo in DEMO_TENANTS:
        tenant = tenant_of(demo.slug)
        rows = stored(tenant, "attachments")
        assert {row["visibility"] for row in rows} == {"public", "internal"}
        for row in rows:
            with default_storage.open(row["storage_key"]) as file:
                content = file.read()
            assert (len(content), hashlib.sha256(content).hexdigest()) == (row["size"], row["sha256"])
        assert tenant.storage_bytes == sum(row["size"] for row in rows)
        assert sweep_files(tenant.pk, older_than=timedelta(0), dry_run=True) == find_missing_files(tenant.pk) == []


def test_the_same_day_gives_the_same_content() -> None:
    load_demo(TODAY)
    first = {demo.slug: content(tenant_of(demo.slug)) for demo in DEMO_TENANTS}
    for name in (*COLLECTIONS, "tenants"):
        get_database()[name].delete_many({})
    load_demo(TODAY)
    assert {demo.slug: content(tenant_of(demo.slug)) for demo in DEMO_TENANTS} == first


def test_a_second_load_changes_nothing() -> None:
    call_command("load_demo", today=TODAY, stdout=StringIO())
    before = everything()
    output = StringIO()
    call_command("load_demo", "--today", "2026-07-05", stdout=output)
    assert everything() == before
    assert output.getvalue() == ""


def test_a_renamed_tenant_is_not_loaded_again() -> None:
    load_demo(TODAY)
    get_database()["tenants"].update_one({"slug": "acme"}, {"$set": {"slug": "renamed", "hosts": []}})
    before = everything()
    assert load_demo(TODAY) == []
    assert everything() == before


def check_sign_ins_work_and_pass_the_validators() -> None:
    assert {role for _, _, role, _ in DEMO_SIGN_INS} == set(Role)
    for slug, email, role, password in DEMO_SIGN_INS:
        tenant_id = tenant_of(slug).pk if slug else None
        document = get_database()["users"].find_one({"tenant_id": tenant_id, "email": email})
        assert document is not None
        user = User.from_document(document)
        assert user.check_password(password)
        assert user.role == role
        validate_password(password, user)


def by_ticket(documents: list[Document]) -> dict[ObjectId, list[Document]]:
    grouped: dict[ObjectId, list[Document]] = {}
    for document in documents:
        grouped.setdefault(document["ticket_id"], []).append(document)
    return {ticket_id: sorted(own, key=order) for ticket_id, own in grouped.items()}


def order(document: Document) -> tuple[Any, ...]:
    return document.get("version", 0), document.get("position", 0)


def everything() -> dict[str, list[Document]]:
    return {name: list(get_database()[name].find().sort("_id", 1)) for name in (*COLLECTIONS, "tenants", "audit_log")}
