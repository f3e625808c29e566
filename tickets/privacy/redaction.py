"""Taking texts and files out of tickets, for good. The shell stays: numbers, times, statuses, and who did what when."""

from collections import Counter

from django.core.files.storage import default_storage

from accounts.actor import Actor
from tenants.repository import TenantRepository
from ticketing import clock
from ticketing.mongo import ObjectId
from ticketing.mongo.client import after_commit, transactional
from ticketing.mongo.repository import Document
from tickets.attachments.repository import AttachmentRepository, UploadRepository
from tickets.conversation.markdown import render_markdown
from tickets.conversation.models import Visibility
from tickets.conversation.repository import CommentRepository, thread_filter
from tickets.drafts.repository import DraftRepository
from tickets.events.repository import EventRepository, NewEvent
from tickets.mentions.repository import MentionRepository
from tickets.privacy.holds import ActiveHolds
from tickets.privacy.models import HoldTarget
from tickets.privacy.repository import FileRemovalRepository, HoldRepository
from tickets.privacy.rules import remaining_terms
from tickets.repository import TicketRepository
from tickets.rules import REMOVED
from tickets.search.rules import language_of
from tickets.writer import Change, store_change

FILES_AT_ONCE = 100

Counts = dict[str, int]


@transactional
def redact_ticket(actor: Actor, ticket_id: ObjectId, because: str) -> Counts:
    """Removes all text and files of a ticket and tells what there was, by collection; nothing where it is done already.

    Raises NotFound, OnLegalHold.
    """
    ticket = _lock_ticket(actor, ticket_id)
    if ticket.get("redacted_at"):
        return {}
    thread = thread_filter(ticket_id, internal=True)
    comments = CommentRepository(actor.tenant_id).update_all(
        {**thread, "body": {"$ne": REMOVED}}, _emptied(), operators={"$inc": {"version": 1}}
    )
    files = _remove_attachments(actor.tenant_id, thread)
    remove_uploads(actor.tenant_id, thread)
    for repository in (DraftRepository, MentionRepository):
        repository(actor.tenant_id).delete(thread)
    counts = {"tickets": 1, "comments": comments, **_count(files)}
    counts["event_texts"] = EventRepository(actor.tenant_id).remove_texts(thread)
    counts["legal_holds"] = HoldRepository(actor.tenant_id).forget_reasons(HoldTarget.TICKET, ticket_id)
    now = clock.now()
    emptied = {
        "title": REMOVED,
        "description": "",
        "description_html": "",
        "all_terms": [],
        "public_terms": [],
        "redacted_at": now,
    }
    store_change(actor, ticket, Change(emptied, _uncounted(files), events=[_event(because, counts)]), now)
    return counts


@transactional
def redact_contributions(actor: Actor, ticket_id: ObjectId, user_id: ObjectId, because: str) -> Counts:
    """Removes what one person has written and attached on a ticket, and tells what there was, by collection.

    Raises NotFound, OnLegalHold.
    """
    ticket = _lock_ticket(actor, ticket_id)
    repository, events = CommentRepository(actor.tenant_id), EventRepository(actor.tenant_id)
    written = repository.find(
        {"ticket_id": ticket_id, "author_id": user_id, "body": {"$ne": REMOVED}}, fields=["visibility"]
    )
    ids = {"$in": [comment["_id"] for comment in written]}
    repository.update_all({"_id": ids}, _emptied(), operators={"$inc": {"version": 1}})
    files = _remove_attachments(actor.tenant_id, {"ticket_id": ticket_id, "uploaded_by_id": user_id})
    if not written and not files:
        return {}
    file_ids = {"$in": [file["_id"] for file in files]}
    about = [{"data.comment_id": ids, "changes.body": {"$exists": True}}, {"data.attachment_id": file_ids}]
    counts = {"comments": len(written), **_count(files)}
    counts["event_texts"] = events.remove_texts({"ticket_id": ticket_id, "$or": about})
    thread = repository.find(thread_filter(ticket_id, internal=True), fields=["body", "visibility"])
    change = Change(
        remaining_terms(ticket, thread, language_of(actor.tenant.locale)),
        _uncounted(files),
        events=[_event(because, counts)],
        internal=all(_is_internal(each) for each in [*written, *files]),
    )
    store_change(actor, ticket, change, clock.now())
    return counts


@transactional
def remove_uploads(tenant_id: ObjectId, where: Document) -> int:
    """Removes matching files that are on their way, or have come; tells how many."""
    uploads = UploadRepository(tenant_id)
    found = uploads.find(where, fields=["storage_key"])
    uploads.delete({"_id": {"$in": [upload["_id"] for upload in found]}})
    _remove_files_of(tenant_id, found)
    return len(found)


def remove_files(tenant_id: ObjectId) -> int:
    """Removes the files whose rows are gone from the storage, and tells how many; two at once do no harm."""
    removals = FileRemovalRepository(tenant_id)
    removed = 0
    while rows := removals.find({}, sort=[("_id", 1)], limit=FILES_AT_ONCE):
        for row in rows:
            default_storage.delete(row["storage_key"])
            removed += removals.delete({"_id": row["_id"]})
    return removed


def _lock_ticket(actor: Actor, ticket_id: ObjectId) -> Document:
    """The ticket, when no hold is on it and none can come before the end of the transaction."""
    TenantRepository().lock_holds(actor.tenant_id)
    ticket = TicketRepository(actor.tenant_id).get(ticket_id)
    ActiveHolds.of(actor.tenant_id).check_ticket(ticket)
    return ticket


def _remove_attachments(tenant_id: ObjectId, where: Document) -> list[Document]:
    """Removes rows, and their files as soon as that is committed; returns the rows as they were."""
    attachments = AttachmentRepository(tenant_id)
    files = attachments.find(where, fields=["size", "visibility", "storage_key"])
    if files:
        attachments.delete({"_id": {"$in": [file["_id"] for file in files]}})
        TenantRepository().add_storage(tenant_id, -sum(file["size"] for file in files))
        _remove_files_of(tenant_id, files)
    return files


def _remove_files_of(tenant_id: ObjectId, rows: list[Document]) -> None:
    FileRemovalRepository(tenant_id).insert_many({"storage_key": row["storage_key"]} for row in rows)

    def remove() -> None:
        remove_files(tenant_id)

    after_commit(remove)


def _count(files: list[Document]) -> Counts:
    return {"attachments": len(files), "attachment_bytes": sum(file["size"] for file in files)}


def _uncounted(files: list[Document]) -> Counts:
    names = Counter("internal_attachment_count" if _is_internal(file) else "attachment_count" for file in files)
    return {name: -amount for name, amount in names.items()}


def _event(because: str, counts: Counts) -> NewEvent:
    removed = {name: counts[name] for name in ("comments", "attachments", "attachment_bytes")}
    return NewEvent("ticket.redacted", data={"because": because, **removed})


def _is_internal(row: Document) -> bool:
    internal: bool = row["visibility"] == Visibility.INTERNAL.value
    return internal


def _emptied() -> Document:
    return {"body": REMOVED, "body_html": render_markdown(REMOVED)}
