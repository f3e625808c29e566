"""The filters and orderings of the list of tickets."""

from typing import Any

from django.db.models import Q
from rest_framework.request import Request

from accounts.actor import Actor
from ticketing.api.filters import (
    ChoicesFilter,
    IdsFilter,
    SearchFilter,
    StrictFilterSet,
    TimeFilter,
    WordsFilter,
)
from ticketing.errors import InvalidInput
from ticketing.mongo.models import TenantQuerySet
from tickets.access import visible_tickets
from tickets.lists import ORDERINGS, matching, time_column
from tickets.models import Priority, Status, Type
from tickets.rules import MAX_CATEGORY, MAX_TAG


class TagsFilter(WordsFilter):
    """``tag=printer,vpn``: tickets that have any of the tags, in whatever case they are asked for."""

    def condition(self, value: list[str]) -> Q:
        return Q(tags__overlap=[tag.casefold() for tag in value])


class UpdatedFilter(TimeFilter):
    """A range over the time of the last change that the actor may see."""

    def condition(self, value: Any) -> Q:
        return Q(**{f"{time_column(self.parent.request.auth, 'updated_at')}__{self.lookup_expr}": value})


class TicketFilters(StrictFilterSet):
    """Every parameter narrows the list further; values between commas widen one parameter."""

    status = ChoicesFilter("status", Status.values)
    priority = ChoicesFilter("priority", Priority.values)
    category = WordsFilter("category", max_length=MAX_CATEGORY)
    type = ChoicesFilter("type", Type.values)
    team = IdsFilter("team_id", none=True)
    assigned_to = IdsFilter("assigned_to_id", me=True, none=True)
    created_by = IdsFilter("created_by_id", me=True)
    tag = TagsFilter("tags", max_length=MAX_TAG)
    created_at__gte = TimeFilter("created_at", "gte")
    created_at__lt = TimeFilter("created_at", "lt")
    updated_at__gte = UpdatedFilter("updated_at", "gte")
    updated_at__lt = UpdatedFilter("updated_at", "lt")
    q = SearchFilter()

    # Which columns they mean depends on the reader: see tickets.lists.sort_by.
    orderings = dict.fromkeys(ORDERINGS, ())


def listed_tickets(actor: Actor, request: Request) -> tuple[TenantQuerySet, str]:
    """The tickets that a request asks for and their ordering. Raises InvalidInput naming the parameters."""
    filters = TicketFilters.of(request, visible_tickets(actor))
    query = filters.value("q")
    if query is None:
        return filters.qs, filters.ordering
    if filters.ordering.endswith("updated_at"):
        raise InvalidInput.of("ordering", "search results come in order of created_at or -created_at")
    return matching(actor, filters.qs, query), filters.ordering
