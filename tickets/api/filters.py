"""The filters and orderings of the list of tickets."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db.models import Q
from rest_framework.request import Request

from accounts.actor import Actor
from ticketing.api.filters import (
    Asked,
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
from tickets.rules import MAX_CATEGORY, MAX_TAG, fold_tag
from tickets.stats.rules import StatsFilter

KEPT = 256  # lists that a worker remembers
Parameters = tuple[tuple[str, str], ...]


class TagsFilter(WordsFilter):
    """``tag=printer,vpn``: tickets that have any of the tags, in whatever case they are asked for."""

    def parse(self, text: str) -> str:
        try:
            return fold_tag(super().parse(text))
        except InvalidInput as error:
            raise ValueError(error.errors[0].message) from None

    def condition(self, value: list[str]) -> Q:
        return Q(tags__overlap=value)


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


class StatsFilters(TicketFilters):
    """What the list can be filtered by, the statistics can be as well."""

    orderings = {}


def listed_tickets(actor: Actor, request: Request) -> tuple[TenantQuerySet, str]:
    """The tickets that a request asks for and their ordering. Raises InvalidInput naming the parameters."""
    return _listed(*_asked(TicketFilters, actor, request))


def counted_tickets(actor: Actor, request: Request) -> tuple[StatsFilter, datetime | None, datetime | None]:
    """The same parameters as a question to the statistics: the filter, and the period. Raises InvalidInput."""
    return _counted(*_asked(StatsFilters, actor, request))


def _asked(filters: type[TicketFilters], actor: Actor, request: Request) -> tuple[Actor, str, type, Parameters]:
    """All that decides what parameters mean. Actors are equal where they are the same person, or key, in one role."""
    names = [*filters.base_filters, *(["ordering"] if filters.orderings else [])]
    given = tuple((name, request.query_params[name]) for name in names if name in request.query_params)
    return actor, actor.tenant.locale, type(request.accepted_renderer), given


# A client asks for the same lists again and again, page after page: what it asks for is made out once.
@lru_cache(maxsize=KEPT)
def _listed(actor: Actor, _locale: str, renderer: type, given: Parameters) -> tuple[TenantQuerySet, str]:
    filters = TicketFilters.of(Asked(dict(given), actor, renderer), visible_tickets(actor))
    query = filters.value("q")
    if query is None:
        return filters.qs, filters.ordering
    if filters.ordering.endswith("updated_at"):
        raise InvalidInput.of("ordering", "search results come in order of created_at or -created_at")
    return matching(actor, filters.qs, query), filters.ordering


@lru_cache(maxsize=KEPT)
def _counted(
    actor: Actor, _locale: str, renderer: type, given: Parameters
) -> tuple[StatsFilter, datetime | None, datetime | None]:
    filters = StatsFilters.of(Asked(dict(given), actor, renderer), visible_tickets(actor))
    words = {"me": actor.user_id, "none": None}
    ids = {name: [words.get(v, v) for v in filters.value(name) or ()] for name in ("assigned_to", "team")}
    others = filters.narrowed(visible_tickets(actor), ("created_by", "updated_at__gte", "updated_at__lt"))
    query = filters.value("q")
    residual = others.match() if query is None else matching(actor, others, query).match()
    wanted = StatsFilter(
        **{name: tuple(filters.value(name) or ()) for name in ("status", "priority", "category", "type")},
        **{name: tuple(values) for name, values in ids.items()},
        tag=tuple(tag.casefold() for tag in filters.value("tag") or ()),
        residual=residual if residual.keys() != {"tenant_id"} else None,
    )
    return wanted, filters.value("created_at__gte"), filters.value("created_at__lt")
