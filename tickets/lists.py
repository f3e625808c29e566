"""Lists of tickets for API and console: pages in a fixed set of orders, and counts. Nothing here joins."""

from collections.abc import Mapping, Sequence
from typing import Any

from accounts.actor import Actor
from accounts.roles import Action
from ticketing.errors import InvalidInput, Message
from ticketing.mongo.models import TenantQuerySet
from ticketing.mongo.pages import Count, Page, PageRequest, Sort
from ticketing.mongo.repository import Document
from tickets.access import sees_internal
from tickets.models import Status
from tickets.repository import TicketRepository
from tickets.search.reading import ALL_TERMS, Lead, Search, conditions_of, is_word
from tickets.search.rules import language_of, number_of, query_words

ORDERINGS = ("-created_at", "created_at", "-updated_at", "updated_at")
DEFAULT_ORDERING = ORDERINGS[0]
# The indexes of what happened in a period, which is asked for: each is read in its own order only.
_PERIODS = {"first_responded_at": "tickets_responded", "resolved_at": "tickets_resolved"}
_INDEXED = {
    "priority": "priority",
    "category": "category",
    "type": "type",
    "assigned_to_id": "assignee",
    "team_id": "team",
    "created_by_id": "requester",
    "tags": "tags",
    "participant_ids": "following",
}


def page_of_tickets(
    actor: Actor,
    tickets: TenantQuerySet,
    request: PageRequest,
    *,
    ordering: str = DEFAULT_ORDERING,
    fields: Sequence[str] = (),
    as_stored: bool = False,
) -> Page:
    """One page of a filtered ``visible_tickets(actor)``; ``fields`` are columns (none: all), ``as_stored`` says that
    the rows may be ``StoredDocument``s.

    Search results come by ``created_at``. Raises InvalidInput for an unknown ordering and for a cursor that belongs to
    another list.
    """
    sort = sort_by(actor, ordering)
    columns = list(dict.fromkeys([*fields, *(column for column, _ in sort)])) if fields else []
    repository = TicketRepository(actor.tenant_id)
    repository = repository.as_stored() if as_stored else repository
    match = tickets.match()
    search = _find_search(actor, repository, match)
    if search is not None:
        return search.page(sort, request, columns)
    where = _where(actor, match)
    return repository.page(where, sort, request, fields=columns, hint=_index(actor, where, sort))


def count_tickets(actor: Actor, tickets: TenantQuerySet, *, cap: int, page: Page | None = None) -> Count:
    """How many tickets a filtered ``visible_tickets(actor)`` holds, counting no further than ``cap``.

    Where ``page`` of it is given, a search that no index answers alone counts nothing but what that page tells.
    """
    repository, match = TicketRepository(actor.tenant_id), tickets.match()
    search = _find_search(actor, repository, match)
    if search is not None and page is not None and search.answering_lead is None:
        return Count(len(page.rows), is_exact=page.after is None and page.before is None)
    if search is not None:
        return search.count(cap)
    where = _where(actor, match)
    in_period = next((index for column, index in _PERIODS.items() if column in where), "")
    hint = in_period if _reads_all(actor) else "tickets_own_created"
    return Count(repository.count(where, cap=cap, hint=hint))


def count_lists(actor: Actor, lists: Sequence[TenantQuerySet], *, cap: int) -> list[Count]:
    """How many tickets each of several filtered ``visible_tickets(actor)`` holds, none counted further than ``cap``.

    All that are no search take one round trip together.
    """
    repository, matches = TicketRepository(actor.tenant_id), [tickets.match() for tickets in lists]
    searches = [_find_search(actor, repository, match) for match in matches]
    filters = [_where(actor, match) for match, search in zip(matches, searches, strict=True) if search is None]
    counts = iter(repository.count_each(filters, cap=cap))
    return [Count(next(counts)) if search is None else search.count(cap) for search in searches]


def matching(actor: Actor, tickets: TenantQuerySet, query: str) -> TenantQuerySet:
    """The tickets that have every word of the query in a text that the actor may read; ``#42`` is the one of this
    number. Raises InvalidInput."""
    number = number_of(query)
    if number is not None:
        found: TenantQuerySet = tickets.filter(number=number)
        return found
    words = query_words(query, language_of(actor.tenant.locale))
    if not words:
        raise InvalidInput.of("q", "has no word of two letters or more to search by")
    for terms in words:
        if _reads_all(actor):  # also where internal notes do not count: only these words lead an index
            tickets = tickets.filter(all_terms__overlap=list(terms))
        if not sees_internal(actor):
            tickets = tickets.filter(public_terms__overlap=list(terms))
    return tickets


def sort_by(actor: Actor, ordering: str) -> Sort:
    """The columns behind an ordering as the actor sees the times, ending in the unique id. Raises InvalidInput."""
    if ordering not in ORDERINGS and not (ordering.removeprefix("-") in _PERIODS and _reads_all(actor)):
        raise InvalidInput.of("ordering", Message("must be one of {choices}", choices=(*ORDERINGS,)), "invalid_choice")
    direction = -1 if ordering.startswith("-") else 1
    return ((time_column(actor, ordering.removeprefix("-")), direction), ("_id", direction))


def time_column(actor: Actor, name: str) -> str:
    """Where ``created_at`` and ``updated_at`` are kept for the actor: internal notes do not move a customer's."""
    return name if name == "created_at" or _reads_all(actor) else f"public_{name}"


def _find_search(actor: Actor, repository: TicketRepository, match: Document) -> Search | None:
    """The search that a filter asks for; None where it has no words.

    A customer's reads nothing but his own tickets: what others write must not show, not even in its cost.
    """
    conditions = list(conditions_of(match))
    if not any(is_word(condition) for condition in conditions):
        return None
    if _reads_all(actor):
        leads = [Lead("tickets_terms", [condition]) for condition in conditions if ALL_TERMS in condition]
        leads += _leads_by_filters(conditions)
    else:
        leads = [Lead("tickets_own_created", [each for each in conditions if "participant_ids" in each])]
    return Search(repository, conditions, leads)


def _leads_by_filters(conditions: Sequence[Document]) -> list[Lead]:
    """The indexes that hold one of the filter's columns, and the status, before the time."""
    status = [condition for condition in conditions if "status" in condition]
    by_column = [(_INDEXED.get(*condition), condition) for condition in conditions]
    leads = [
        Lead(f"tickets_{name}_created", [condition, *(status or [{"status": {"$in": Status.values}}])])
        for name, condition in by_column
        if name
    ]
    return leads or [Lead("tickets_status_created", status)] * bool(status)


def _where(actor: Actor, match: Document) -> Document:
    """The filter, with all statuses named where it has none: the other columns' indexes hold it before the time."""
    if match.keys() & _PERIODS.keys():  # their indexes have no status
        return match
    if _reads_all(actor) and "status" not in match and match.keys() & {*_INDEXED, "$or"}:
        return {**match, "status": {"$in": Status.values}}
    return match


def _index(actor: Actor, where: Mapping[str, Any], sort: Sort) -> str:
    """The index that has the filter's one column, the status and the order; none where the planner has to choose.

    Left to itself the planner sorts in memory for a range over the other time, and lets one plan serve rare and
    frequent values alike. A customer's list never costs more than his own tickets, whatever else it filters by.
    """
    time = sort[0][0].removeprefix("public_")
    suffix = time.removesuffix("_at")
    if "number" in where:
        return "tickets_number"
    if not _reads_all(actor):
        return f"tickets_own_{suffix}"
    if time in _PERIODS:
        return _PERIODS[time]
    columns = where.keys() - {"tenant_id", "status", time}
    if not columns:
        return f"tickets_status_{suffix}" if "status" in where else f"tickets_{suffix}"
    if columns <= {"created_at", "updated_at"} and "status" not in where:
        return f"tickets_{suffix}"
    name = _INDEXED.get(*columns) if len(columns) == 1 else None
    return f"tickets_{name}_{suffix}" if name else ""


def _reads_all(actor: Actor) -> bool:
    return actor.can(Action.TICKETS_READ_ALL)
