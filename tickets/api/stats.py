"""The statistics of tickets."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Action
from ticketing.api.views import ApiView, Parameter
from ticketing.errors import InvalidInput
from tickets.api.filters import StatsFilters, counted_tickets
from tickets.api.outputs import StatsOutput
from tickets.stats.services import MAX_DAYS, ticket_stats

_DAYS = Parameter(
    "days",
    "How many days `per_day` has: the whole period by default, the last 30 days where it has no beginning",
    {"type": "integer", "minimum": 1, "maximum": MAX_DAYS},
)


class StatsView(ApiView):
    """How many tickets there are, by their properties, age and days; exact as of now.

    The parameters are those of the list of tickets, and the counts agree with it; `created_at__gte` and
    `created_at__lt` are the period.
    """

    actions = {"GET": Action.TICKETS_READ_STATS}
    outputs = {"GET": StatsOutput}
    filters = StatsFilters
    parameters = {"GET": [_DAYS]}
    tag = "stats"

    def get(self, request: Request) -> Response:
        wanted, start, end = counted_tickets(self.actor, request)
        found = ticket_stats(self.actor, filters=wanted, created_from=start, created_to=end, days=_days(request))
        per_day = [{**day, "date": day["date"].isoformat()} for day in found["per_day"]]
        return self.answer({**found, "per_day": per_day})


def _days(request: Request) -> int | None:
    """Raises InvalidInput; the range is the service's to check."""
    given = request.query_params.get("days")
    if given is None:
        return None
    if not (given.isascii() and given.isdecimal() and len(given) <= 4):
        raise InvalidInput.of("days", f"must be a whole number from 1 to {MAX_DAYS}")
    return int(given)
