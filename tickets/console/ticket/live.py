"""What keeps an open ticket page up to date: who else is here, and what colleagues changed."""

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.console.acting import actor_of
from ticketing.console.answers import json_answer
from ticketing.errors import InvalidInput, NotFound
from ticketing.mongo import ObjectId
from tickets.access import access_ticket
from tickets.console.choices import find_staff, team_choices
from tickets.console.ticket.history import named_ids
from tickets.console.ticket.page import COMMENTS_SHOWN, described, fields_context, ticket_context
from tickets.conversation.lists import cursor_behind
from tickets.conversation.services import access_comment
from tickets.events.lists import events_after
from tickets.mentions.services import see_mentions
from tickets.presence.services import Colleague, end_presence, find_colleagues, note_presence

if TYPE_CHECKING:
    from tickets.console.ticket.admin import TicketPageAdmin

_EVENTS_TOLD = 20


def context_of(request: HttpRequest, ticket: Any) -> dict[str, Any]:
    """What its part of the page shows."""
    path = reverse("console:tickets_ticket_change", args=[ticket.pk])
    return {"deep_link": request.build_absolute_uri(path)}


@require_POST
@json_answer
def live(request: HttpRequest, object_id: str, model_admin: "TicketPageAdmin") -> dict[str, Any]:
    """What an open page asks every few seconds: the ticket's version, and who else is on it.

    The person's own presence is kept with it: ``writing`` while he has a text begun, ``seen`` when the page has shown
    him what is new, ``leaving`` when he closes it. The session ends when it would without all this.
    """
    admin, actor = model_admin, actor_of(request)
    admin.check_may(request, "view")
    ticket = access_ticket(actor, object_id, fields=["version"])
    if request.POST.get("leaving"):
        end_presence(actor, ticket["_id"])
        return {}
    note_presence(actor, ticket["_id"], is_writing=bool(request.POST.get("writing")))
    if request.POST.get("seen"):
        see_mentions(actor, ticket["_id"])
    return {"version": ticket["version"], "here": [_told(each) for each in find_colleagues(actor, ticket["_id"])]}


@require_GET
@json_answer
def news(request: HttpRequest, object_id: str, model_admin: "TicketPageAdmin") -> dict[str, Any]:
    """The changing parts of the page as they are now, and in words what others did since ``version``."""
    admin, actor = model_admin, actor_of(request)
    admin.check_may(request, "view")
    ticket = admin.get_object(request, object_id)
    if ticket is None:
        raise NotFound
    events = events_after(actor, {"_id": ticket.pk}, _version(request.GET.get("version") or "0"), _EVENTS_TOLD)
    of_others = [event for event in events if event["actor"]["id"] != actor.user_id]
    context = ticket_context(request, ticket, also=named_ids(of_others))
    form = admin.get_form(request, ticket, change=True)(instance=ticket)
    context |= fields_context(ticket, form) | context_of(request, ticket)
    context |= {"adminform": {"form": form}, "opts": admin.opts}
    names = {id_: person["name"] for id_, person in context["people"].items()}
    names |= _teams(request)
    told = [f"{event['who']} {event['what']}" for event in described(request, of_others, names)]
    html = render_to_string("tickets/console/ticket/news.html", context, request)
    return {"version": ticket.version, "title": str(ticket), "told": told, "html": html}


@require_GET
def entry(request: HttpRequest, object_id: str, comment_id: str, model_admin: "TicketPageAdmin") -> HttpResponse:
    """A permalink: leads to the part of the conversation that has the entry, on whichever ticket it is by now."""
    admin, actor = model_admin, actor_of(request)
    admin.check_may(request, "view")
    try:
        access_ticket(actor, object_id, fields=["_id"])
        comment = access_comment(actor, comment_id)
    except NotFound:
        return admin.missing(request)
    page = reverse("console:tickets_ticket_change", args=[comment["ticket_id"]])
    cursor = cursor_behind(actor, comment, COMMENTS_SHOWN)
    return HttpResponseRedirect(f"{page}{f'?before={cursor}' if cursor else ''}#comment-{comment['_id']}")


@require_GET
@json_answer
def staff(request: HttpRequest, model_admin: "TicketPageAdmin") -> dict[str, Any]:
    """Who can be mentioned."""
    model_admin.check_may(request, "view")
    return {"people": find_staff()}


ROUTES: tuple[tuple[str, str, Any], ...] = (
    ("staff/", "tickets_ticket_staff", staff),
    ("<str:object_id>/live/", "tickets_ticket_live", live),
    ("<str:object_id>/news/", "tickets_ticket_news", news),
    ("<str:object_id>/entry/<str:comment_id>/", "tickets_ticket_entry", entry),
)


def _told(colleague: Colleague) -> dict[str, Any]:
    name = colleague.name or _("The platform")
    text = _("%(name)s is writing") if colleague.is_writing else _("%(name)s is looking at this")
    return {"text": text % {"name": name}, "writing": colleague.is_writing}


def _teams(request: HttpRequest) -> dict[ObjectId, str]:
    return {ObjectId(value): name for value, name in team_choices(request)}


def _version(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise InvalidInput.of("version", "is not a version of a ticket")
    return int(text)
