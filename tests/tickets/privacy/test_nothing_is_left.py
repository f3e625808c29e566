"""After an erasure nothing in the database and in the file storage bears a mark of the person's."""

from typing import Any

import pytest

from accounts.actor import Actor, Via
from accounts.roles import Role
from tests.cast import Cast, actor_of
from tests.isolation.snapshot import Snapshot
from tests.tickets.privacy import story as s
from ticketing.mongo.client import get_database
from tickets.privacy.erasure import continue_erasure, request_erasure
from tickets.stats.services import differences, fold_all
from tickets.stats.services import ticket_stats as stats

pytestmark = pytest.mark.django_db

# Texts in which the story leaves a mark, as staff and with everything it can do.
MARKED = {
    *("users.email", "users.email_key", "users.name", "users.former_emails", "users.external_id"),
    *("tickets.title", "tickets.description", "tickets.description_html", "tickets.all_terms", "tickets.public_terms"),
    *("comments.body", "comments.body_html"),
    *("attachments.name", "uploads.name"),
    *("events.actor", "events.changes", "events.data"),
    "idempotency_records.answer",
    *("audit_log.by", "audit_log.details"),
    "api_keys.name",
    "legal_holds.reason",
    *("drafts.body", "drafts.changes", "drafts.seen"),
    *("canned_replies.name", "canned_replies.body"),
    *("saved_views.name", "saved_views.query"),
}
# Texts in which nobody is named, and why.
OTHERS = {
    "users.password": "a hash, replaced by none",
    "tickets.category": "what is counted by; chosen from the tenant's own",
    "tickets.tags": "what is counted by; staff's",
    "users.language": "a code",
    "users.time_zone": "a zone's name",
    "tickets.status_before_merge": "a status",
    "tickets.terms_form": "a version and a language",
    "tickets.external_id": "the source's number, by which an import knows what it has stored",
    "comments.external_id": "the source's number",
    "attachments.content_type": "a media type",
    "attachments.sniffed_type": "a media type",
    "attachments.sha256": "removed with the row",
    "attachments.storage_key": "random",
    "uploads.content_type": "a media type",
    "uploads.sha256": "removed with the row",
    "uploads.storage_key": "random",
    "events.type": "ours",
    "audit_log.action": "ours",
    "teams.name": "the tenant's",
    "api_keys.prefix": "random",
    "api_keys.secret_hash": "of a random secret",
    "api_keys.scopes": "ours",
    "token_families.current_jti": "random, removed",
    "idempotency_records.key_hash": "keyed, for a day",
    "idempotency_records.fingerprint": "keyed, for a day",
    "idempotency_records.lock": "random",
    "file_removals.storage_key": "random",
    "drafts.problem": "ours",
    "drafts.problem_message": "ours",
    "bulk_changes.wanted": "ids, and what is counted by; for a week",
    "bulk_changes.items": "ids, numbers, and what is counted by; for a week",
    "erasures.pseudonym": "what replaces the name",
    "erasures.requested_via": "ours",
    "erasures.emails": "what to look for; emptied in the end, as the test shows",
    "erasures.counts": "numbers",
    "erasures.receipt": "made of the above",
    "exports.storage_key": "random; the files go",
    "exports.sha256": "of a file that goes",
    "exports.error": "ours",
}
OF_TENANTS = ("tenants.", "stat_", "jobs.", "tenant_usage.")


def test_every_text_is_accounted_for(cast: Cast) -> None:
    """A new field fails here until somebody has said what an erasure does with it."""
    s.tell(cast, Role.ADMIN)
    assert s.marked_fields() == MARKED
    unknown = {name for name in s.text_fields() if not name.startswith(OF_TENANTS)} - MARKED - OTHERS.keys()
    assert unknown == set(), "say in this test what an erasure does with these"


@pytest.mark.parametrize("role", [Role.USER, Role.AGENT, Role.ADMIN])
def test_no_mark_is_left(cast: Cast, role: Role) -> None:
    story = s.tell(cast, role)
    assert len(s.marked_files()) == 5
    fold_all(cast.acme.pk)
    before = stats(actor_of(cast.ada))
    foreign = Snapshot.take().texts_of(cast.globex.pk)
    done = _erase(cast, story, content=True)
    assert done["state"] == "done"
    assert s.marked_fields() == set()
    assert s.marked_files() == set()
    assert Snapshot.take().texts_of(cast.globex.pk) == foreign
    assert stats(actor_of(cast.ada)) == before
    assert not differences(cast.acme.pk)


def test_without_content_only_who_he_is_goes(cast: Cast) -> None:
    story = s.tell(cast, Role.ADMIN)
    _erase(cast, story, content=False)
    texts = {name for name in MARKED if name.startswith(("tickets.", "comments.", "attachments.", "uploads."))}
    assert s.marked_fields() == texts | {"events.changes", "events.data", "legal_holds.reason", "drafts.body"}
    assert get_database()["tickets"].find_one({"_id": story.own["_id"]})["title"].startswith("Ticket, again")
    assert len(s.marked_files()) == 5


def test_others_words_on_others_tickets_stay(cast: Cast) -> None:
    story = s.tell(cast, Role.AGENT)
    _erase(cast, story, content=True)
    ticket = get_database()["tickets"].find_one({"_id": story.others["_id"]})
    bodies = [row["body"] for row in get_database()["comments"].find({"ticket_id": story.others["_id"]})]
    assert (ticket["title"], ticket["description"]) == ("Carl's printer", "Carl's own words")
    assert sorted(bodies) == ["An answer of Amir's", "[removed]", "[removed]"]
    assert ticket["public_terms"] == sorted(
        {"amir", "amir's", "an", "answer", "carl", "carl's", "of", "own", "printer", "word", "words"}
    )
    assert ticket["redacted_at"] is None


def _erase(cast: Cast, story: s.Story, *, content: bool) -> Any:
    found = request_erasure(actor_of(cast.ada), story.user.pk, content=content)
    return continue_erasure(Actor.system(cast.acme, Via.JOB), found)
