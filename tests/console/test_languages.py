"""The console in German: its own texts, what services refuse, times and numbers; the API stays English."""

from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from babel.messages.pofile import read_po
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.html import escape

from accounts.repository import users_of
from tests.cast import actor_of
from tests.console.conftest import Browser
from ticketing import clock
from ticketing.console.display import age, coming, figure, moment
from ticketing.console.refusals import in_words
from ticketing.console.site import site
from ticketing.errors import TicketingError
from ticketing.locale.catalogue import FOLDER
from tickets.drafts.sending import Answer
from tickets.drafts.services import schedule_draft, send_draft
from tickets.merging.linking import link_tickets
from tickets.merging.services import merge_ticket
from tickets.services import change_ticket, open_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def german(browser: Browser, cast: Any) -> Client:
    """Acme's admin, who reads German."""
    users_of(cast.acme.pk).update_where({"_id": cast.ada.pk}, {"language": "de"})
    return browser(cast.ada)


def test_the_sign_in_speaks_the_browsers_language(cast: Any) -> None:
    page = Client(headers={"host": "acme.localhost", "accept-language": "de-AT,de;q=0.9"}).get("/console/login/")
    assert '<html lang="de"' in page.text
    assert "Anmelden" in page.text
    other = Client(headers={"host": "acme.localhost", "accept-language": "fr"}).get("/console/login/")
    assert "Sign in" in other.text


def test_a_refusal_is_german_at_the_console_and_english_in_the_api(german: Client) -> None:
    add = reverse("console:accounts_team_add")
    assert german.post(add, {"name": "Vertrieb"}).status_code == 302
    assert "Es gibt bereits ein Team dieses Namens" in german.post(add, {"name": "Vertrieb"}).text
    assert "Darf keine Steuerzeichen enthalten" in german.post(add, {"name": "Ver\u202etrieb"}).text
    csrf = {"X-CSRFToken": german.cookies["csrftoken"].value} if "csrftoken" in german.cookies else {}
    answer = german.post("/api/v1/teams", {"name": "Vertrieb"}, content_type="application/json", headers=csrf)
    assert answer.json()["detail"] == "name: there is a team of this name"


def test_what_was_stored_about_a_change_of_many_is_told_in_german(cast: Any, german: Client, ticket: Any) -> None:
    many = open_ticket(actor_of(cast.amir), title="Many tags", tags=[f"tag-{number}" for number in range(20)])
    chosen = {"tickets": f"{ticket['_id']}:1,{many['_id']}", "priority": "high", "add_tags": "one more"}
    change_ticket(actor_of(cast.amir), ticket["_id"], {"priority": "low"})
    answer = german.post("/console/tickets/ticket/bulk/apply/", chosen)
    shown = german.get(answer["Location"]).text
    assert "Jemand hat es inzwischen geändert: Priorität" in shown
    assert "sind mehr als 20" in shown


def test_what_was_stored_about_an_answer_is_told_in_german(cast: Any, german: Client, ticket: Any) -> None:
    ada = actor_of(cast.ada)
    schedule_draft(ada, ticket["_id"], Answer(body="Try this", changes={"priority": "high"}))
    change_ticket(actor_of(cast.amir), ticket["_id"], {"priority": "low"})
    send_draft(ada, ticket["_id"])
    told = "Es wurde gesendet, aber jemand hat dies inzwischen geändert, deshalb blieb es, wie es ist: Priorität"
    page = reverse("console:tickets_ticket_change", args=[ticket["_id"]])
    for url in (page, reverse("console:tickets_ticket_dashboard_unsent")):
        assert told in german.get(url).text


def test_a_page_that_is_missing_says_so_in_german(german: Client) -> None:
    assert "Hier ist nichts" in german.get("/console/nowhere/").text


def test_times_and_numbers_are_written_as_germans_do() -> None:
    now = clock.now()
    with translation.override("de"):
        assert ">vor\xa03\xa0Tagen<" in moment(now - timedelta(days=3, hours=1))
        assert ">in\xa02\xa0Stunden<" in coming(now + timedelta(hours=2, minutes=1))
        assert ">3\xa0Tage<" in age(now - timedelta(days=3, hours=1))
        assert figure(10_000) == "10.000"
    with translation.override("en"):
        assert figure(10_000) == "10,000"


class _Words(HTMLParser):
    """The texts that a page shows, each between two tags or in an attribute that people read or hear."""

    def __init__(self) -> None:
        super().__init__()
        self.words: set[str] = set()
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in ("script", "style")
        self.words |= {value or "" for name, value in attrs if name in ("title", "aria-label", "placeholder", "alt")}

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.words.add(" ".join(data.split()))


def _english() -> set[str]:
    """Texts that read otherwise in German, words that may be names or values left out."""
    with (FOLDER / "de" / "LC_MESSAGES" / "django.po").open("rb") as file:
        known = read_po(file, locale="de")
    texts = {message.id for message in known if isinstance(message.id, str) and message.string not in ("", message.id)}
    german = {message.string for message in known if isinstance(message.string, str)}
    return {text for text in texts - german if " " in text or text[:1].isupper()}


def test_no_page_shows_english_that_the_catalogue_knows_in_german(german: Client, ticket: dict[str, Any]) -> None:
    paths = ["/console/", reverse("console:tickets_ticket_change", args=[ticket["_id"]])]
    for admin in site._registry.values():
        paths.append(admin.changelist_url)
        paths.append(reverse(f"console:{admin.opts.app_label}_{admin.opts.model_name}_add"))
    english, seen, left = _english(), 0, {}
    for path in paths:
        answer = german.get(path)
        if answer.status_code != 200:
            continue
        words = _Words()
        words.feed(answer.text)
        seen += 1
        if found := words.words & english:
            left[path] = sorted(found)
    assert seen > 10
    assert left == {}


def test_what_cannot_be_linked_or_merged_is_told_in_german(german: Client, cast: Any) -> None:
    ticket = open_ticket(actor_of(cast.carla), title="Drucker")
    english = {}
    for name, service in (("related", link_tickets), ("merge", merge_ticket)):
        with pytest.raises(TicketingError) as refused:
            service(actor_of(cast.ada), ticket["_id"], str(ticket["_id"]))
        english[name] = refused.value.errors[0].message if refused.value.errors else refused.value.detail
    for name, field in (("related", "ticket"), ("merge", "into")):
        address = reverse(f"console:tickets_ticket_{name}", args=[ticket["_id"]])
        page = german.post(address, {field: str(ticket["_id"])}, follow=True).text
        with translation.override("de"):
            told = escape(in_words(english[name]))
        assert told != english[name]
        assert told in page
