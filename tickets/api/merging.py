"""Merging a duplicate, linking related tickets, and making a ticket of a comment."""

from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Action
from ticketing.api.views import ApiView
from ticketing.mongo.repository import Document
from tickets.access import access_ticket, visible_version
from tickets.api import representation
from tickets.api.answers import represent_one
from tickets.api.inputs import MergeInput, RelatedTicketInput, SplitInput
from tickets.api.outputs import RelatedTicketOutput, RelatedTicketsOutput, TicketOutput
from tickets.merging.linking import link_tickets, unlink_tickets
from tickets.merging.lists import related_tickets
from tickets.merging.services import merge_ticket, unmerge_ticket
from tickets.merging.splitting import split_comment


class _MergingView(ApiView):
    """What the views here share."""

    tag = "tickets"

    def answer_ticket(self, ticket: Document) -> Response:
        row = represent_one(self.request, self.actor, ticket)
        return self.answer(row, version=visible_version(self.actor, ticket))


class MergeView(_MergingView):
    """Closes a duplicate in favour of another open ticket."""

    actions = {"POST": Action.TICKETS_EDIT_ALL}
    inputs = {"POST": MergeInput}
    outputs = {"POST": TicketOutput}
    statuses = {"POST": 200}
    errors = {"POST": [404, 409]}

    def post(self, request: Request, id: str) -> Response:
        """Merges a ticket into another one, and answers the merged ticket.

        Its comments and files move to the other one, with its own text as a comment. Its requester and followers follow
        the other one from then on, and so see it. What is added to the merged ticket later is added to the other one.
        """
        return self.answer_ticket(merge_ticket(self.actor, id, self.validated()["into"]))


class UnmergeView(_MergingView):
    """Takes a merge back."""

    actions = {"POST": Action.TICKETS_EDIT_ALL}
    outputs = {"POST": TicketOutput}
    statuses = {"POST": 200}
    errors = {"POST": [404, 409]}

    def post(self, request: Request, id: str) -> Response:
        """Takes the merge of a ticket back, and answers the ticket.

        It gets the status that it had, and all that came from it or was added to it since. Who followed the other
        ticket only for this one does so no more.
        """
        return self.answer_ticket(unmerge_ticket(self.actor, id))


class RelatedTicketsView(_MergingView):
    """The tickets that a ticket is linked to. Customers do not see links."""

    actions = {"GET": Action.TICKETS_READ_ALL, "POST": Action.TICKETS_EDIT_ALL}
    inputs = {"POST": RelatedTicketInput}
    outputs = {"GET": RelatedTicketsOutput, "POST": RelatedTicketOutput}
    statuses = {"POST": 200}
    errors = {"GET": [404], "POST": [404, 409]}

    def get(self, request: Request, id: str) -> Response:
        related = related_tickets(self.actor, access_ticket(self.actor, id))
        return self.answer({"data": [representation.related_ticket(each) for each in related]})

    def post(self, request: Request, id: str) -> Response:
        """Links another ticket, from both sides, and answers that one."""
        related = link_tickets(self.actor, id, self.validated()["ticket"])
        return self.answer(representation.related_ticket(related))


class RelatedTicketView(_MergingView):
    """A link between two tickets."""

    actions = {"DELETE": Action.TICKETS_EDIT_ALL}
    errors = {"DELETE": [404]}

    def delete(self, request: Request, id: str, other: str) -> Response:
        """Takes the link away, from both sides."""
        unlink_tickets(self.actor, id, other)
        return Response(status=204)


class SplitView(_MergingView):
    """Makes a ticket of a comment that is about something else."""

    actions = {"POST": Action.TICKETS_CREATE_FOR_OTHERS}
    inputs = {"POST": SplitInput}
    outputs = {"POST": TicketOutput}
    statuses = {"POST": 201}
    errors = {"POST": [404, 409]}
    tag = "comments"

    def post(self, request: Request, id: str) -> Response:
        """Opens a ticket out of a comment, for the customer who wrote it or else for the ticket's requester.

        The comment stays, its files move along, and both tickets are linked. An internal note stays internal.
        """
        ticket = split_comment(self.actor, id, **self.validated())
        row = represent_one(request, self.actor, ticket)
        return self.created(row, reverse("ticket", args=[ticket["_id"]]), version=visible_version(self.actor, ticket))
