"""The box in which agents answer, as its script uses it: drafts, sending later, taking back, files, canned replies."""

from typing import Any

import pytest

from tests.cast import actor_of
from tests.console.queries import counted_queries
from tests.console.test_ticket_page import form_of, page_of, stored
from tests.isolation.world import send as send_file
from ticketing.mongo import ObjectId
from tickets.attachments.repository import AttachmentRepository, UploadRepository
from tickets.canned_replies.services import create_canned_reply
from tickets.conversation.repository import CommentRepository
from tickets.conversation.services import add_comment
from tickets.drafts.services import find_draft
from tickets.services import change_ticket

FETCH = {"x-requested-with": "fetch"}


@pytest.fixture
def script(cast: Any, browser: Any, ticket: Any) -> Any:
    """Amir's page with its script: posts to one of the box's addresses."""
    client = browser(cast.amir)

    def post(part: str, /, **data: Any) -> Any:
        return client.post(f"/console/tickets/ticket/{ticket['_id']}/{part}/", data, headers=FETCH)

    post.client = client  # type: ignore[attr-defined]
    post.form = lambda **given: form_of(client.get(page_of(ticket))) | given  # type: ignore[attr-defined]
    return post


def comments(cast: Any) -> list[str]:
    return [row["body"] for row in CommentRepository(cast.acme.pk).find({}, sort=[("created_at", 1)])]


def test_a_draft_survives_on_the_server(cast, browser, ticket, script):
    saved = script("draft", reply="Half a sen", visibility="internal", draft_version="0").json()["draft"]
    assert (saved["version"], saved["body"], saved["send_in"]) == (1, "Half a sen", None)
    page = browser(cast.amir).get(page_of(ticket))
    assert "Half a sen" in page.content.decode()
    assert page.context["adminform"].form["visibility"].value() == "internal"
    assert "Half a sen" not in browser(cast.ada).get(page_of(ticket)).content.decode()
    refused = script("draft", reply="From another window", draft_version="0")
    assert refused.status_code == 412
    assert refused.json()["draft"] == saved
    assert script("draft", reply="", draft_version="1").json()["draft"]["version"] == 0
    assert find_draft(actor_of(cast.amir), ticket["_id"]) is None


def test_is_sent_later_with_a_status_and_can_be_taken_back(cast, ticket, script):
    form = script.form(reply="Use **water**", send_status="pending", priority="high", draft_version="0")
    waiting = script("send", **form).json()["draft"]
    assert waiting["send_in"] == 10
    assert (comments(cast), stored(cast, ticket)["version"]) == ([], 1)
    assert 'data-send-in="10"' in script.client.get(page_of(ticket)).content.decode()
    back = script("send/undo").json()["draft"]
    assert (back["send_in"], back["body"]) == (None, "Use **water**")
    assert script("send/now").json()["code"] == "already_sent"
    assert script("send", **{**form, "draft_version": back["version"]}).status_code == 200
    assert script("send/now").json() == {
        "draft": {**waiting, "version": 0, "body": "", "visibility": "", "send_in": None},
        "page": "",
    }
    now = stored(cast, ticket)
    assert (comments(cast), now["status"], now["priority"]) == (["Use **water**"], "pending", "high")


def test_a_stale_page_is_told_what_happened_and_may_send_all_the_same(cast, ticket, script):
    form = script.form(reply="My answer", draft_version="0")
    add_comment(actor_of(cast.carla), ticket["_id"], "It burns!")
    refused = script("send", **form)
    assert refused.status_code == 412
    told = refused.json()
    assert told["told"] == ["Carla Customer answered"]
    assert comments(cast) == ["It burns!"]
    assert script("send", **form | {"version": told["current_version"]}).status_code == 200
    script("send/now")
    assert comments(cast) == ["It burns!", "My answer"]


def test_what_cannot_be_sent_says_why_and_keeps_the_text(cast, ticket, script):
    refused = script("send", **script.form(reply="x", tags="y" * 50))
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["tags"])
    assert "empty" in script("send", **script.form(reply=" ")).json()["detail"]
    script("send", **script.form(reply="Too late"))
    change_ticket(actor_of(cast.ada), ticket["_id"], {"status": "closed"})
    refused = script("send/now")
    assert refused.status_code == 409
    assert refused.json()["draft"]["body"] == "Too late"
    page = script.client.get(page_of(ticket)).content.decode()
    assert "The ticket is closed" in page
    assert "Too late" in page


def test_saving_the_properties_sends_nothing(cast, ticket, script):
    form = script.form(
        reply="Not yet", priority="urgent", title="Printer in flames", type="incident", save_properties="1"
    )
    assert script.client.post(page_of(ticket), form).status_code == 302
    now = stored(cast, ticket)
    assert (now["priority"], now["title"], now["type"], comments(cast)) == (
        "urgent",
        "Printer in flames",
        "incident",
        [],
    )
    assert find_draft(actor_of(cast.amir), ticket["_id"])["body"] == "Not yet"
    assert script.client.post(page_of(ticket), script.form()).status_code == 302
    assert comments(cast) == ["Not yet"]
    assert find_draft(actor_of(cast.amir), ticket["_id"]) is None


def test_saving_the_properties_leaves_another_windows_text_alone(cast, ticket, script):
    script("draft", reply="Written in the second window", draft_version="0")
    form = script.form(priority="high", draft_version="0", save_properties="1")
    assert script.client.post(page_of(ticket), form | {"reply": ""}).status_code == 302
    form = script.form(priority="low", draft_version="0", save_properties="1")
    assert script.client.post(page_of(ticket), form | {"reply": "Written in the second window"}).status_code == 302
    refused = script.client.post(page_of(ticket), script.form(**form) | {"reply": "Written in the first"})
    assert "Another window has changed what you write here" in refused.content.decode()
    assert (refused.context["draft"]["version"], "data-typed" in refused.content.decode()) == (0, True)
    assert find_draft(actor_of(cast.amir), ticket["_id"])["body"] == "Written in the second window"
    assert stored(cast, ticket)["priority"] == "low"


def test_a_page_without_its_script_does_not_send_twice(cast, ticket, script):
    form = script.form(reply="Once only", draft_version="0")
    script("send", **form)
    refused = script.client.post(page_of(ticket), form)
    assert "being sent from another window" in refused.content.decode()
    script("send/now")
    assert comments(cast) == ["Once only"]


def test_a_text_can_be_read_when_others_have_closed_the_ticket(cast, ticket, script):
    script("draft", reply="Precious words", draft_version="0")
    change_ticket(actor_of(cast.ada), ticket["_id"], {"status": "resolved"})
    change_ticket(actor_of(cast.ada), ticket["_id"], {"status": "closed"})
    assert "Precious words" in script.client.get(page_of(ticket)).content.decode()


def test_an_operators_answer_goes_at_once(cast, browser, ticket):
    """No job would send it for him if he closed his browser meanwhile."""
    client = browser(cast.olga)
    client.post(f"/console/tenants/tenant/{cast.acme.pk}/enter/")
    form = form_of(client.get(page_of(ticket))) | {"reply": "From the platform", "draft_version": "0"}
    answer = client.post(f"/console/tickets/ticket/{ticket['_id']}/send/", form, headers=FETCH)
    assert (answer.json()["draft"]["version"], answer.json()["draft"]["send_in"]) == (0, None)
    assert comments(cast) == ["From the platform"]


def test_files_wait_in_the_box(cast, ticket, script):
    kept, dropped = (send_file(actor_of(cast.amir), ticket["_id"], name) for name in ("<kept>.txt", "dropped.txt"))
    script("draft", reply="", upload_ids=[str(kept), str(dropped)])
    assert str(kept) in script.client.get(page_of(ticket)).content.decode()
    draft = script.client.get(f"/console/tickets/ticket/{ticket['_id']}/draft/", headers=FETCH).json()["draft"]
    assert [file["name"] for file in draft["files"]] == ["<kept>.txt", "dropped.txt"]
    assert script(f"uploads/{dropped}/discard").status_code == 200
    assert script(f"uploads/{dropped}/discard").status_code == 404
    assert UploadRepository(cast.acme.pk).get(dropped)["attachment_id"] is None
    assert script("send", **script.form(reply="See this", upload_ids=[str(kept)])).status_code == 200
    script("send/now")
    [file] = AttachmentRepository(cast.acme.pk).find({})
    [comment] = CommentRepository(cast.acme.pk).find({})
    assert (file["name"], file["comment_id"]) == ("<kept>.txt", comment["_id"])


def test_the_preview_is_what_the_conversation_shows(script):
    answer = script("preview", reply="**Hi** <script>alert(1)</script> [x](javascript:alert(1))").json()
    assert "<strong>Hi</strong>" in answer["html"]
    assert "<script" not in answer["html"]
    assert "href" not in answer["html"]
    assert script("preview", reply="x" * 70_000).status_code == 400


def test_canned_replies_are_offered_and_filled_in(cast, ticket, script):
    create_canned_reply(
        actor_of(cast.amir), name="Greeting", body="Hi {{ requester.first_name }}, about #{{ ticket.number }}"
    )
    create_canned_reply(actor_of(cast.ada), name="Ada's own", body="x")
    [reply] = script.client.get(f"/console/tickets/ticket/{ticket['_id']}/canned-replies/").json()["replies"]
    assert reply["name"] == "Greeting"
    assert script.client.get(reply["url"]).json() == {"text": "Hi Carla, about #1"}


@pytest.mark.parametrize("part", ["draft", "send", "send/now", "send/undo", "preview", f"uploads/{'0' * 24}/discard"])
def test_is_for_staff_of_the_tenant_and_not_to_be_opened(cast, browser, ticket, part):
    address = f"/console/tickets/ticket/{ticket['_id']}/{part}/"
    stranger = browser(cast.gus).post(address, {"reply": "x"}, headers=FETCH)
    missing = browser(cast.gus).post(
        address.replace(str(ticket["_id"]), str(ObjectId())), {"reply": "x"}, headers=FETCH
    )
    assert (stranger.status_code, stranger.json()) == (404, missing.json())
    assert browser(None).post(address, headers=FETCH).status_code == 401
    assert browser(cast.amir).get(address).status_code == (200 if part == "draft" else 405)
    assert stored(cast, ticket)["version"] == 1


def test_a_page_with_a_draft_and_files_takes_a_bounded_number_of_queries(cast, ticket, script):
    script("draft", reply="x", upload_ids=[str(send_file(actor_of(cast.amir), ticket["_id"], "a.txt"))])
    script.client.get(page_of(ticket))
    with counted_queries() as sent:
        script.client.get(page_of(ticket))
    assert len(sent) <= 8, sent


def test_only_a_bucket_may_be_sent_to_past_us(ticket, script, settings, monkeypatch):
    assert "connect-src 'self';" in script.client.get(page_of(ticket))["Content-Security-Policy"]
    settings.ATTACHMENTS_BUCKET = "files"
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    policy = script.client.get(page_of(ticket))["Content-Security-Policy"]
    assert "connect-src 'self' https://files.s3.eu-central-1.amazonaws.com;" in policy
