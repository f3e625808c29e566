"""Everybody's own mentions: the internal notes that name him."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin.decorators import action, display
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.console.acting import actor_of
from accounts.roles import Action
from ticketing.console.admin import ServiceModelAdmin
from ticketing.console.answers import json_answer
from ticketing.console.display import badge, moment
from ticketing.console.filters import SelectFilter
from ticketing.console.navigation import Item
from ticketing.console.site import site
from ticketing.mongo.models import TenantQuerySet
from tickets.mentions.lists import look_up_mentions
from tickets.mentions.models import Mention
from tickets.mentions.services import count_unseen, see_mention, visible_mentions

_EXCERPT = 140
_COUNTED = 100


class SeenFilter(SelectFilter):
    title, parameter_name = gettext_lazy("Seen"), "seen"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", gettext_lazy("New to me")), ("yes", gettext_lazy("Seen"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("no", "yes"):
            return queryset
        return queryset.filter(seen_at__isnull=self.value() == "no")


class MentionAdmin(ServiceModelAdmin):
    """A list to work off: opening the ticket, or the action, marks a mention as seen."""

    title = gettext_lazy("Mentions")
    empty_text = gettext_lazy("A colleague who writes @ and your e-mail address in an internal note calls you here.")
    permissions = {"view": Action.COMMENTS_READ_INTERNAL, "change": Action.COMMENTS_READ_INTERNAL}
    navigation_position = 12
    list_display = ("note", "by_whom", "when")
    list_display_links = None
    list_filter = (SeenFilter,)
    ordering = ("-at",)
    sortable_by = ()
    actions = ("mark_as_seen",)

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (*super().get_custom_urls(), ("count/", "tickets_mention_count", self.count_new))

    def get_navigation(self, request: HttpRequest) -> Iterable[Item]:
        if self.has_module_permission(request):
            link, count_url = self.changelist_url, reverse("console:tickets_mention_count")
            active = request.path.startswith(link)
            yield Item(_("Tickets"), self.list_title, link, "alternate_email", active, "", "mentions", count_url)

    @staticmethod
    @json_answer
    def count_new(request: HttpRequest, model_admin: Any) -> dict[str, Any]:
        """The figure in the side bar; none where nothing is new."""
        model_admin.check_may(request, "view")
        count = count_unseen(actor_of(request), cap=_COUNTED)
        shown = f"{_COUNTED - 1}+" if count >= _COUNTED else str(count or "")
        return {"counts": {"mentions": shown}}

    def get_queryset(self, request: HttpRequest) -> TenantQuerySet:
        return visible_mentions(actor_of(request))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Model | None:
        """None: a mention has no page but its ticket's."""
        return None

    def prepare_rows(self, request: HttpRequest, rows: list[Any]) -> list[Any]:
        found = look_up_mentions(actor_of(request), rows)
        for row in rows:
            row.found = found[row.pk]
        return rows

    @display(description=gettext_lazy("Note"))
    def note(self, mention: Any) -> SafeString:
        ticket = mention.found.ticket
        if ticket is None:
            return format_html('<span class="console-quiet">{}</span>', _("This ticket was removed."))
        return format_html(
            '<div><a class="ticket-link" href="{}"><span class="ticket-number">#{}</span> {}</a> {}<br>'
            '<span class="console-quiet">{}</span></div>',
            reverse("console:tickets_ticket_entry", args=[mention.ticket_id, mention.comment_id]),
            ticket["number"],
            ticket["title"],
            "" if mention.seen_at else badge("new", _("New")),
            Truncator(mention.found.body).chars(_EXCERPT),
        )

    @display(description=gettext_lazy("By"))
    def by_whom(self, mention: Any) -> str:
        return mention.found.by or _("The platform")

    @display(description=gettext_lazy("When"))
    def when(self, mention: Any) -> SafeString:
        return moment(mention.at)

    @action(description=gettext_lazy("Mark as seen"), permissions=["change"])
    def mark_as_seen(self, request: HttpRequest, queryset: TenantQuerySet) -> None:
        actor = actor_of(request)
        self.work_on_selected(request, queryset, lambda mention: see_mention(actor, mention.pk))


site.register(Mention, MentionAdmin)
