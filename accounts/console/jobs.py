"""Background jobs, for the platform's operators to look at; the role table is why it stands here."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin.decorators import display
from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.console.acting import is_operator
from ticketing.console.admin import ServiceModelAdmin
from ticketing.console.display import badge, coming, moment
from ticketing.console.navigation import Item
from ticketing.console.site import site
from ticketing.jobs.listing import brief, figures, read_states
from ticketing.jobs.models import JobState
from ticketing.jobs.registry import known_jobs
from ticketing.mongo.models import ServiceWrittenQuerySet

_STATES = {
    "waiting": gettext_lazy("Waiting"),
    "running": gettext_lazy("Running"),
    "failing": gettext_lazy("Failing"),
    "late": gettext_lazy("Late"),
}
_OUTCOMES = {
    "done": gettext_lazy("done"),
    "failed": gettext_lazy("failed"),
    "interrupted": gettext_lazy("interrupted"),
    "lost": gettext_lazy("lost"),
}


class JobAdmin(ServiceModelAdmin):
    title = gettext_lazy("Background jobs")
    empty_text = gettext_lazy("No job has run yet: the first worker or schedule that runs puts them all here.")
    navigation_position = 54
    list_display = ("job", "every", "state", "last_run", "next_run")
    list_display_links = None
    ordering = ("id",)
    unique_orderings = ("id",)
    sortable_by = ()
    actions = ()

    def can(self, request: HttpRequest, permission: str) -> bool:
        return permission == "view" and is_operator(request)

    def get_navigation(self, request: HttpRequest) -> Iterable[Item]:
        if self.can(request, "view"):
            link = self.changelist_url
            yield Item(_("Platform"), self.list_title, link, "schedule", request.path.startswith(link))

    def get_queryset(self, request: HttpRequest) -> ServiceWrittenQuerySet:
        jobs: ServiceWrittenQuerySet = JobState.objects.all()
        return jobs

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Model | None:
        """None: all there is to know of a job is in the list."""
        return None

    def prepare_rows(self, request: HttpRequest, rows: list[JobState]) -> list[JobState]:
        known, states = known_jobs(), read_states()
        for row in rows:
            row.known, row.state_name = known.get(row.pk), states[row.pk]["state"]  # type: ignore[attr-defined]
        return rows

    @display(description=gettext_lazy("Job"))
    def job(self, row: Any) -> SafeString:
        description = _(row.known.description) if row.known else _("Of another version.")
        return format_html(
            '<div class="console-cell"><strong>{}</strong><br><span class="console-quiet">{}</span></div>',
            row.pk,
            description,
        )

    @display(description=gettext_lazy("Every"))
    def every(self, row: Any) -> str:
        return brief(row.known.every) if row.known else "–"

    @display(description=gettext_lazy("State"))
    def state(self, row: Any) -> SafeString:
        return badge(row.state_name, _STATES[row.state_name])

    @display(description=gettext_lazy("Last run"))
    def last_run(self, row: JobState) -> SafeString:
        """When it ended and how; what it counted, or why it failed and how often in a row."""
        if row.last_outcome is None:
            return moment(None)
        took = "" if row.last_milliseconds is None else f", {row.last_milliseconds} ms"
        told = [figures(row.notes), f"{row.last_error} ({row.failures}×)" if row.last_error else ""]
        return format_html(
            '<div class="console-cell">{}: {}{}<br><span class="console-quiet">{}</span></div>',
            moment(row.last_finished_at),
            _OUTCOMES[row.last_outcome],
            took,
            "; ".join(filter(None, told)),
        )

    @display(description=gettext_lazy("Next run"))
    def next_run(self, row: JobState) -> SafeString:
        return coming(row.next_at)


site.register(JobState, JobAdmin)
