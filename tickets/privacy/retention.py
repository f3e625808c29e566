"""Retention: removing the text of tickets closed long ago and the names of people who left, as the tenant wishes."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from accounts.actor import Actor
from accounts.repository import UserRepository
from accounts.roles import Action
from accounts.rules import LastAdmin
from tenants.models import Tenant
from tenants.repository import TenantRepository
from tenants.services import record
from ticketing import clock
from ticketing.mongo import ObjectId
from ticketing.mongo.client import transactional
from ticketing.mongo.repository import Document
from tickets.attachments.repository import AttachmentRepository
from tickets.privacy.erasure import continue_erasure, request_erasure
from tickets.privacy.holds import ActiveHolds
from tickets.privacy.redaction import Counts, redact_ticket
from tickets.privacy.rules import OnLegalHold
from tickets.repository import TicketRepository
from tickets.transfer.batches import batches
from tickets.workflow.rules import CLOSED, UNRESOLVED

BECAUSE = "retention"
BATCH = 100
PREVIEW_AT_MOST = 10_000
SAMPLE = 10
_TICKET_FIELDS = (
    *("number", "closed_at", "participant_ids", "assigned_to_id"),
    *("comment_count", "internal_note_count"),
)


@dataclass(frozen=True, slots=True)
class Policy:
    """What is due: tickets closed and accounts left alone since before these times; None keeps them for ever."""

    tickets_before: datetime | None
    users_before: datetime | None

    @classmethod
    def of(cls, tenant_id: ObjectId, now: datetime) -> "Policy":
        tenant = TenantRepository().get(tenant_id)

        def before(name: str) -> datetime | None:
            days: int = tenant.get(name, 0)
            return now - timedelta(days=days) if days else None

        return cls(before("retention_ticket_days"), before("retention_user_days"))


@dataclass(slots=True)
class Preview:
    """What the next run would remove, and what holds keep from it. ``is_complete`` is false where counting stopped at
    PREVIEW_AT_MOST tickets or users; ``sample`` are numbers of tickets, oldest first."""

    tickets: int = 0
    comments: int = 0
    attachments: int = 0
    attachment_bytes: int = 0
    users: int = 0
    held_tickets: int = 0
    held_users: int = 0
    oldest_closed_at: datetime | None = None
    newest_closed_at: datetime | None = None
    is_complete: bool = True
    sample: list[int] = field(default_factory=list)
    sample_users: list[ObjectId] = field(default_factory=list)


def preview_retention(actor: Actor) -> Preview:
    """What the tenant's policy would remove now; removes nothing. Raises NotAllowed."""
    actor.check(Action.PRIVACY_MANAGE)
    policy, holds = Policy.of(actor.tenant_id, clock.now()), ActiveHolds.of(actor.tenant_id)
    preview = Preview()
    for seen, tickets in enumerate(batches(_due_tickets(actor.tenant_id, policy), BATCH)):
        if seen * BATCH >= PREVIEW_AT_MOST:
            preview.is_complete = False
            break
        _add_tickets(preview, actor.tenant_id, holds, tickets)
    for seen, user in enumerate(_due_users(actor.tenant_id, policy)):
        if seen >= PREVIEW_AT_MOST:
            preview.is_complete = False
            break
        _add_user(preview, holds, user["_id"])
    return preview


def apply_retention(tenant: Tenant, actor: Actor, stopping: Callable[[], bool] = lambda: False) -> Counts:
    """Removes what is due, a ticket or a user at a time, and leaves alone what is on hold; tells what was removed.

    Ended half-way, the next run does the rest. Each hundred has an entry in the audit log.
    """
    policy = Policy.of(tenant.pk, clock.now())
    total: Counter[str] = Counter()
    for tickets in batches(_due_tickets(tenant.pk, policy), BATCH):
        held = ActiveHolds.of(tenant.pk).find_among(tickets)
        removed: Counter[str] = Counter()
        for ticket in tickets:
            if stopping():
                break
            if ticket["_id"] not in held:
                removed.update(_redact(actor, ticket["_id"]))
        _record(actor, removed)
        total += removed
        if stopping():
            return dict(total)
    erased: Counter[str] = Counter()
    for user in _due_users(tenant.pk, policy):
        if stopping():
            break
        erased["users"] += _erase(actor, user["_id"], policy)
    _record(actor, erased)
    return dict(total + erased)


def _due_tickets(tenant_id: ObjectId, policy: Policy) -> Iterator[Document]:
    if policy.tickets_before is None:
        return iter(())
    due = {"status": CLOSED, "redacted_at": None, "closed_at": {"$lt": policy.tickets_before}}
    return TicketRepository(tenant_id).stream(due, sort=[("closed_at", 1), ("_id", 1)], fields=_TICKET_FIELDS)


def _due_users(tenant_id: ObjectId, policy: Policy) -> Iterator[Document]:
    """Those deactivated, and not changed since, without an unresolved ticket of theirs."""
    if policy.users_before is None:
        return
    left = _left_before(policy.users_before)
    for user in UserRepository(tenant_id).stream(left, sort=[("created_at", -1), ("_id", -1)], fields=["_id"]):
        if not _waits(tenant_id, user["_id"]):
            yield user


def _left_before(time: datetime) -> Document:
    return {"is_active": False, "erased_at": None, "updated_at": {"$lt": time}}


def _waits(tenant_id: ObjectId, user_id: ObjectId) -> bool:
    unresolved = {"created_by_id": user_id, "status": {"$in": list(UNRESOLVED)}}
    return TicketRepository(tenant_id).find_one(unresolved, fields=["_id"]) is not None


def _redact(actor: Actor, ticket_id: ObjectId) -> Counts:
    try:
        return redact_ticket(actor, ticket_id, BECAUSE)
    except OnLegalHold:  # placed just now
        return {}


def _erase(actor: Actor, user_id: ObjectId, policy: Policy) -> int:
    try:
        erasure = _request_if_due(actor, user_id, policy)
        if erasure is None:
            return 0
        continue_erasure(actor, erasure)
    except (OnLegalHold, LastAdmin):
        return 0
    return 1


@transactional
def _request_if_due(actor: Actor, user_id: ObjectId, policy: Policy) -> Document | None:
    """Looks again: since he was found, while others were erased, he may have come back."""
    due = policy.users_before and {"_id": user_id, **_left_before(policy.users_before)}
    if not due or UserRepository(actor.tenant_id).find_one(due, fields=["_id"]) is None:
        return None
    return None if _waits(actor.tenant_id, user_id) else request_erasure(actor, user_id)


def _record(actor: Actor, removed: Counter[str]) -> None:
    if removed.total():
        record("retention.applied", by=actor.by, tenant_id=actor.tenant_id, **dict(removed))


def _add_tickets(preview: Preview, tenant_id: ObjectId, holds: ActiveHolds, tickets: list[Document]) -> None:
    held = holds.find_among(tickets)
    due = [ticket for ticket in tickets if ticket["_id"] not in held]
    preview.held_tickets += len(held)
    preview.tickets += len(due)
    preview.comments += sum(ticket["comment_count"] + ticket["internal_note_count"] for ticket in due)
    files = AttachmentRepository(tenant_id).find({"ticket_id": {"$in": [each["_id"] for each in due]}}, fields=["size"])
    preview.attachments += len(files)
    preview.attachment_bytes += sum(file["size"] for file in files)
    if due:
        preview.oldest_closed_at = preview.oldest_closed_at or due[0]["closed_at"]
        preview.newest_closed_at = due[-1]["closed_at"]
        preview.sample += [ticket["number"] for ticket in due[: SAMPLE - len(preview.sample)]]


def _add_user(preview: Preview, holds: ActiveHolds, user_id: ObjectId) -> None:
    try:
        holds.check_user(user_id)
    except OnLegalHold:
        preview.held_users += 1
        return
    preview.users += 1
    if len(preview.sample_users) < SAMPLE:
        preview.sample_users.append(user_id)
