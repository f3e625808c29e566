"""The dashboard: each figure leads to a list of exactly as many tickets; its tables as files."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest

from accounts.teams import create_team
from tests.cast import actor_of, make_user
from tests.console.queries import counted_queries
from ticketing import clock
from ticketing.console.spreadsheets import safe_cell
from ticketing.mongo import ObjectId
from tickets.console.dashboard.overview import duration
from tickets.conversation.services import add_comment
from tickets.drafts.sending import Answer
from tickets.drafts.services import save_draft, schedule_draft, send_draft
from tickets.rules import TicketClosed
from tickets.services import change_ticket, open_ticket
from tickets.stats.services import fold_all

NOW = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
FILES = ("status", "priority", "age", "agent", "team", "days", "times")


@pytest.fixture
def desk(cast, monkeypatch):
    """Tickets of the last hundred days in many states, some of a team; each as the services leave it."""
    amir, carla = actor_of(cast.amir), actor_of(cast.carla)
    team = create_team(actor_of(cast.ada), name="First line").pk
    for number, days in enumerate((100, 95, 60, 31, 29, 29, 12, 8, 5, 5, 2, 1, 0, 0)):
        _at(monkeypatch, NOW - timedelta(days=days))
        id_ = open_ticket(carla, title=f"Ticket {number}", priority=("low", "high", "urgent")[number % 3])["_id"]
        _at(monkeypatch, NOW - timedelta(days=days) + timedelta(hours=number))
        if number % 2:
            change_ticket(amir, id_, {"assigned_to": cast.amir.pk if number % 3 else cast.ada.pk, "team": team})
        if number % 5:
            add_comment(amir, id_, "On it.")
        if number % 4 == 1:
            change_ticket(amir, id_, {"status": "resolved"})
    monkeypatch.undo()
    fold_all(cast.acme.pk)
    return team


def _at(monkeypatch, moment):
    monkeypatch.setattr(clock, "now", lambda: moment)


LINK = r'href="(/console/tickets/ticket/\?[^"]+)">'
COUNT = r"([\d,]+)"
COUNTS = [
    rf"{LINK}<b>{COUNT}</b>",
    rf"{LINK}{COUNT}</a>",
    rf"{LINK}[^<]+</a>\s*<svg.*?</svg></th>\s*<td>{COUNT}",
    rf"{LINK}<b>[^<]+</b>[^<]+<small>of {COUNT} ",
]


def counts_of(page):
    """Every number that leads to a list, with its link."""
    found = {each for pattern in COUNTS for each in re.findall(pattern, page, re.DOTALL)}
    return {unescape(link): int(count.replace(",", "")) for link, count in found}


@pytest.mark.parametrize("query", ["period=90", "team={team}&period=month", "team=none&period=7"])
def test_each_figure_leads_to_as_many_tickets(cast, browser, desk, query):
    client = browser(cast.amir)
    counts = counts_of(client.get(f"/console/?{query.format(team=desk)}").content.decode())
    empty = [link for link, count in counts.items() if not count]
    wrong = {}
    for link, count in counts.items():
        if count or link in empty[:8]:  # many days have none
            shown = client.get(link).context["cl"].result_count
            if shown != count:
                wrong[link] = (count, shown)
    assert wrong == {}
    assert {link.partition("=")[0] for link in counts if "responded=" in link} == {"/console/tickets/ticket/?view"}


def test_the_numbers(cast, browser, desk):
    page = browser(cast.amir).get("/console/?period=90").content.decode()
    figures = dict(re.findall(r'\?([^"]+)"><b>([^<]+)</b>', unescape(page)))
    assert figures["view=open"] == "10"
    assert figures["view=mine"] == "2"
    assert figures["view=unassigned"] == "7"
    times = re.findall(r"<b>([^<]+)</b>(?:First response|Resolution), (?:median|90th percentile)", page)
    assert len(times) == 4
    assert all(re.fullmatch(r"\d+ h \d+ min", each) for each in times), times


def test_asks_little(cast, browser, desk):
    for number in range(5):
        user = make_user(cast.acme, f"agent{number}@example.test", role="agent")
        open_ticket(actor_of(cast.ada), title="More", assigned_to=user.pk)
    client = browser(cast.amir)
    with counted_queries() as sent:
        assert client.get("/console/?period=90").status_code == 200
    assert len(sent) <= 7, sent  # as the queue: the eighth is the process's own


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("period=custom&from=2026-03-01&to=2026-02-01", "from: is after the last day"),
        ("period=custom&from=2020-03-01&to=2026-02-01", "366 days"),
        ("period=custom&from=yesterday&to=2026-02-01", "it needs a first and a last day"),
        ("period=custom&from=2026-02-01&to=", "it needs a first and a last day"),
        ("period=<script>&team=<script>", ""),
        ("period=month", ""),
    ],
)
def test_a_period_that_cannot_be_shown_is_told(cast, browser, query, problem):
    page = browser(cast.amir).get(f"/console/?{query}").content.decode()
    assert ('role="alert"' in page) == bool(problem)
    assert problem in page
    assert "<script>&" not in page


def test_another_tenants_team_answers_as_a_missing_one(cast, browser):
    team = str(create_team(actor_of(cast.gina), name="Theirs").pk)
    open_ticket(actor_of(cast.gus), title="Theirs", team=ObjectId(team))
    client, missing = browser(cast.amir), str(ObjectId())
    pages = [client.get(f"/console/?team={id_}").content.decode().replace(id_, "ID") for id_ in (team, missing)]
    tokens = re.compile(r'value="[A-Za-z0-9]{64}"')
    assert tokens.sub("", pages[0]) == tokens.sub("", pages[1])


def test_a_new_tenant_is_told_what_to_do(cast, browser):
    page = browser(cast.amir).get("/console/").content.decode()
    assert "No tickets here yet" in page
    assert "/console/tickets/ticket/add/" in page


def test_is_empty_for_operators(cast, browser):
    assert "<b>" not in browser(cast.olga).get("/console/").content.decode()


def test_its_tables_as_files(cast, browser, desk):
    ada = make_user(cast.acme, "evil@example.test", name='=HYPERLINK("http://evil.test")', role="agent")
    open_ticket(actor_of(cast.ada), title="Mine", assigned_to=ada.pk)
    client = browser(cast.amir)
    files = {}
    for name in FILES:
        answer = client.get(f"/console/tickets/ticket/dashboard/{name}.csv?period=90")
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        assert f"tickets-{name}-" in answer["Content-Disposition"]
        files[name] = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert ['\'=HYPERLINK("http://evil.test")', "1"] in files["agent"]
    assert files["status"][0] == ["Status", "Open tickets"]
    assert sum(int(count) for _, count in files["age"][1:]) == 11
    assert len(files["days"]) == 91
    assert files["days"][-1][0] == clock.now().date().isoformat()
    assert int(files["times"][2][1]) == sum(int(day[2]) for day in files["days"][1:]) > 0
    assert client.get("/console/tickets/ticket/dashboard/secrets.csv").status_code == 404


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1d1"])
def test_no_cell_is_a_formula(text):
    assert safe_cell(text) == f"'{text}"


def test_other_cells_stay():
    assert [safe_cell(value) for value in ("Amir", "a=b", -3, None, "")] == ["Amir", "a=b", -3, "", ""]


def test_lengths_of_time():
    assert [duration(seconds) for seconds in (None, 0, 59, 3540, 3600, 86399, 90000, 10**7)] == [
        "–",
        "0 s",
        "59 s",
        "59 min",
        "1 h 0 min",
        "1 d 0 h",
        "1 d 1 h",
        "115 d 18 h",
    ]


def test_tells_which_answers_could_not_be_sent(cast, browser, ticket):
    amir = actor_of(cast.amir)
    save_draft(amir, ticket["_id"], body="Too late")
    schedule_draft(amir, ticket["_id"], Answer(body="Too late"))
    change_ticket(actor_of(cast.ada), ticket["_id"], {"status": "closed"})
    with pytest.raises(TicketClosed):
        send_draft(amir, ticket["_id"])
    client, panel = browser(cast.amir), "/console/tickets/ticket/dashboard/unsent/"
    assert f'hx-get="{panel}"' in client.get("/console/").content.decode()
    with counted_queries() as sent:
        page = client.get(panel).content.decode()
    assert len(sent) <= 8, sent
    assert f'/console/tickets/ticket/{ticket["_id"]}/change/">#1 ' in page
    assert browser(cast.ada).get(panel).content.strip() == b""
    address = f"/console/tickets/ticket/{ticket['_id']}/draft/discard/"
    assert client.post(address, {"draft_version": "1"}).json()["draft"]["body"] == "Too late"
    assert client.post(address).json()["draft"]["version"] == 0
    assert client.get(panel).content.strip() == b""
