"""Legal holds: placing and lifting them, and asking whether one stands in the way of a removal.

Whoever places a hold and whoever removes something write to the tenant in their transactions (``lock_holds``), so that
of two at the same moment the later one sees the earlier: nothing is removed after a hold was confirmed.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from accounts.actor import Actor
from accounts.repository import UserRepository
from accounts.roles import Action
from tenants.repository import TenantRepository
from tenants.services import record
from ticketing import clock
from ticketing.errors import Conflict, InvalidInput, Message, NotFound
from ticketing.mongo import ObjectId, parse_object_id
from ticketing.mongo.client import transactional
from ticketing.mongo.models import TenantQuerySet
from ticketing.mongo.pages import Page, PageRequest
from ticketing.mongo.repository import Document
from tickets.access import access_ticket
from tickets.attachments.repository import AttachmentRepository
from tickets.conversation.repository import CommentRepository
from tickets.events.repository import EventRepository, NewEvent
from tickets.privacy.models import HoldTarget, LegalHold
from tickets.privacy.repository import HoldRepository
from tickets.privacy.rules import OnLegalHold, clean_reason
from tickets.repository import TicketRepository
from tickets.rules import check_choice
from tickets.writer import Change, store_change

HOLD_ORDER = (("placed_at", -1), ("_id", -1))


@transactional
def place_hold(actor: Actor, *, target: str, reference: str = "", reason: str) -> Document:
    """Keeps a ticket (id or number), a user (id or address) or, without a reference, all of the tenant's data.

    Raises InvalidInput, NotAllowed, NotFound.
    """
    actor.check(Action.PRIVACY_MANAGE)
    check_choice("target", target, HoldTarget.values)
    reason = clean_reason(reason)
    TenantRepository().lock_holds(actor.tenant_id)
    hold = {
        "_id": ObjectId(),
        "target": target,
        "target_id": _target_id(actor, target, reference),
        "reason": reason,
        "placed_by_id": actor.user_id,
        "placed_at": clock.now(),
        "lifted_by_id": None,
        "lifted_at": None,
    }
    _tell(actor, hold, "placed")
    return HoldRepository(actor.tenant_id).insert(hold)


@transactional
def lift_hold(actor: Actor, hold_id: str | ObjectId) -> Document:
    """Ends a hold; what was due to be removed is removed by the next run of the jobs. Ending it again changes nothing.

    Raises NotAllowed, NotFound.
    """
    hold = access_hold(actor, hold_id)
    if hold["lifted_at"] is not None:
        return hold
    TenantRepository().lock_holds(actor.tenant_id)
    lifted = {"lifted_at": clock.now(), "lifted_by_id": actor.user_id}
    stored = HoldRepository(actor.tenant_id).update_where({"_id": hold["_id"], "lifted_at": None}, lifted)
    if stored is None:
        raise Conflict("Somebody has just lifted it")
    _tell(actor, stored, "lifted")
    return stored


def access_hold(actor: Actor, hold_id: str | ObjectId) -> Document:
    """A hold of the tenant, for whoever manages them. Raises NotAllowed, NotFound."""
    actor.check(Action.PRIVACY_MANAGE)
    return HoldRepository(actor.tenant_id).get_by_reference(hold_id)


def visible_holds(actor: Actor) -> TenantQuerySet:
    """All holds of the tenant, for whoever manages them. Raises NotAllowed."""
    actor.check(Action.PRIVACY_MANAGE)
    holds: TenantQuerySet = LegalHold.objects.all()
    return holds


def page_of_holds(actor: Actor, request: PageRequest) -> Page:
    """One page of the tenant's holds, the newest first, lifted ones included. Raises NotAllowed, InvalidInput."""
    actor.check(Action.PRIVACY_MANAGE)
    return HoldRepository(actor.tenant_id).page({}, HOLD_ORDER, request)


def count_holds(actor: Actor, *, cap: int) -> int:
    """How many there are, counting no further than ``cap``. Raises NotAllowed."""
    actor.check(Action.PRIVACY_MANAGE)
    return HoldRepository(actor.tenant_id).count({}, cap=cap)


def names_of_targets(actor: Actor, holds: Iterable[LegalHold]) -> dict[ObjectId, str]:
    """What each ticket and person that a hold is on is called, by id."""
    ids: dict[str, set[ObjectId]] = {target: set() for target in HoldTarget.values}
    for hold in holds:
        ids[hold.target].add(hold.target_id)
    people = UserRepository(actor.tenant_id).find_by_ids(ids[HoldTarget.USER], fields=["name", "email"])
    tickets = TicketRepository(actor.tenant_id).find_by_ids(ids[HoldTarget.TICKET], fields=["number", "title"])
    found = {id_: f"{user['name']} ({user['email']})" for id_, user in people.items()}
    return found | {id_: f"#{ticket['number']} {ticket['title']}" for id_, ticket in tickets.items()}


@dataclass(frozen=True, slots=True)
class ActiveHolds:
    """The holds of a tenant that stand, by what they are on. Read them within the transaction that removes."""

    tenant_id: ObjectId
    on_all: Document | None
    on_tickets: dict[ObjectId, Document]
    on_users: dict[ObjectId, Document]

    @classmethod
    def of(cls, tenant_id: ObjectId) -> "ActiveHolds":
        active = HoldRepository(tenant_id).active()
        by_target: dict[str, dict[ObjectId, Document]] = {target: {} for target in HoldTarget.values}
        for hold in active:
            by_target[hold["target"]][hold["target_id"]] = hold
        on_all = next(iter(by_target[HoldTarget.TENANT].values()), None)
        return cls(tenant_id, on_all, by_target[HoldTarget.TICKET], by_target[HoldTarget.USER])

    def check_ticket(self, ticket: Document) -> None:
        """Raises OnLegalHold for a ticket with a hold, or with somebody who has one."""
        hold = self.find_among([ticket]).get(ticket["_id"])
        if hold is not None:
            raise on_hold(hold)

    def check_user(self, user_id: ObjectId) -> None:
        """Raises OnLegalHold for a user with a hold, and for one who takes part in a ticket that has one."""
        self.check_person(user_id)
        hold = self._find_on_tickets_of(user_id)
        if hold is not None:
            raise on_hold(hold)

    def check_person(self, user_id: ObjectId) -> None:
        """Raises OnLegalHold for a user with a hold of his own, or where one is on everything."""
        hold = self.on_all or self.on_users.get(user_id)
        if hold is not None:
            raise on_hold(hold)

    def find_among(self, tickets: Iterable[Document]) -> dict[ObjectId, Document]:
        """Which of the tickets are on hold, and by what. They need ``participant_ids`` and ``assigned_to_id``."""
        rows = list(tickets)
        if self.on_all is not None:
            return {ticket["_id"]: self.on_all for ticket in rows}
        written = self._written_on([ticket["_id"] for ticket in rows])
        held = {}
        for ticket in rows:
            people = [*ticket["participant_ids"], ticket["assigned_to_id"], written.get(ticket["_id"])]
            hold = self.on_tickets.get(ticket["_id"]) or next(filter(None, map(self.on_users.get, people)), None)
            if hold is not None:
                held[ticket["_id"]] = hold
        return held

    def _written_on(self, ticket_ids: list[ObjectId]) -> dict[ObjectId, ObjectId]:
        """On which of the tickets somebody with a hold has written, and who."""
        if not self.on_users:
            return {}
        people = {"$in": list(self.on_users)}
        on_these = {"ticket_id": {"$in": ticket_ids}}
        comments = CommentRepository(self.tenant_id).find(
            {**on_these, "author_id": people}, fields=["ticket_id", "author_id"]
        )
        files = AttachmentRepository(self.tenant_id).find(
            {**on_these, "uploaded_by_id": people}, fields=["ticket_id", "uploaded_by_id"]
        )
        found = {row["ticket_id"]: row["author_id"] for row in comments}
        return found | {row["ticket_id"]: row["uploaded_by_id"] for row in files}

    def _find_on_tickets_of(self, user_id: ObjectId) -> Document | None:
        if not self.on_tickets:
            return None
        ids = {"$in": list(self.on_tickets)}
        part = {"$or": [{"participant_ids": user_id}, {"assigned_to_id": user_id}]}
        ticket = TicketRepository(self.tenant_id).find_one({"_id": ids, **part}, fields=["_id"])
        if ticket is not None:
            return self.on_tickets[ticket["_id"]]
        event = EventRepository(self.tenant_id).find_one({"ticket_id": ids, "actor.id": user_id}, fields=["ticket_id"])
        return None if event is None else self.on_tickets[event["ticket_id"]]


def check_may_move(actor: Actor, ticket: Document) -> None:
    """Raises OnLegalHold where a hold would lose sight of what is moved from the ticket to another one: any, but one on
    everything. Call ``lock_holds`` before, within the transaction that moves."""
    hold = ActiveHolds.of(actor.tenant_id).find_among([ticket]).get(ticket["_id"])
    if hold is not None and hold["target"] != HoldTarget.TENANT:
        raise on_hold(hold)


def on_hold(hold: Document) -> OnLegalHold:
    """The refusal that names the hold."""
    return OnLegalHold(
        Message(
            "The legal hold {hold} is on this {target}; lift it first", hold=hold["_id"], target=_NAMES[hold["target"]]
        ),
        data={"hold": hold["_id"], "target": hold["target"], "target_id": hold["target_id"]},
    )


_NAMES = {
    HoldTarget.TICKET.value: Message("ticket"),
    HoldTarget.USER.value: Message("person"),
    HoldTarget.TENANT.value: Message("tenant's data"),
}


def _target_id(actor: Actor, target: str, reference: str) -> ObjectId:
    if target == HoldTarget.TENANT:
        if reference:
            raise InvalidInput.of("reference", "a hold on everything names nothing else", "not_allowed")
        return actor.tenant_id
    if not reference:
        raise InvalidInput.of("reference", Message("say on which {target}", target=_NAMES[target]), "required")
    if target == HoldTarget.TICKET:
        ticket_id: ObjectId = access_ticket(actor, reference)["_id"]
        return ticket_id
    users = UserRepository(actor.tenant_id)
    user = users.find_by_email(reference) if "@" in reference else users.find_one({"_id": parse_object_id(reference)})
    if user is None:
        raise NotFound("The user does not exist")
    user_id: ObjectId = user["_id"]
    return user_id


def _tell(actor: Actor, hold: Document, what: str) -> None:
    """Keeps it in the audit log, and in the ticket's history where it is on a ticket, unseen by customers."""
    details = {"hold": str(hold["_id"]), hold["target"]: str(hold["target_id"])}
    if hold["target"] == HoldTarget.TICKET:
        ticket = TicketRepository(actor.tenant_id).get(hold["target_id"])
        details["number"] = f"#{ticket['number']}"
        event = NewEvent(f"ticket.hold_{what}", data={"hold": hold["_id"]})
        store_change(actor, ticket, Change(events=[event], internal=True), clock.now())
    record(f"hold.{what}", by=actor.by, tenant_id=actor.tenant_id, **details)
