"""Makes the documents of an imported ticket: the ticket, its comments, and the history as far as the file tells it."""

from dataclasses import dataclass, field
from datetime import datetime

from accounts.actor import Via
from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Document
from tickets.conversation.services import new_comment_document
from tickets.events.repository import NewEvent, event_document
from tickets.rules import Content, participants
from tickets.services import new_ticket_document
from tickets.transfer.cleaning import Draft, DraftComment, Problems
from tickets.transfer.people import People, is_staff


@dataclass(slots=True)
class Resolved:
    """A draft whose people are found."""

    draft: Draft
    requester: Document
    assignee: Document | None = None
    team_id: ObjectId | None = None
    authors: list[Document] = field(default_factory=list)

    @property
    def people(self) -> list[Document]:
        return [self.requester, *self.authors]

    @property
    def thread(self) -> list[tuple[DraftComment, Document]]:
        return list(zip(self.draft.comments, self.authors, strict=True))


def resolve(draft: Draft, people: People) -> Resolved:
    """Finds the people a draft names. Raises InvalidInput with every one that cannot be."""
    problems = Problems()
    resolved = Resolved(draft, {})
    with problems.noted():
        resolved.requester = people.customer(draft.requester, draft.requester_name, "requester")
    if draft.assignee:
        with problems.noted():
            # Solved tickets may stay with somebody who has left.
            resolved.assignee = people.staff(draft.assignee, "assignee", must_be_active=not draft.is_solved)
    if draft.team:
        with problems.noted():
            resolved.team_id = people.team(draft.team)
    for comment in draft.comments:
        with problems.noted():
            resolved.authors.append(_author(comment, people))
    problems.check()
    return resolved


@dataclass(slots=True)
class Documents:
    """What a batch stores; ``language`` is that of the tenant's search words."""

    language: str
    tickets: list[Document] = field(default_factory=list)
    comments: list[Document] = field(default_factory=list)
    events: list[Document] = field(default_factory=list)

    def add(self, resolved: Resolved, number: int) -> None:
        """The import is one change: all of its events belong to version 1, each with the time it happened at."""
        ticket = _ticket(resolved, number, self.language)
        ticket_id = ticket["_id"]
        data = {name: ticket[name] for name in ("title", "status", "priority")}
        happened = [(resolved.requester, NewEvent("ticket.created", data=data), ticket["created_at"])]
        for comment, author in resolved.thread:
            document = new_comment_document(
                ticket_id, author["_id"], comment.body, comment.visibility, comment.created_at
            ) | {"_id": ObjectId()}
            self.comments.append(document)
            about = {"comment_id": document["_id"], "visibility": comment.visibility}
            happened.append((author, NewEvent("comment.added", data=about), comment.created_at))
        self.tickets.append(ticket)
        self.events += [
            event_document(_describe(who), ticket_id, 1, position, event, at)
            for position, (who, event, at) in enumerate(happened)
        ]


def _ticket(resolved: Resolved, number: int, language: str) -> Document:
    draft = resolved.draft
    requester_id = resolved.requester["_id"]
    content = Content(draft.title, draft.description)
    thread = [{"body": comment.body, "visibility": comment.visibility} for comment in draft.comments]
    ticket = new_ticket_document(number, content, requester_id, "import", language, thread)
    ticket |= {**draft.fields, **draft.times, "_id": ObjectId(), "external_id": draft.external_id}
    ticket |= {
        "assigned_to_id": resolved.assignee and resolved.assignee["_id"],
        "team_id": resolved.team_id,
        "participant_ids": participants(requester_id, []),
        "first_responded_at": draft.times["first_responded_at"] or _first_response(resolved),
        "public_updated_at": ticket["updated_at"],
    }
    if draft.comments:
        public = [comment for comment in draft.comments if comment.is_public]
        ticket |= {"comment_count": len(public), "internal_note_count": len(draft.comments) - len(public)}
        if not draft.comments[-1].is_public:
            ticket["public_updated_at"] = _last_public_change(ticket, public)
    return ticket


def _last_public_change(ticket: Document, public: list[DraftComment]) -> datetime:
    """Without the time of a note, which customers must not learn of."""
    times: list[datetime] = [
        ticket[name] for name in ("created_at", "first_responded_at", "resolved_at", "closed_at") if ticket[name]
    ]
    return max([*times, *(comment.created_at for comment in public)])


def _first_response(resolved: Resolved) -> datetime | None:
    by_staff = (comment for comment, author in resolved.thread if comment.is_public and is_staff(author))
    return next((comment.created_at for comment in by_staff), None)


def _author(comment: DraftComment, people: People) -> Document:
    if comment.is_public:
        return people.customer(comment.author, comment.author_name, "comments.author")
    return people.staff(comment.author, "comments.author", must_be_active=False)


def _describe(user: Document) -> Document:
    """The actor of an event, as tickets.events.repository.describe_actor has him."""
    return {"id": user["_id"], "name": user["name"], "role": user["role"], "via": Via.IMPORT.value, "key": ""}
