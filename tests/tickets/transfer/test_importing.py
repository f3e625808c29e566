import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Team
from accounts.roles import Role
from accounts.teams import create_team
from tenants.models import Tenant
from tests.cast import Cast, actor_of, make_user, new_cast
from ticketing.errors import AlreadyExists
from ticketing.mongo.client import get_database
from ticketing.mongo.repository import Document
from tickets.repository import TicketRepository
from tickets.stats.services import differences
from tickets.transfer import importing
from tickets.transfer.importing import ImportOptions, ImportReport, Rejection, import_tickets
from tickets.transfer.mapping import FieldMapping
from tickets.transfer.reading import SourceFile

BY = {"requester": "carla@example.test"}


@pytest.fixture
def cast(db: None) -> Cast:
    return new_cast()


def written(folder: Path, rows: Iterable[dict[str, Any]], name: str = "tickets.jsonl") -> SourceFile:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return SourceFile(path)


def run(tenant: Tenant, source: SourceFile, mapping: FieldMapping | None = None, **options: Any) -> ImportReport:
    return import_tickets(tenant, source, mapping or FieldMapping(), ImportOptions(**options))


def stored(tenant: Tenant, collection: str = "tickets") -> list[Document]:
    return list(get_database()[collection].find({"tenant_id": tenant.pk}).sort("_id", 1))


def everything() -> dict[str, list[Document]]:
    database = get_database()
    return {name: list(database[name].find().sort("_id", 1)) for name in database.list_collection_names()}


def test_a_whole_ticket(cast: Cast, tmp_path: Path) -> None:
    team: Team = create_team(actor_of(cast.ada), name="Second level")
    row = {
        "external_id": "OLD-1",
        "title": "Printer",
        "description": "It *smokes*",
        "status": "resolved",
        "priority": "urgent",
        "category": "Hardware",
        "type": "incident",
        "tags": ["office"],
        "requester": "Carla@Example.test",
        "assignee": "agent@example.test",
        "team": "second LEVEL",
        "created_at": "2026-01-01T08:00:00+01:00",
        "resolved_at": "2026-01-03T08:00:00Z",
        "comments": [
            {"author": "agent@example.test", "body": "Unplug it", "created_at": "2026-01-01T09:00:00Z"},
            {"author": "carla@example.test", "body": "Done", "created_at": "2026-01-02T09:00:00Z"},
            {
                "author": "agent@example.test",
                "body": "Nitrogen extinguisher",
                "created_at": "2026-01-04T09:00:00Z",
                "visibility": "internal",
            },
        ],
    }
    report = run(cast.acme, written(tmp_path, [row]))
    assert (report.rows, report.imported, report.rejected, report.new_users) == (1, 1, 0, 0)
    [ticket] = stored(cast.acme)
    expected = {
        "number": 1,
        "title": "Printer",
        "description_html": "<p>It <em>smokes</em></p>\n",
        "status": "resolved",
        "priority": "urgent",
        "tags": ["office"],
        "channel": "import",
        "created_by_id": cast.carla.pk,
        "participant_ids": [cast.carla.pk],
        "assigned_to_id": cast.amir.pk,
        "team_id": team.pk,
        "comment_count": 2,
        "internal_note_count": 1,
        "external_id": "OLD-1",
        "created_at": datetime(2026, 1, 1, 7, tzinfo=UTC),
        "first_responded_at": datetime(2026, 1, 1, 9, tzinfo=UTC),
        "resolved_at": datetime(2026, 1, 3, 8, tzinfo=UTC),
        "closed_at": None,
        "updated_at": datetime(2026, 1, 4, 9, tzinfo=UTC),
        "public_updated_at": datetime(2026, 1, 3, 8, tzinfo=UTC),
        "version": 1,
    }
    assert {name: ticket[name] for name in expected} == expected
    assert "nitrogen" in ticket["all_terms"]
    assert "nitrogen" not in ticket["public_terms"]
    comments = stored(cast.acme, "comments")
    assert [(each["author_id"], each["visibility"], each["body_html"]) for each in comments] == [
        (cast.amir.pk, "public", "<p>Unplug it</p>\n"),
        (cast.carla.pk, "public", "<p>Done</p>\n"),
        (cast.amir.pk, "internal", "<p>Nitrogen extinguisher</p>\n"),
    ]
    events = sorted(stored(cast.acme, "events"), key=lambda event: event["position"])
    assert [(each["type"], each["at"], each["actor"]["id"], each["actor"]["via"]) for each in events] == [
        ("ticket.created", ticket["created_at"], cast.carla.pk, "import"),
        *(("comment.added", each["created_at"], each["author_id"], "import") for each in comments),
    ]
    assert not differences(cast.acme.pk)


def test_new_customers_get_an_account_they_cannot_use_yet(cast: Cast, tmp_path: Path) -> None:
    rows = [
        {"title": "A", "requester": email, "requester_name": "Nora New"} for email in ("nora@new.test", "NORA@new.test")
    ]
    rows.append({"title": "B", "requester": "left.out@new.test", "assignee": "nobody@new.test"})
    report = run(cast.acme, written(tmp_path, rows))
    assert (report.imported, report.new_users, report.rejected) == (2, 1, 1)
    [nora] = [user for user in stored(cast.acme, "users") if user["email"].endswith("new.test")]
    assert (nora["name"], nora["role"], nora["password"][0]) == ("Nora New", "user", "!")
    assert {ticket["created_by_id"] for ticket in stored(cast.acme)} == {nora["_id"]}
    assert not [user for user in stored(cast.globex, "users") if user["email"].endswith("new.test")]


def test_every_rejected_row_is_reported_with_all_its_reasons(cast: Cast, tmp_path: Path) -> None:
    rejections: list[Rejection] = []
    make_user(cast.acme, "left@example.test", role=Role.AGENT, is_active=False)
    rows = [
        {"title": "good", **BY},
        {"title": "", "priority": "7", "requester": "not an address"},
        {"title": "to a customer", "assignee": "carl@example.test", "team": "none", **BY},
        {"title": "to one who left", "assignee": "left@example.test", **BY},
        {"title": "solved by one who left", "assignee": "left@example.test", "status": "closed", **BY},
        {"title": "same id", "external_id": "X", **BY},
        {"title": "same id again", "external_id": "X", **BY},
        {"title": "unknown requester", "requester": "new@example.test"},
    ]
    report = import_tickets(
        cast.acme,
        written(tmp_path, rows),
        FieldMapping(),
        ImportOptions(create_users=False),
        on_rejection=rejections.append,
    )
    assert [(each.line, sorted(error.field for error in each.errors)) for each in rejections] == [
        (2, ["priority", "title"]),
        (7, ["external_id"]),
        (3, ["assignee", "team"]),
        (4, ["assignee"]),
        (8, ["requester"]),
    ]
    assert (report.rows, report.imported, report.rejected) == (8, 3, 5)
    assert report.reasons["assignee: not_found"] == 2
    assert [ticket["title"] for ticket in stored(cast.acme)] == ["good", "solved by one who left", "same id"]


def test_a_second_run_adds_nothing(cast: Cast, tmp_path: Path) -> None:
    source = written(tmp_path, [{"title": f"T{n}", **BY} for n in range(7)])
    run(cast.acme, source, batch=3)
    before = everything()
    again = run(cast.acme, source, batch=4)
    assert (again.imported, again.present) == (0, 7)
    assert everything() == before


def test_an_interrupted_import_goes_on_where_it_stopped(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = written(tmp_path, [{"title": f"T{n}", "requester": f"new{n}@x.test"} for n in range(10)])
    store = importing.store_past
    calls = []

    def killed_in_the_third_batch(*args: Any, **kwargs: Any) -> None:
        calls.append(1)
        store(*args, **kwargs)
        if len(calls) == 3:  # written, but the transaction has not been committed
            raise KeyboardInterrupt

    monkeypatch.setattr(importing, "store_past", killed_in_the_third_batch)
    with pytest.raises(KeyboardInterrupt):
        run(cast.acme, source, batch=3)
    monkeypatch.undo()
    assert len(stored(cast.acme)) == len(stored(cast.acme, "events")) == 6
    assert len([user for user in stored(cast.acme, "users") if user["email"].endswith("@x.test")]) == 6

    report = run(cast.acme, source, batch=3)
    assert (report.present, report.imported, report.new_users) == (6, 4, 4)
    tickets = stored(cast.acme)
    assert sorted(ticket["title"] for ticket in tickets) == [f"T{n}" for n in range(10)]
    assert len({ticket["number"] for ticket in tickets}) == 10
    assert not differences(cast.acme.pk)


def test_a_dry_run_stores_nothing_and_counts_the_same(cast: Cast, tmp_path: Path) -> None:
    source = written(tmp_path, [{"title": "T", "requester": "new@x.test"}, {"title": "", **BY}] * 2)
    before = everything()
    dry = run(cast.acme, source, dry_run=True, batch=1)
    assert everything() == before
    assert dry == run(cast.acme, source, batch=1)
    assert (dry.imported, dry.rejected, dry.new_users) == (2, 2, 1)


def test_tenants_do_not_share_external_ids_numbers_or_people(cast: Cast, tmp_path: Path) -> None:
    source = written(tmp_path, [{"external_id": "X", "title": "T", "assignee": "agent@example.test", **BY}])
    for tenant in (cast.acme, cast.globex):
        assert run(tenant, source).imported == 1
    [acme], [globex] = stored(cast.acme), stored(cast.globex)
    assert (acme["number"], globex["number"]) == (1, 1)
    assert (acme["created_by_id"], acme["assigned_to_id"]) == (cast.carla.pk, cast.amir.pk)
    assert (globex["created_by_id"], globex["assigned_to_id"]) == (cast.greta.pk, cast.gus.pk)


def test_a_number_taken_meanwhile_leaves_nothing_of_the_batch(cast: Cast, tmp_path: Path) -> None:
    run(cast.acme, written(tmp_path, [{"external_id": "X", "title": "T", **BY}]))
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.setattr(TicketRepository, "find_by_external_ids", lambda self, ids: {})
        before = everything()
        with pytest.raises(AlreadyExists):
            run(cast.acme, written(tmp_path, [{"external_id": id_, "title": "T", **BY} for id_ in "YX"]))
    after = everything()
    assert {**after, "counters": []} == {**before, "counters": []}


def test_a_csv_file_with_a_mapping(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_text("Subject;Urgency;Opened;By\nMouse;0;01.02.2026 10:00;carla@example.test\n")
    mapping = FieldMapping().extended(
        ["title=Subject", "priority=Urgency", "created_at=Opened", "requester=By"], ["priority.0=urgent"], ["type=task"]
    )
    report = run(cast.acme, SourceFile(path, delimiter=";"), mapping, time_format="%d.%m.%Y %H:%M")
    assert report.imported == 1
    [ticket] = stored(cast.acme)
    assert (ticket["title"], ticket["priority"], ticket["type"]) == ("Mouse", "urgent", "task")
    assert ticket["created_at"] == datetime(2026, 2, 1, 10, tzinfo=UTC)


def test_tickets_with_many_comments_are_stored_in_smaller_transactions(cast: Cast, tmp_path: Path) -> None:
    at = "2026-01-01T09:00:00Z"
    comments = [{"author": "carla@example.test", "body": "Word", "created_at": at} for _ in range(3)]
    row = {"title": "Smoke", "created_at": at, "tags": ["office", "lift"], "comments": comments, **BY}
    rows = [{"external_id": str(number), **row} for number in range(3)]
    seen: list[int] = []
    source = written(tmp_path, rows)
    report = import_tickets(
        cast.acme, source, FieldMapping(), ImportOptions(batch=8), on_batch=lambda report: seen.append(report.imported)
    )
    assert (seen, report.imported) == ([2, 3], 3)
    assert len(stored(cast.acme, "comments")) == 9
