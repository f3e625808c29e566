"""Events are never changed, with one exception, and that takes texts alone."""

from typing import Any

import pytest

from accounts.actor import Actor, Via
from tests.cast import Cast, actor_of
from tests.tickets.privacy import story as s
from ticketing.errors import DirectWriteError
from ticketing.mongo.client import get_database
from tickets.events.repository import EventRepository
from tickets.privacy.redaction import redact_ticket

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("write", ["update", "update_where", "update_all", "increment_many"])
def test_events_are_not_changed(cast: Cast, write: str) -> None:
    with pytest.raises(DirectWriteError):
        getattr(EventRepository(cast.acme.pk), write)({}, {"type": "ticket.created"})


def test_removing_texts_leaves_what_happened(cast: Cast) -> None:
    story = s.tell(cast)
    before = _events(story)
    redact_ticket(Actor.system(cast.acme, Via.JOB), story.own["_id"], "retention")
    *after, redacted = _events(story)
    assert redacted["type"] == "ticket.redacted"
    for old, new in zip(before, after, strict=True):
        same = ("_id", "ticket_id", "version", "position", "type", "actor", "at", "tenant_id")
        assert {name: new[name] for name in same} == {name: old[name] for name in same}
        assert new["changes"].keys() == old["changes"].keys()
        assert new["data"].keys() == old["data"].keys()
    assert not [event for event in after if s.MARK in repr([event["changes"], event["data"]])]


def test_a_ticket_is_redacted_once(cast: Cast) -> None:
    story = s.tell(cast)
    actor = Actor.system(cast.acme, Via.JOB)
    first = redact_ticket(actor, story.own["_id"], "retention")
    assert (first["tickets"], first["comments"], first["attachments"]) == (1, 3, 2)
    assert redact_ticket(actor, story.own["_id"], "retention") == {}


def test_other_tickets_keep_their_texts(cast: Cast) -> None:
    story = s.tell(cast)
    before = list(get_database()["events"].find({"ticket_id": story.others["_id"]}))
    redact_ticket(Actor.system(cast.acme, Via.JOB), story.own["_id"], "retention")
    assert list(get_database()["events"].find({"ticket_id": story.others["_id"]})) == before
    assert actor_of(cast.carl).can


def _events(story: s.Story) -> list[Any]:
    order = [("version", 1), ("position", 1)]
    return list(get_database()["events"].find({"ticket_id": story.own["_id"]}).sort(order))
