"""A ticket's past, replayed in memory by the rules that the services follow, with the times it happened at."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from random import Random
from typing import Any

from accounts.actor import Actor
from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Document
from tickets.attachments.files import folder_of
from tickets.attachments.rules import TEXT_TYPE
from tickets.attachments.services import change_by_attachment
from tickets.conversation.services import change_by_comment, new_comment_document
from tickets.events.repository import NewEvent, describe_actor, event_document
from tickets.rules import differences, participants, status_stamps
from tickets.services import events_of
from tickets.workflow.services import workflow_of
from tickets.writer import Change


class History:
    """One ticket with what belongs to it, as if the services had been called at those times. Stores nothing.

    ``files`` are the attachments' contents by storage key.
    """

    def __init__(self, actor: Actor, ticket: Document, at: datetime, random: Random) -> None:
        """``ticket`` is as ``tickets.services.new_ticket_document`` makes it; ``random`` makes the ids."""
        self._random = random
        self.comments: list[Document] = []
        self.events: list[Document] = []
        self.attachments: list[Document] = []
        self.files: dict[str, bytes] = {}
        times = {"created_at": at, "updated_at": at, "public_updated_at": at}
        self.ticket = {"_id": self._new_id(at), **ticket, **times}
        data = {name: ticket[name] for name in ("title", "status", "priority")}
        self._record(actor, [NewEvent("ticket.created", data=data)], at)

    def comment(self, actor: Actor, body: str, visibility: str, at: datetime) -> None:
        """Adds an answer or a note."""
        comment = new_comment_document(self.ticket["_id"], actor.user_id, body, visibility, at)
        comment["_id"] = self._new_id(at)
        self.comments.append(comment)
        self._apply(actor, change_by_comment(actor, self.ticket, comment), at)

    def attach(self, actor: Actor, name: str, text: str, at: datetime) -> None:
        """Adds a text file to the comment made last."""
        comment, content = self.comments[-1], text.encode()
        row = {
            "ticket_id": self.ticket["_id"],
            "comment_id": comment["_id"],
            "visibility": comment["visibility"],
            "name": name,
            "size": len(content),
            "content_type": TEXT_TYPE,
            "sniffed_type": TEXT_TYPE,
            "sha256": hashlib.sha256(content).hexdigest(),
            "storage_key": f"{folder_of(actor.tenant_id)}/{self._random.randbytes(16).hex()}",
            "uploaded_by_id": actor.user_id,
            "created_at": at,
            "_id": self._new_id(at),
        }
        self.attachments.append(row)
        self.files[row["storage_key"]] = content
        self._apply(actor, change_by_attachment(row), at)

    def change(self, actor: Actor, wanted: Mapping[str, Any], at: datetime) -> None:
        """Sets stored fields. Raises InvalidTransition as the service does."""
        changes = differences(self.ticket, wanted)
        if not changes:
            return
        events = events_of(self.ticket, changes)
        if "status" in changes:
            workflow_of(actor.tenant).check(self.ticket["status"], changes["status"], str(actor.role))
            changes |= status_stamps(self.ticket, changes["status"], at)
        if "follower_ids" in changes:
            changes["participant_ids"] = participants(self.ticket["created_by_id"], changes["follower_ids"])
        self._apply(actor, Change(changes, events=events), at)

    def _apply(self, actor: Actor, change: Change, at: datetime) -> None:
        """What tickets.writer.store_change does to the stored document."""
        ticket = self.ticket
        ticket |= {**change.fields, "updated_at": at, "version": ticket["version"] + 1}
        if not change.internal:
            ticket |= {"public_updated_at": at, "public_version": ticket["public_version"] + 1}
        for name, amount in change.increments.items():
            ticket[name] += amount
        for name in ["all_terms"] if change.internal else ["all_terms", "public_terms"]:
            ticket[name] = list(dict.fromkeys([*ticket[name], *change.terms]))
        self._record(actor, change.events, at)

    def _record(self, actor: Actor, events: list[NewEvent], at: datetime) -> None:
        who = describe_actor(actor)
        for position, event in enumerate(events):
            document = event_document(who, self.ticket["_id"], self.ticket["version"], position, event, at)
            self.events.append({"_id": self._new_id(at), **document})

    def _new_id(self, at: datetime) -> ObjectId:
        return ObjectId(int(at.timestamp()).to_bytes(4, "big") + self._random.randbytes(8))
