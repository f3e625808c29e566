"""Tickets: the list, one ticket, and following one."""

from collections.abc import Collection, Mapping
from typing import Any

from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actor import Actor
from accounts.roles import Action
from ticketing.api.pagination import COUNT_CAP, page_request, wants_count
from ticketing.api.renderers import is_page
from ticketing.api.views import ApiView
from ticketing.errors import StaleVersion
from ticketing.mongo.pages import Page
from ticketing.mongo.repository import Document
from tickets.access import access_ticket, visible_version
from tickets.api.answers import COMMENTS_OF_ONE, WHOLE, represent, represent_one, represent_stored
from tickets.api.filters import TicketFilters, listed_tickets
from tickets.api.inputs import NewTicketInput, TicketInput
from tickets.api.outputs import TicketOutput, TicketRowOutput
from tickets.api.representation import INCLUDED, TicketColumns
from tickets.conversation.lists import access_ticket_and_thread
from tickets.lists import count_tickets, page_of_tickets
from tickets.people import get_requester_id
from tickets.rules import CUSTOMER_MAY_EDIT
from tickets.services import change_ticket_seen, follow_ticket, open_ticket

PARTS = {"comments": Action.COMMENTS_READ_PUBLIC, "attachments": Action.ATTACHMENTS_READ}
LISTED = frozenset(TicketRowOutput().fields).difference(INCLUDED.values())
_CHANGES = CUSTOMER_MAY_EDIT | {"version"}
CUSTOMER_MAY_SEND = {
    "POST": frozenset({"title", "description", "priority", "category", "type"}),
    "PUT": _CHANGES,
    "PATCH": _CHANGES,
}


class _TicketView(ApiView):
    """What the views of tickets share: which members are asked for, and forms that fit the reader's role."""

    includes = tuple(INCLUDED)
    sparse = True
    tag = "tickets"

    def members(self, default: Collection[str]) -> frozenset[str]:
        """The members that ``fields=`` (or the default) and ``include=`` ask for. Raises InvalidInput, NotAllowed.

        An API key without the scope for a part gets it empty by default, and is refused when it asks for it.
        """
        asked = self.selected if "fields" in self.request.query_params else frozenset()
        asked |= {INCLUDED[name] for name in self.included}
        for name in asked & PARTS.keys():
            self.actor.check(PARTS[name])
        return asked if "fields" in self.request.query_params else asked | frozenset(default)

    def answer_ticket(self, ticket: Document, members: Collection[str] = WHOLE, thread: Page | None = None) -> Response:
        """A ticket on its own, with its version as the actor sees it; ``thread`` where it has been read already."""
        row = represent_one(self.request, self.actor, ticket, members, thread)
        return self.answer(row, version=visible_version(self.actor, ticket))

    def get_serializer(self, *args: Any, **kwargs: Any) -> serializers.Serializer[Any]:
        """Customers need not send what only staff may set, and their forms do not ask for it."""
        is_form = "data" not in kwargs
        serializer = super().get_serializer(*args, **kwargs)
        if not self.actor.can(Action.TICKETS_EDIT_ALL):
            for name in set(serializer.fields) - CUSTOMER_MAY_SEND[str(self.request.method)]:
                if is_form:
                    serializer.fields.pop(name)
                else:
                    serializer.fields[name].required = False
        return serializer


class TicketsView(_TicketView):
    """The tickets that you opened or follow, newest first; staff see all of the tenant.

    Parameters narrow the list further one by one. `q` finds the tickets that hold every word, or another form of it, in
    title, description, comments or as their number, and `#42` the ticket of this number; its results come in order of
    `created_at`. A search that comes to its limit answers with what it has found and `incomplete` in `page`.
    """

    actions = {"GET": Action.TICKETS_READ_OWN, "POST": Action.TICKETS_CREATE}
    inputs = {"POST": NewTicketInput}
    outputs = {"GET": TicketRowOutput, "POST": TicketOutput}
    filters = TicketFilters
    paginated = True
    summary = ("number", "title", "status", "priority", "category", "created_at", "updated_at")

    def get(self, request: Request) -> Response:
        members = self.members(LISTED)
        tickets, ordering = listed_tickets(self.actor, request)
        columns = TicketColumns(self.actor, members)
        for_people = is_page(request)
        page = page_of_tickets(
            self.actor,
            tickets,
            page_request(request),
            ordering=ordering,
            fields=columns.names,
            as_stored=not for_people,
        )
        rows = (represent if for_people else represent_stored)(request, self.actor, page.rows, columns, members)
        count = count_tickets(self.actor, tickets, cap=COUNT_CAP + 1) if wants_count(request) else None
        return self.page(page, rows, count)

    def post(self, request: Request) -> Response:
        """Opens a ticket; staff may open one for a customer."""
        wanted = self.validated()
        email = wanted.pop("requester_email", None)
        if email:
            wanted["requester"] = get_requester_id(self.actor, email)
        ticket = open_ticket(self.actor, **wanted)
        row = represent_one(request, self.actor, ticket)
        return self.created(row, reverse("ticket", args=[ticket["_id"]]), version=visible_version(self.actor, ticket))


class TicketView(_TicketView):
    """One ticket by id or number, with the first page of its comments."""

    actions = {"GET": Action.TICKETS_READ_OWN, "PUT": Action.TICKETS_EDIT_OWN, "PATCH": Action.TICKETS_EDIT_OWN}
    inputs = {"PUT": TicketInput, "PATCH": TicketInput}
    outputs = dict.fromkeys(["GET", "PUT", "PATCH"], TicketOutput)
    versioned = True
    errors = {"GET": [404], "PUT": [404, 409, 428], "PATCH": [404, 409]}

    def related_views(self) -> Mapping[str, type[ApiView]]:
        from tickets.api.attachments import AttachmentsView
        from tickets.api.comments import CommentsView

        return {"comments": CommentsView, "attachments": AttachmentsView}

    def fit_form(self, serializer: serializers.Serializer[Any], data: Mapping[str, Any]) -> None:
        """Offers the statuses that the ticket may take from here, and the one that it has."""
        choices: Any = serializer.fields["status"]
        reachable = {data.get("status"), *data.get("allowed_transitions", ())}
        choices.choices = [(value, label) for value, label in choices.choices.items() if value in reachable]

    def get(self, request: Request, id: str) -> Response:
        members = self.members(WHOLE)
        if "comments" not in members:
            return self.answer_ticket(access_ticket(self.actor, id), members)
        ticket, thread = access_ticket_and_thread(self.actor, id, COMMENTS_OF_ONE)
        return self.answer_ticket(ticket, members, thread)

    def put(self, request: Request, id: str) -> Response:
        """Replaces everything that can be changed of a ticket."""
        return self._change(id, whole=True)

    def patch(self, request: Request, id: str) -> Response:
        """Changes some of a ticket."""
        return self._change(id, whole=False)

    def _change(self, id: str, *, whole: bool) -> Response:
        wanted = self.validated()
        read = wanted.pop("version", None)

        def decide(ticket: Document) -> tuple[Document, int | None]:
            expected = expected_version(self, visible_version(self.actor, ticket), read, required=whole)
            if whole and not self.actor.can(Action.TICKETS_EDIT_ALL):
                return _without_unchanged(self.actor, ticket, wanted), expected
            return wanted, expected

        return self.answer_ticket(change_ticket_seen(self.actor, id, decide))


class FollowView(ApiView):
    """Follow a ticket, or stop following it."""

    actions = {"POST": Action.TICKETS_FOLLOW, "DELETE": Action.TICKETS_FOLLOW}
    errors = {"POST": [404, 409], "DELETE": [404, 409]}
    tag = "tickets"

    def post(self, request: Request, id: str) -> Response:
        """Follow a ticket."""
        follow_ticket(self.actor, id)
        return Response(status=204)

    def delete(self, request: Request, id: str) -> Response:
        """Stop following a ticket."""
        follow_ticket(self.actor, id, following=False)
        return Response(status=204)


def expected_version(view: ApiView, current: int, read: int | None, *, required: bool = False) -> int | None:
    """The version that the caller has read, by If-Match or by ``version`` in the body; None where he says neither.

    Raises StaleVersion, InvalidInput, PreconditionRequired.
    """
    if read is not None and read != current:
        raise StaleVersion(f"It is at version {current} now, not {read}", data={"current_version": current})
    if "If-Match" in view.request.headers or (required and read is None):
        return view.expected_version(current, required=required)
    return read


def _without_unchanged(actor: Actor, ticket: Document, wanted: Document) -> Document:
    """A customer who replaces what he has read sends staff's members as they are; only changes of them are refused."""
    stored = TicketColumns(actor, wanted).row(ticket)
    return {name: value for name, value in wanted.items() if name in CUSTOMER_MAY_EDIT or stored[name] != value}
