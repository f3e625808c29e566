"""The people of a ticket: who asked for it, who follows it, and taking it oneself."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.actor import Actor
from accounts.console.acting import actor_of
from ticketing.console.answers import is_fetch, refusal
from ticketing.console.display import badge
from ticketing.console.refusals import explain, in_words
from ticketing.errors import NotFound, TicketingError
from ticketing.mongo import ObjectId, parse_object_id
from ticketing.mongo.pages import PageRequest
from tickets.access import access_ticket, visible_tickets
from tickets.lists import count_tickets, page_of_tickets
from tickets.models import Status
from tickets.people import find_requester, get_follower_id
from tickets.rules import check_choice
from tickets.services import assign_ticket, change_followers, follow_ticket
from tickets.workflow.rules import UNRESOLVED

if TYPE_CHECKING:
    from tickets.console.ticket.admin import TicketPageAdmin

_OTHERS_SHOWN = 5
_COUNTED = 1000


@require_POST
def change_people(request: HttpRequest, object_id: str, model_admin: "TicketPageAdmin") -> HttpResponse:
    """Follows or takes the ticket, or adds or removes a follower; leads back to the page, or answers its script."""
    admin, actor = model_admin, actor_of(request)
    admin.check_may(request, "change")
    try:
        ticket = access_ticket(actor, object_id, fields=["_id"])
        name = "remove" if "remove" in request.POST else request.POST.get("action", "")
        check_choice("action", name, _WORK)
        _WORK[name](actor, ticket["_id"], request)
    except NotFound as error:
        return refusal(error) if is_fetch(request) else admin.missing(request)
    except TicketingError as error:
        if is_fetch(request):
            return refusal(error)
        text = "; ".join(in_words(each.message) for each in error.errors) or explain(error)
        admin.message_user(request, text, messages.ERROR)
    if is_fetch(request):
        return JsonResponse({})
    return HttpResponseRedirect(reverse("console:tickets_ticket_change", args=[ticket["_id"]]))


@require_GET
def requester_card(request: HttpRequest, object_id: str, model_admin: "TicketPageAdmin") -> HttpResponse:
    """Who asked: when he was last seen, how many tickets he has, and the newest others of them."""
    admin, actor = model_admin, actor_of(request)
    admin.check_may(request, "view")
    try:
        ticket = access_ticket(actor, object_id, fields=["created_by_id"])
    except NotFound:
        return admin.missing(request)
    own = visible_tickets(actor).filter(created_by_id=ticket["created_by_id"])
    asked = PageRequest(_OTHERS_SHOWN + 1)
    fields = ["number", "title", "status", "created_at"]
    rows = page_of_tickets(actor, own, asked, ordering="-created_at", fields=fields).rows
    context = {
        "person": find_requester(actor, ticket["created_by_id"]),
        "open": count_tickets(actor, own.filter(status__in=UNRESOLVED), cap=_COUNTED).shown(_COUNTED - 1),
        "all": count_tickets(actor, own, cap=_COUNTED).shown(_COUNTED - 1),
        "others": [_other(row) for row in rows if row["_id"] != ticket["_id"]][:_OTHERS_SHOWN],
        "list_url": f"{admin.changelist_url}?view=all&requester={ticket['created_by_id']}",
    }
    return TemplateResponse(request, "tickets/console/ticket/requester.html", context)


ROUTES: tuple[tuple[str, str, Any], ...] = (
    ("<str:object_id>/people/", "tickets_ticket_people", change_people),
    ("<str:object_id>/requester/", "tickets_ticket_requester", requester_card),
)


def _add(actor: Actor, ticket_id: ObjectId, request: HttpRequest) -> None:
    follower = get_follower_id(actor, request.POST.get("email", ""))
    change_followers(actor, ticket_id, add=[follower])


def _remove(actor: Actor, ticket_id: ObjectId, request: HttpRequest) -> None:
    follower = parse_object_id(request.POST["remove"])
    change_followers(actor, ticket_id, remove=[follower] if follower else [])


_WORK: dict[str, Callable[[Actor, ObjectId, HttpRequest], object]] = {
    "follow": lambda actor, ticket_id, _request: follow_ticket(actor, ticket_id),
    "unfollow": lambda actor, ticket_id, _request: follow_ticket(actor, ticket_id, following=False),
    "assign": lambda actor, ticket_id, _request: assign_ticket(actor, ticket_id, assigned_to=actor.user_id),
    "add": _add,
    "remove": _remove,
}


def _other(row: dict[str, Any]) -> dict[str, Any]:
    link = reverse("console:tickets_ticket_change", args=[row["_id"]])
    return {**row, "link": link, "badge": badge(row["status"], Status(row["status"]).label)}
