"""The ticket page: conversation, reply and note, fields, history, stale forms; all of it through the services."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.cast import actor_of
from tests.console.queries import counted_queries
from ticketing.errors import DirectWriteError
from ticketing.mongo import ObjectId
from ticketing.mongo.scope import tenant_scope
from tickets.attachments.repository import AttachmentRepository
from tickets.attachments.services import add_attachment
from tickets.conversation.repository import CommentRepository
from tickets.conversation.services import add_comment
from tickets.events.repository import EventRepository
from tickets.models import Ticket
from tickets.repository import TicketRepository
from tickets.services import change_ticket, open_ticket

TICKETS = "/console/tickets/ticket/"
SCRIPT = "<script>alert(1)</script>"


def page_of(ticket: Any) -> str:
    return f"{TICKETS}{ticket['_id']}/change/"


def form_of(answer: Any) -> dict[str, Any]:
    """What a browser would send back unchanged."""
    form = answer.context["adminform"].form
    data = {"visibility": "public"}
    for bound in form:
        value = bound.value()
        data[bound.html_name] = "" if value is None else value
        if bound.field.show_hidden_initial:
            data[bound.html_initial_name] = data[bound.html_name]
    return data


def errors_of(answer: Any) -> dict[str, list[str]]:
    return answer.context["adminform"].form.errors


def stored(cast: Any, ticket: Any) -> Any:
    return TicketRepository(cast.acme.pk).get(ticket["_id"])


def event_types(cast: Any, ticket: Any) -> list[str]:
    events = EventRepository(cast.acme.pk).find({"ticket_id": ticket["_id"]}, sort=[("version", 1), ("position", 1)])
    return [event["type"] for event in events]


def test_shows_the_conversation(cast, browser, ticket):
    add_comment(actor_of(cast.amir), ticket["_id"], "Have you *tried* water?")
    add_comment(actor_of(cast.amir), ticket["_id"], "Carla sounds stressed", "internal")
    page = browser(cast.amir).get(page_of(ticket)).content.decode()
    assert "#1 Printer on fire" in page
    assert "It <strong>smokes</strong>." in page
    assert "Have you <em>tried</em> water?" in page
    assert re.search(r'thread-internal".*?Internal note.*?Carla sounds stressed', page, re.DOTALL)
    assert "carla@example.test" in page


def test_is_found_by_its_number_too(cast, browser, ticket):
    assert browser(cast.amir).get(f"{TICKETS}1/change/").status_code == 200


def test_reply_and_fields_are_stored_in_one_go(cast, browser, ticket):
    client = browser(cast.amir)
    data = form_of(client.get(page_of(ticket)))
    data |= {"reply": "Use **water**", "status": "pending", "priority": "high", "assigned_to": str(cast.amir.pk)}
    data |= {"tags": "Fire, hardware , fire", "category": "Printers"}
    answer = client.post(page_of(ticket), data, follow=True)
    assert answer.redirect_chain[-1][0] == page_of(ticket)
    now = stored(cast, ticket)
    assert (now["status"], now["priority"], now["assigned_to_id"]) == ("pending", "high", cast.amir.pk)
    assert (now["tags"], now["category"], now["comment_count"]) == (["fire", "hardware"], "Printers", 1)
    assert now["first_responded_at"] is not None
    assert "Use <strong>water</strong>" in answer.content.decode()
    assert set(event_types(cast, ticket)) >= {"comment.added", "ticket.status_changed", "ticket.assigned"}


def test_an_internal_note_changes_nothing_for_the_customer(cast, browser, ticket):
    client = browser(cast.amir)
    client.post(page_of(ticket), form_of(client.get(page_of(ticket))) | {"reply": "Hush", "visibility": "internal"})
    now = stored(cast, ticket)
    assert (now["internal_note_count"], now["comment_count"], now["public_version"]) == (1, 0, 1)
    assert now["status"] == "new"


def test_an_untouched_form_writes_nothing(cast, browser, ticket):
    client = browser(cast.amir)
    client.post(page_of(ticket), form_of(client.get(page_of(ticket))))
    assert stored(cast, ticket)["version"] == 1


def test_offers_only_allowed_transitions(cast, browser, ticket):
    client = browser(cast.amir)
    change_ticket(actor_of(cast.amir), ticket["_id"], {"status": "resolved"})
    answer = client.get(page_of(ticket))
    choices = [value for value, _label in answer.context["adminform"].form.fields["status"].choices]
    assert choices == ["open", "resolved", "closed"]
    answer = client.post(page_of(ticket), form_of(answer) | {"status": "new"})
    assert "status" in errors_of(answer)


def test_closing_by_the_form_asks_first(cast, browser, ticket):
    client = browser(cast.amir)
    data = form_of(client.get(page_of(ticket))) | {"status": "closed", "reply": "Bye", "save_properties": "1"}
    asked = client.post(page_of(ticket), data)
    assert list(errors_of(asked)) == ["status"]
    assert "Close for good" in asked.content.decode()
    assert stored(cast, ticket)["status"] == "new"
    answer = client.post(page_of(ticket), data | {"close_confirmed": "1"})
    assert (answer.status_code, stored(cast, ticket)["status"]) == (302, "closed")


def test_shows_the_files_of_every_comment_on_the_page(cast, browser, ticket, monkeypatch):
    monkeypatch.setattr("tickets.console.ticket.page.FILES_SHOWN", 3)
    amir = actor_of(cast.amir)
    for number in range(4):
        add_attachment(amir, ticket["_id"], SimpleUploadedFile(f"early-{number}.txt", b"x", "text/plain"))
    client = browser(cast.amir)
    answer = {"reply": "See the file", "attachments": SimpleUploadedFile("late.txt", b"x")}
    client.post(page_of(ticket), form_of(client.get(page_of(ticket))) | answer)
    page = client.get(page_of(ticket))
    [shown] = page.context["comments"]
    assert [file["name"] for file in shown["files"]] == ["late.txt"]
    assert [file["name"] for file in page.context["files"]] == ["early-2.txt", "early-3.txt"]
    assert f'href="/api/v1/tickets/{ticket["_id"]}/attachments"' in page.content.decode()


def test_a_closed_ticket_takes_nothing(cast, browser, ticket):
    client = browser(cast.amir)
    data = form_of(client.get(page_of(ticket)))
    change_ticket(actor_of(cast.ada), ticket["_id"], {"status": "closed"})
    page = client.get(page_of(ticket)).content.decode()
    assert 'name="reply"' not in page
    assert "final" in page
    answer = client.post(page_of(ticket), data | {"reply": "One more thing", "version": "2", "status": "closed"})
    assert "The ticket is closed" in str(errors_of(answer))


def test_a_refusal_names_the_field_and_stores_nothing_of_the_rest(cast, browser, ticket):
    client = browser(cast.amir)
    data = form_of(client.get(page_of(ticket))) | {"reply": "Never to be seen", "tags": "x" * 50}
    answer = client.post(page_of(ticket), data)
    assert list(errors_of(answer)) == ["tags"]
    assert "Never to be seen" in answer.content.decode()
    assert stored(cast, ticket)["version"] == 1
    assert CommentRepository(cast.acme.pk).count({}) == 0


def test_a_stale_form_tells_what_changed_and_keeps_what_was_typed(cast, browser, ticket):
    client = browser(cast.amir)
    data = form_of(client.get(page_of(ticket)))
    change_ticket(actor_of(cast.ada), ticket["_id"], {"priority": "urgent", "assigned_to": cast.ada.pk})
    add_comment(actor_of(cast.ada), ticket["_id"], "I have it", "internal")
    answer = client.post(page_of(ticket), data | {"reply": "My long answer", "tags": "smoke"})
    [told] = errors_of(answer)["__all__"]
    assert "Ada Acme changed the priority from Normal to Urgent" in told
    assert "set the assignee to Ada Acme" in told
    assert "Ada Acme wrote an internal note" in told
    page = answer.content.decode()
    assert "My long answer" in page
    assert stored(cast, ticket)["comment_count"] == 0
    again = form_of(answer)
    assert (again["priority"], again["assigned_to"], again["tags"]) == ("urgent", str(cast.ada.pk), "smoke")
    # The browser sends the page as it now is, and nothing of Ada's is undone.
    form = answer.context["adminform"].form
    again |= {name: value for name, value in form.data.items() if name.startswith("initial-")}
    assert client.post(page_of(ticket), again).status_code == 302
    now = stored(cast, ticket)
    assert (now["priority"], now["assigned_to_id"], now["tags"]) == ("urgent", cast.ada.pk, ["smoke"])
    assert now["comment_count"] == 1


def test_a_form_without_its_version_is_refused(cast, browser, ticket):
    client = browser(cast.amir)
    data = form_of(client.get(page_of(ticket))) | {"reply": "x"}
    for version in ("", "nonsense"):
        answer = client.post(page_of(ticket), data | {"version": version})
        assert answer.status_code == 200
        assert errors_of(answer)
    assert stored(cast, ticket)["version"] == 1


def test_shows_the_newest_comments_and_leads_to_the_earlier_ones(cast, browser, ticket, monkeypatch):
    monkeypatch.setattr("tickets.console.ticket.page.COMMENTS_SHOWN", 2)
    for number in range(5):
        add_comment(actor_of(cast.amir), ticket["_id"], f"Comment number {number}")
    client = browser(cast.amir)

    def bodies(answer):
        return [int(found) for found in re.findall(r"Comment number (\d)", answer.content.decode())]

    newest = client.get(page_of(ticket))
    assert bodies(newest) == [3, 4]
    earlier = client.get(f"{page_of(ticket)}?before={newest.context['earlier']}")
    assert bodies(earlier) == [1, 2]
    assert bodies(client.get(f"{page_of(ticket)}?before={earlier.context['earlier']}")) == [0]
    assert client.get(f"{page_of(ticket)}?before=nonsense").status_code == 404


def test_history_in_words(cast, browser, ticket):
    amir = actor_of(cast.amir)
    change_ticket(amir, ticket["_id"], {"assigned_to": cast.ada.pk, "status": "open"})
    add_comment(amir, ticket["_id"], "Hush", "internal")
    page = browser(cast.amir).get(f"{TICKETS}{ticket['_id']}/history/").content.decode()
    text = re.sub(r"<[^>]+>|\s+", " ", page)
    assert "Carla Customer opened the ticket" in re.sub(r" +", " ", text)
    assert "set the assignee to Ada Acme" in text
    assert "changed the status from New to Open" in text
    assert "wrote an internal note" in text
    assert browser(cast.amir).get(f"{TICKETS}{ticket['_id']}/history/?before=x").status_code == 404


def test_everything_typed_is_shown_as_text(cast, browser):
    ticket = open_ticket(
        actor_of(cast.amir),
        title=SCRIPT,
        description=f"{SCRIPT}\n\n[click](javascript:alert(1)) <img src=x onerror=alert(1)>",
        tags=[SCRIPT[:40]],
        category=SCRIPT,
        requester=cast.carl.pk,
    )
    add_comment(actor_of(cast.carl), ticket["_id"], f'{SCRIPT} <a href="javascript:alert(1)">x</a>')
    add_comment(actor_of(cast.amir), ticket["_id"], SCRIPT, "internal")
    client = browser(cast.amir)
    for address in (page_of(ticket), f"{TICKETS}{ticket['_id']}/history/"):
        page = client.get(address).content.decode()
        assert SCRIPT not in page
        assert "<img src=x" not in page
        assert not re.search(r'<a[^>]*href="\s*javascript:', page)


def test_foreign_and_missing_tickets_answer_alike(cast, browser, ticket):
    client = browser(cast.gus)
    answers = []
    for reference in (str(ticket["_id"]), str(ObjectId()), "1", "nonsense", "9" * 30):
        for tail in ("change/", "history/", "delete/"):
            answer = client.get(f"{TICKETS}{reference}/{tail}")
            answers.append((answer.status_code, answer.content.decode().replace("\n", "")))
        assert client.post(f"{TICKETS}{reference}/change/", {"reply": "x", "version": "1"}).status_code == 404
    assert {status for status, _body in answers} == {404}
    bodies = {re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", body) for _status, body in answers}
    assert len(bodies) == 1
    assert "Printer" not in bodies.pop()
    assert stored(cast, ticket)["version"] == 1


@pytest.mark.parametrize("comments", [0, 30])
def test_takes_a_bounded_number_of_queries(cast, browser, ticket, comments):
    for number in range(comments):
        add_comment(actor_of(cast.amir if number % 2 else cast.carla), ticket["_id"], f"Comment {number}")
    client = browser(cast.amir)
    client.get(page_of(ticket))
    with counted_queries() as sent:
        client.get(page_of(ticket))
    assert len(sent) <= 8, sent
    with counted_queries() as sent:
        client.get(f"{TICKETS}{ticket['_id']}/history/")
    assert len(sent) <= 8, sent


def test_opens_a_ticket_for_a_customer(cast, browser):
    client = browser(cast.amir)
    answer = client.get(f"{TICKETS}add/")
    data = form_of(answer) | {"requester_email": "nobody@example.test", "title": "Called by phone", "tags": "phone"}
    answer = client.post(f"{TICKETS}add/", data)
    assert list(errors_of(answer)) == ["requester_email"]
    answer = client.post(f"{TICKETS}add/", data | {"requester_email": "CARLA@example.test"})
    assert answer.status_code == 302
    [ticket] = TicketRepository(cast.acme.pk).find({})
    assert (ticket["created_by_id"], ticket["channel"], ticket["tags"]) == (cast.carla.pk, "console", ["phone"])
    assert event_types(cast, ticket) == ["ticket.created"]


def test_suggests_requesters_of_the_own_tenant(cast, browser):
    client = browser(cast.amir)
    found = client.get(f"{TICKETS}requesters/?q=CARL").json()["people"]
    assert found == [
        {"email": "carl@example.test", "name": "Carl Customer"},
        {"email": "carla@example.test", "name": "Carla Customer"},
    ]
    assert client.get(f"{TICKETS}requesters/?q=.").json() == {"people": []}
    assert client.get(f"{TICKETS}requesters/?q=ca%00").json() == {"people": []}
    assert browser(cast.carla).get(f"{TICKETS}requesters/?q=carl").status_code == 302


def test_files_come_with_the_answer_or_the_ticket(cast, browser, ticket):
    client = browser(cast.amir)
    data = form_of(client.get(page_of(ticket)))
    data.pop("attachments")
    files = [SimpleUploadedFile("manual.txt", b"Press the button"), SimpleUploadedFile("<b>.txt", b"x")]
    client.post(page_of(ticket), data | {"reply": "See the manual", "visibility": "internal", "attachments": files})
    data = form_of(client.get(page_of(ticket))) | {"attachments": [SimpleUploadedFile("log.txt", b"It burns")]}
    assert client.post(page_of(ticket), data).status_code == 302
    stored_files = AttachmentRepository(cast.acme.pk).find({}, sort=[("created_at", 1)])
    [comment] = CommentRepository(cast.acme.pk).find({})
    assert [(file["name"], file["visibility"], file["comment_id"]) for file in stored_files] == [
        ("manual.txt", "internal", comment["_id"]),
        ("<b>.txt", "internal", comment["_id"]),
        ("log.txt", "public", None),
    ]
    page = client.get(page_of(ticket))
    assert "&lt;b&gt;.txt" in page.content.decode()
    [url] = [file["url"] for file in page.context["files"]]
    assert b"".join(client.get(url).streaming_content) == b"It burns"
    assert browser(cast.gus).get(url).status_code == 404


def test_a_refused_file_does_not_undo_the_answer(cast, browser, ticket, settings):
    settings.MAX_FILE_BYTES = 4
    client = browser(cast.amir)
    data = form_of(client.get(page_of(ticket))) | {"reply": "See the file"}
    answer = client.post(
        page_of(ticket), data | {"attachments": [SimpleUploadedFile("big.txt", b"Too big")]}, follow=True
    )
    assert "big.txt: " in str([str(message) for message in answer.context["messages"]])
    assert stored(cast, ticket)["comment_count"] == 1
    assert AttachmentRepository(cast.acme.pk).count({}) == 0


def test_the_models_cannot_be_written_directly(cast, ticket):
    with tenant_scope(cast.acme.pk):
        found = Ticket.objects.get(pk=ticket["_id"])
        for write in (found.save, found.delete, Ticket.objects.all().delete):
            with pytest.raises(DirectWriteError):
                write()
