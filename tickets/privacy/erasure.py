"""Erasing a person: his name and address everywhere at once or soon after, and on request what he wrote.

The first transaction makes the account nameless, ends its sessions and stores the erasure. The rest is done in steps,
each a transaction that also counts what it did; whoever comes after a crash does what is left. In the end there is a
receipt.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TypeVar

from accounts.actor import Actor
from accounts.erasure import emails_of, pseudonymise_account, pseudonymise_audit_log
from accounts.models import email_key
from accounts.repository import UserRepository
from accounts.roles import Action
from tenants.repository import TenantRepository
from tenants.services import record
from ticketing import clock
from ticketing.idempotency import IdempotencyRecords
from ticketing.mongo import ObjectId
from ticketing.mongo.client import transactional
from ticketing.mongo.models import TenantQuerySet
from ticketing.mongo.pages import Page, PageRequest, Sort
from ticketing.mongo.repository import Document, Repository
from tickets.attachments.repository import AttachmentRepository, UploadRepository
from tickets.bulk.repository import BulkChangeRepository
from tickets.canned_replies.repository import CannedReplyRepository
from tickets.conversation.repository import CommentRepository
from tickets.drafts.repository import DraftRepository
from tickets.events.repository import EventRepository, NewEvent
from tickets.mentions.repository import MentionRepository
from tickets.privacy.holds import ActiveHolds
from tickets.privacy.models import Erasure, ErasureState, HoldTarget
from tickets.privacy.redaction import Counts, redact_contributions, redact_ticket, remove_files, remove_uploads
from tickets.privacy.repository import ErasureRepository, HoldRepository
from tickets.privacy.rules import REQUESTS_END_WITHIN, OnLegalHold, make_receipt, pseudonym_of
from tickets.repository import TicketRepository
from tickets.rules import REMOVED, participants
from tickets.saved_views.repository import SavedViewRepository
from tickets.transfer.batches import batches
from tickets.transfer.exports import remove_exports
from tickets.writer import Change, store_change

BECAUSE = "erasure"
BATCH = 200
PREVIEW_AT_MOST = 10_000
ERASURE_ORDER = (("requested_at", -1), ("_id", -1))

T = TypeVar("T")
Steps = Iterator[ObjectId | None]


@transactional
def request_erasure(actor: Actor, user_id: ObjectId, *, content: bool = False) -> Document:
    """Takes name and address from an account, ends its sessions, tokens and keys, and returns the erasure under way.

    ``content`` asks for the text and files of the tickets he opened, and of what he wrote on others, to go as well.
    Whoever asks again gets the first erasure. Raises NotAllowed, NotFound, OnLegalHold, LastAdmin.
    """
    actor.check(Action.PRIVACY_MANAGE)
    user = UserRepository(actor.tenant_id).get(user_id)
    erasures = ErasureRepository(actor.tenant_id)
    found = erasures.find_of_user(user_id, content=content)
    if found is not None:
        return found
    _lock_user(actor.tenant_id, user_id)
    earlier = erasures.find_of_user(user_id, content=False)
    pseudonym = earlier["pseudonym"] if earlier else pseudonym_of(secrets.token_hex(6))
    now = clock.now()
    record("user.erased", by=actor.by, tenant_id=actor.tenant_id, user=str(user_id), content=content)
    return erasures.insert(
        {
            "user_id": user_id,
            "pseudonym": pseudonym,
            "content": content,
            "state": ErasureState.RUNNING.value,
            "emails": emails_of(user),
            "counts": {} if user.get("erased_at") else pseudonymise_account(actor.tenant_id, user, pseudonym),
            "hold_id": None,
            "requested_by_id": actor.user_id,
            "requested_via": str(actor.via),
            "requested_at": now,
            "settles_at": now + REQUESTS_END_WITHIN if user["is_active"] else now,
            "finished_at": None,
            "receipt": None,
        }
    )


def continue_erasure(actor: Actor, erasure: Document, stopping: Callable[[], bool] = lambda: False) -> Document:
    """Does the steps that are left and returns the erasure as it is then.

    It stays running while a hold keeps some of it (``hold_id``), when ``stopping`` asks to end after the present
    step, and until the requests that were under way when it began must have ended.
    """
    if erasure["state"] == ErasureState.DONE:
        return erasure
    began_at = clock.now()
    hold_id = None
    try:
        for met in _steps(actor, erasure):
            hold_id = hold_id or met
            if stopping():
                return erasure
    except OnLegalHold as error:
        hold_id = error.data["hold"]
    remove_files(actor.tenant_id)
    if hold_id is not None or began_at < erasure["settles_at"]:
        erasures = ErasureRepository(actor.tenant_id)
        running = {"_id": erasure["_id"], "state": ErasureState.RUNNING.value}
        return erasures.update_where(running, {"hold_id": hold_id}) or erasures.get(erasure["_id"])
    return _finish(actor, erasure["_id"])


def preview_erasure(actor: Actor, user_id: ObjectId, *, content: bool = False) -> Counts:
    """What an erasure would change, by collection; changes nothing. Raises NotAllowed, NotFound, OnLegalHold.

    It counts no further than PREVIEW_AT_MOST; ``is_complete`` is false where there is more.
    """
    actor.check(Action.PRIVACY_MANAGE)
    tenant_id = actor.tenant_id
    UserRepository(tenant_id).get(user_id, fields=["_id"])
    ActiveHolds.of(tenant_id).check_user(user_id)
    counts = {
        "events": EventRepository(tenant_id).count({"actor.id": user_id}, cap=PREVIEW_AT_MOST + 1),
        "followed_tickets": TicketRepository(tenant_id).count(_followed_by(user_id), cap=PREVIEW_AT_MOST + 1),
    }
    if content:
        counts |= _count_content(tenant_id, user_id)
    told = {name: min(amount, PREVIEW_AT_MOST) for name, amount in counts.items()}
    return {**told, "is_complete": told == counts}


def access_erasure(actor: Actor, erasure_id: str | ObjectId) -> Document:
    """An erasure of the tenant, for whoever may ask for one. Raises NotAllowed, NotFound."""
    actor.check(Action.PRIVACY_MANAGE)
    return ErasureRepository(actor.tenant_id).get_by_reference(erasure_id)


def visible_erasures(actor: Actor) -> TenantQuerySet:
    """All erasures of the tenant, for whoever may ask for one. Raises NotAllowed."""
    actor.check(Action.PRIVACY_MANAGE)
    erasures: TenantQuerySet = Erasure.objects.all()
    return erasures


def page_of_erasures(actor: Actor, request: PageRequest) -> Page:
    """One page of the tenant's erasures, the newest first. Raises NotAllowed, InvalidInput."""
    actor.check(Action.PRIVACY_MANAGE)
    return ErasureRepository(actor.tenant_id).page({}, ERASURE_ORDER, request)


def count_erasures(actor: Actor, *, cap: int) -> int:
    """How many there are, counting no further than ``cap``. Raises NotAllowed."""
    actor.check(Action.PRIVACY_MANAGE)
    return ErasureRepository(actor.tenant_id).count({}, cap=cap)


def find_user_to_erase(actor: Actor, email: str) -> ObjectId | None:
    """The user with this address, be he erased half-way. Raises NotAllowed."""
    actor.check(Action.PRIVACY_MANAGE)
    user = UserRepository(actor.tenant_id).find_by_email(email)
    if user is not None:
        found: ObjectId = user["_id"]
        return found
    running = ErasureRepository(actor.tenant_id).running()
    keys = {email_key(each): erasure["user_id"] for erasure in running for each in erasure["emails"]}
    return keys.get(email_key(email))


def _count_content(tenant_id: ObjectId, user_id: ObjectId) -> Counts:
    """His own, and what others have on the tickets that he opened; more than PREVIEW_AT_MOST stands for any number."""
    cap = PREVIEW_AT_MOST + 1
    comments, files = CommentRepository(tenant_id), AttachmentRepository(tenant_id)
    opened = TicketRepository(tenant_id).find(_opened_by(user_id), fields=["_id"], limit=cap)
    written = {"body": {"$ne": REMOVED}}
    counts = {
        "tickets": len(opened),
        "comments": comments.count({"author_id": user_id, **written}, cap=cap),
        "attachments": files.count({"uploaded_by_id": user_id}, cap=cap),
    }
    for some in batches(opened, BATCH):
        on_own = {"ticket_id": {"$in": [ticket["_id"] for ticket in some]}}
        counts["comments"] += comments.count({**on_own, "author_id": {"$ne": user_id}, **written}, cap=cap)
        counts["attachments"] += files.count({**on_own, "uploaded_by_id": {"$ne": user_id}}, cap=cap)
    return counts


def _steps(actor: Actor, erasure: Document) -> Steps:
    """Everything after the account itself; one step is one transaction.

    Yields the hold on a ticket that a step left alone for it, or None. A hold on the person or on everything forbids
    all steps: raises OnLegalHold.
    """
    yield from _pseudonymise_events(erasure)
    yield from _leave_tickets(actor, erasure)
    yield from _forget_answers(erasure)
    yield from _clear_desk(erasure)
    if erasure["content"]:
        yield from _remove_content(actor, erasure)
    yield from _pseudonymise_records(erasure)


def _pseudonymise_events(erasure: Document) -> Steps:
    events = EventRepository(erasure["tenant_id"])
    named = {"actor.id": erasure["user_id"], "actor.name": {"$ne": erasure["pseudonym"]}}

    def replace(ids: list[ObjectId]) -> Counts:
        where = {"_id": {"$in": ids}, **named}
        return {"events": events.replace_actor_name(where, erasure["pseudonym"])}

    found = events.stream(named, sort=[("ticket_id", 1), ("version", 1), ("position", 1)], fields=["ticket_id"])
    yield from _in_batches(erasure, found, replace)


def _leave_tickets(actor: Actor, erasure: Document) -> Steps:
    """He follows nothing any more; what he opened stays his pseudonym's."""
    tickets, user_id = TicketRepository(erasure["tenant_id"]), erasure["user_id"]

    def leave(ids: list[ObjectId]) -> Counts:
        found = tickets.find({"_id": {"$in": ids}, "follower_ids": user_id})
        for ticket in found:
            left = [id_ for id_ in ticket["follower_ids"] if id_ != user_id]
            changes = {"follower_ids": left, "participant_ids": participants(ticket["created_by_id"], left)}
            event = NewEvent("ticket.followers_changed", {"follower_ids": (ticket["follower_ids"], left)})
            store_change(actor, ticket, Change(changes, events=[event]), clock.now())
        return {"followed_tickets": len(found)}

    found = tickets.stream(_followed_by(user_id), sort=[("created_at", -1), ("_id", -1)], fields=["_id"])
    yield from _in_batches(erasure, found, leave)


def _forget_answers(erasure: Document) -> Steps:
    """Answers kept for a replay name him by his id: it is still known that the work was done, not what was answered."""
    records = IdempotencyRecords(erasure["tenant_id"])
    where = {"answer.body": {"$regex": str(erasure["user_id"])}}

    def forget(ids: list[ObjectId]) -> Counts:
        found = {"_id": {"$in": ids}, **where}
        return {"idempotency_records": records.update_all(found, {"answer": {"secret": True}})}

    found = records.stream(where, sort=[("key_hash", 1)], fields=["_id"])
    yield from _in_batches(erasure, found, forget)


def _clear_desk(erasure: Document) -> Steps:
    """What only he could see, and what tells others only where he is; what he shared with a team is the team's."""
    tenant_id, user_id = erasure["tenant_id"], erasure["user_id"]
    desk: tuple[tuple[Repository, Document, Sort], ...] = (
        (DraftRepository(tenant_id), {"author_id": user_id}, [("ticket_id", 1)]),
        (CannedReplyRepository(tenant_id), {"owner_id": user_id}, [("team_id", 1), ("name", 1)]),
        (SavedViewRepository(tenant_id), {"owner_id": user_id, "team_id": None}, [("name", 1)]),
        (BulkChangeRepository(tenant_id), {"author_id": user_id}, [("created_at", -1), ("_id", -1)]),
        (MentionRepository(tenant_id), {"user_id": user_id}, [("comment_id", 1)]),
    )
    for repository, where, sort in desk:

        def remove(ids: list[ObjectId], repository: Repository = repository) -> Counts:
            return {repository.collection_name: repository.delete({"_id": {"$in": ids}})}

        found = repository.stream(where, sort=sort, fields=["ticket_id"])
        yield from _in_batches(erasure, found, remove)


def _remove_content(actor: Actor, erasure: Document) -> Steps:
    tenant_id, user_id = erasure["tenant_id"], erasure["user_id"]
    newest_first = [("created_at", -1), ("_id", -1)]
    opened = TicketRepository(tenant_id).stream(_opened_by(user_id), sort=newest_first, fields=["_id"])
    for ticket in opened:
        yield _redact(erasure, partial(redact_ticket, actor, ticket["_id"], BECAUSE))
    uploads = UploadRepository(tenant_id).stream(
        {"created_by_id": user_id}, sort=[("storage_key", 1)], fields=["ticket_id"]
    )
    yield from _in_batches(erasure, uploads, lambda ids: {"uploads": remove_uploads(tenant_id, {"_id": {"$in": ids}})})
    written = {"author_id": user_id, "body": {"$ne": REMOVED}}
    by_ticket, ids = [("ticket_id", 1)], ["ticket_id"]
    comments = CommentRepository(tenant_id).stream(written, sort=by_ticket, fields=ids)
    files = AttachmentRepository(tenant_id).stream({"uploaded_by_id": user_id}, sort=by_ticket, fields=ids)
    for rows in (comments, files):
        for ticket_id in _distinct(row["ticket_id"] for row in rows):
            yield _redact(erasure, partial(redact_contributions, actor, ticket_id, user_id, BECAUSE))
    yield from _remove_event_texts(erasure)


def _remove_event_texts(erasure: Document) -> Steps:
    """What he edited and attached stands in the history of the ticket where he did, from which it may have moved."""
    events = EventRepository(erasure["tenant_id"])
    kept = [{"changes.body": {"$exists": True, "$ne": [REMOVED] * 2}}, {"data.name": {"$exists": True, "$ne": REMOVED}}]

    def remove(ids: list[ObjectId]) -> Counts:
        return {"event_texts": events.remove_texts({"_id": {"$in": ids}})}

    found = events.stream(
        {"actor.id": erasure["user_id"], "$or": kept},
        sort=[("ticket_id", 1), ("version", 1), ("position", 1)],
        fields=["ticket_id"],
    )
    yield from _in_batches(erasure, found, remove)


def _pseudonymise_records(erasure: Document) -> Steps:
    """What administration keeps; last, because what is under way may still be written down under his address."""
    tenant_id, user_id = erasure["tenant_id"], erasure["user_id"]
    has_settled = clock.now() >= erasure["settles_at"]

    def replace() -> Counts:
        _lock_person(tenant_id, user_id)
        return {
            "audit_log": pseudonymise_audit_log(tenant_id, user_id, erasure["emails"], erasure["pseudonym"]),
            "legal_holds": HoldRepository(tenant_id).forget_reasons(HoldTarget.USER, user_id),
        }

    def forget_addresses() -> Counts:
        """With the exports, also one that is being made just now: it may have begun before all this."""
        if has_settled:
            ErasureRepository(tenant_id).update_where({"_id": erasure["_id"]}, {"emails": []})
        return {"exports": remove_exports(tenant_id)}

    _count(erasure, replace)
    yield None
    if erasure["emails"]:  # else it waits for the end of a hold, and what is exported meanwhile has nothing more of his
        _count(erasure, forget_addresses)
        yield None


@transactional
def _finish(actor: Actor, erasure_id: ObjectId) -> Document:
    erasures = ErasureRepository(actor.tenant_id)
    erasure = erasures.get(erasure_id)
    if erasure["state"] == ErasureState.DONE:
        return erasure
    now = clock.now()
    receipt = make_receipt(erasure, actor.tenant.slug, now)
    done = {"state": ErasureState.DONE.value, "finished_at": now, "receipt": receipt, "emails": [], "hold_id": None}
    record(
        "user.erasure_finished", by=actor.by, tenant_id=actor.tenant_id, user=receipt["user"], sha256=receipt["sha256"]
    )
    return erasures.update_where({"_id": erasure_id}, done) or erasure


def _in_batches(erasure: Document, rows: Iterable[Document], work: Callable[[list[ObjectId]], Counts]) -> Steps:
    """Works on the ids of tickets, or of what belongs to one (``ticket_id``), but leaves tickets on hold alone."""
    for some in batches(rows, BATCH):
        yield _work_off(erasure, some, work)


@transactional
def _work_off(erasure: Document, rows: list[Document], work: Callable[[list[ObjectId]], Counts]) -> ObjectId | None:
    on_tickets = _lock_person(erasure["tenant_id"], erasure["user_id"]).on_tickets
    holds = {row["_id"]: on_tickets.get(row["ticket_id"] if "ticket_id" in row else row["_id"]) for row in rows}
    _count(erasure, lambda: work([id_ for id_, hold in holds.items() if hold is None]))
    return next((hold["_id"] for hold in holds.values() if hold is not None), None)


def _redact(erasure: Document, redact: Callable[[], Counts]) -> ObjectId | None:
    """Raises OnLegalHold where the hold is on the person himself or on everything."""
    try:
        _count(erasure, redact)
    except OnLegalHold as error:
        if error.data["target_id"] in {erasure["tenant_id"], erasure["user_id"]}:
            raise
        hold_id: ObjectId = error.data["hold"]
        return hold_id
    return None


@transactional
def _count(erasure: Document, step: Callable[[], Counts]) -> None:
    """Does a step and adds to the erasure what it did: both or neither. Exports with what it removed go too."""
    counts = Counter(step())
    if counts.total():
        counts["exports"] += remove_exports(erasure["tenant_id"])
    ErasureRepository(erasure["tenant_id"]).add_counts(erasure["_id"], counts)


def _lock_user(tenant_id: ObjectId, user_id: ObjectId) -> None:
    """No hold is on the user, and none can come before the end of the transaction. Raises OnLegalHold."""
    _lock_person(tenant_id, user_id).check_user(user_id)


def _lock_person(tenant_id: ObjectId, user_id: ObjectId) -> ActiveHolds:
    """The same, but a ticket that he takes part in may have a hold. Raises OnLegalHold."""
    TenantRepository().lock_holds(tenant_id)
    holds = ActiveHolds.of(tenant_id)
    holds.check_person(user_id)
    return holds


def _opened_by(user_id: ObjectId) -> Document:
    return {"created_by_id": user_id, "redacted_at": None}


def _followed_by(user_id: ObjectId) -> Document:
    # The first half is what the index is by.
    return {"participant_ids": user_id, "follower_ids": user_id}


def _distinct(items: Iterable[T]) -> Iterator[T]:
    """Sorted items, each once."""
    last: T | None = None
    for item in items:
        if item != last:
            yield item
        last = item
