"""The command, and the real tickets."""

import csv
import os
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from tests.cast import make_tenant
from ticketing.mongo.client import get_database
from tickets.stats.services import differences
from tickets.transfer import importing

DATA = Path(os.environ.get("TICKETING_DATA") or settings.BASE_DIR.parent / "shared" / "data")
REAL = DATA / "it-tickets.csv"
MAPPING = settings.BASE_DIR / "tickets" / "transfer" / "mappings" / "it-tickets.toml"

pytestmark = pytest.mark.django_db


def run(*arguments: Any) -> tuple[str, str]:
    output, errors = StringIO(), StringIO()
    call_command("import_tickets", *map(str, arguments), stdout=output, stderr=errors)
    return output.getvalue(), errors.getvalue()


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text("title,priority\ngood,high\nbad,7\nshort\n")
    return path


@pytest.mark.skipif(not REAL.exists(), reason=f"the real tickets are not there: no file {REAL}; set TICKETING_DATA")
def test_the_real_tickets(tmp_path: Path) -> None:
    tenant = make_tenant("acme")
    output, errors = run(REAL, "--tenant", "acme", "--mapping", MAPPING)
    assert output.startswith("3801 rows read: 3801 imported, 0 already there, 0 rejected; 1 new customer accounts")
    assert errors == ""
    with REAL.open(newline="", encoding="utf-8") as file:
        source = list(csv.DictReader(file))
    tickets = list(get_database()["tickets"].find({"tenant_id": tenant.pk}).sort("number", 1))
    names = {"0": "urgent", "1": "high", "2": "normal", "3": "low"}
    assert Counter(ticket["priority"] for ticket in tickets) == Counter(names[row["urgency"]] for row in source)
    assert [ticket["number"] for ticket in tickets] == list(range(1, 3802))
    assert [ticket["title"] for ticket, row in zip(tickets, source, strict=True) if row["title"].strip()] == [
        " ".join(row["title"].split()) for row in source if row["title"].strip()
    ]
    assert all(ticket["title"] for ticket in tickets)
    assert [ticket["description"] for ticket in tickets] == [row["body"] for row in source]
    assert not differences(tenant.pk)
    again, _ = run(REAL, "--tenant", "acme", "--mapping", MAPPING)
    assert again.startswith("3801 rows read: 0 imported, 3801 already there")


def test_rejected_rows_are_shown_or_written_to_a_file(rows: Path, tmp_path: Path) -> None:
    make_tenant("acme")
    options = (rows, "--tenant", "acme", "--set", "requester=new@x.test")
    output, errors = run(*options, "--dry-run")
    assert output.splitlines()[0] == (
        "3 rows read: 1 would be imported, 0 already there, 2 rejected; 1 new customer accounts"
    )
    assert errors.splitlines() == [
        "line 3: priority: must be one of low, normal, high, urgent",
        "line 4: row: has 1 cells, but the header names 2",
    ]
    rejects = tmp_path / "rejects.csv"
    _, errors = run(*options, "--rejects", rejects)
    assert errors == ""
    with rejects.open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["line", "field", "reason"],
            ["3", "priority", "must be one of low, normal, high, urgent"],
            ["4", "row", "has 1 cells, but the header names 2"],
        ]


def test_an_interruption_says_how_to_go_on(rows: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_tenant("acme")

    def interrupted(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(importing, "store_past", interrupted)
    with pytest.raises(CommandError, match="Run the same command again") as caught:
        run(rows, "--tenant", "acme", "--set", "requester=new@x.test")
    assert caught.value.returncode == 130


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tenant", "nobody"], "no tenant 'nobody'"),
        (["--tenant", "acme", "--map", "title=Subject"], "no column 'Subject'; it has title, priority"),
        (["--tenant", "acme", "--map", "headline=title"], "'headline' is not a field"),
        (["--tenant", "acme", "--mapping", "missing.toml"], "missing.toml"),
        (["--tenant", "acme", "--time-zone", "Mars/Base"], "IANA"),
        (["--tenant", "acme", "--rejects", "/no/such/folder/x"], "--rejects"),
    ],
)
def test_a_wrong_call_is_one_line(rows: Path, arguments: list[str], message: str) -> None:
    make_tenant("acme")
    with pytest.raises(CommandError, match=message):
        run(rows, *arguments)
    assert get_database()["tickets"].count_documents({}) == 0
