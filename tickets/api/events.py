"""The history of a ticket."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Action
from ticketing.api.pagination import COUNT_CAP, page_request, wants_count
from ticketing.api.views import ApiView
from tickets.access import access_ticket
from tickets.api import representation
from tickets.api.outputs import EventOutput
from tickets.events.lists import count_events, page_of_events


class EventsView(ApiView):
    """Who changed what, when, from what to what; oldest first."""

    actions = {"GET": Action.TICKETS_READ_EVENTS}
    outputs = {"GET": EventOutput}
    paginated = True
    errors = {"GET": [404]}
    tag = "events"

    def get(self, request: Request, id: str) -> Response:
        ticket = access_ticket(self.actor, id)
        page = page_of_events(self.actor, ticket, page_request(request))
        count = count_events(self.actor, ticket, cap=COUNT_CAP + 1) if wants_count(request) else None
        return self.page(page, [representation.event(event) for event in page.rows], count)
