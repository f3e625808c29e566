"""The audit log: who did what and when, with old and new values; a tenant's for its admins, else the platform's."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.admin.decorators import display
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.audit import OF_TENANTS, authors_named, names_in, platform_entries, visible_entries
from accounts.console.acting import is_operator
from accounts.models import User
from accounts.roles import Action
from tenants.models import AuditEntry, Registration
from ticketing import clock
from ticketing.console.admin import ServiceModelAdmin
from ticketing.console.display import exact_moment
from ticketing.console.filters import LinkFilter, SelectFilter, TextFilter
from ticketing.console.navigation import Item
from ticketing.console.site import site
from ticketing.mongo import parse_object_id
from ticketing.mongo.models import ServiceWrittenQuerySet


@dataclass(frozen=True, slots=True)
class Kind:
    """What entries are filtered by: a title, and what each of its actions is called."""

    title: Any
    actions: Mapping[str, Any]


# Packages that record more add theirs.
KINDS: dict[str, Kind] = {
    "people": Kind(
        gettext_lazy("People"),
        {
            "user.created": gettext_lazy("Account created"),
            "user.changed": gettext_lazy("Account changed"),
            "user.invited": gettext_lazy("Invitation made"),
            "user.password_changed": gettext_lazy("Password chosen"),
            "user.signed_out": gettext_lazy("Signed out everywhere"),
            "users.imported": gettext_lazy("Accounts imported"),
        },
    ),
    "teams": Kind(
        gettext_lazy("Teams"),
        {"team.created": gettext_lazy("Team created"), "team.changed": gettext_lazy("Team changed")},
    ),
    "keys": Kind(
        gettext_lazy("API keys"),
        {"api_key.created": gettext_lazy("API key created"), "api_key.revoked": gettext_lazy("API key revoked")},
    ),
    "tenant": Kind(
        gettext_lazy("Settings and operators"),
        {
            "tenant.created": gettext_lazy("Tenant created"),
            "tenant.changed": gettext_lazy("Settings changed"),
            "tenant.suspended": gettext_lazy("Tenant suspended"),
            "tenant.reactivated": gettext_lazy("Tenant reactivated"),
            "tenant.entered": gettext_lazy("An operator came in"),
            "tenant.left": gettext_lazy("An operator left"),
        },
    ),
}

# Where an entry's subject is found: the field of its details, and its page.
PAGES: dict[str, str] = {
    "key": "console:accounts_apikey_change",
    "user": "console:accounts_user_change",
    "team": "console:accounts_team_change",
}

FIELDS: dict[str, Any] = {
    "email": gettext_lazy("E-mail"),
    "name": gettext_lazy("Name"),
    "role": gettext_lazy("Role"),
    "is_active": gettext_lazy("Active"),
    "team_ids": gettext_lazy("Teams"),
    "language": gettext_lazy("Language"),
    "time_zone": gettext_lazy("Time zone"),
    "locale": gettext_lazy("Language"),
    "brand_name": gettext_lazy("Name that customers see"),
    "brand_color": gettext_lazy("Colour"),
    "registration": gettext_lazy("Who may open a customer account"),
    "registration_domains": gettext_lazy("E-mail domains"),
    "retention_ticket_days": gettext_lazy("Days that closed tickets keep text and files"),
    "retention_user_days": gettext_lazy("Days that deactivated accounts keep their name"),
    "slug": gettext_lazy("Short name"),
    "hosts": gettext_lazy("Host names"),
    "max_staff": gettext_lazy("Staff accounts at most"),
    "max_storage_mb": gettext_lazy("Megabytes of attachments at most"),
    "max_requests_per_minute": gettext_lazy("Requests a minute at most"),
    "scopes": gettext_lazy("Scopes"),
    "owner": gettext_lazy("Acts for"),
    "amount": gettext_lazy("How many"),
}
_LANGUAGES = dict(settings.LANGUAGES)
_CHOICES: dict[str, Mapping[str, Any]] = {
    "role": dict(User.ROLES),
    "registration": dict(Registration.choices),
    "language": _LANGUAGES,
    "locale": _LANGUAGES,
}
# Who acts where nobody has signed in.
_NOBODY = {
    "the platform (job)": gettext_lazy("the platform (job)"),
    "the platform (command)": gettext_lazy("the platform (command)"),
}


class OfFilter(SelectFilter):
    """For operators: what happened to tenants as a whole, or to the platform itself."""

    title, parameter_name = gettext_lazy("Of"), "of"
    any_label = gettext_lazy("Tenants")

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        self.is_offered = request.actor is None  # type: ignore[attr-defined]
        return [("platform", gettext_lazy("The platform"))]

    def has_output(self) -> bool:
        return self.is_offered

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.is_offered:
            return queryset
        return queryset.filter(action__in=OF_TENANTS) if self.value() is None else queryset.filter(tenant_id=None)


class KindFilter(SelectFilter):
    title, parameter_name = gettext_lazy("About"), "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, kind.title) for name, kind in KINDS.items()]

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        kind = KINDS.get(value)
        return queryset.filter(action__in=list(kind.actions)) if kind else queryset.none()


class PersonFilter(TextFilter):
    title, parameter_name = gettext_lazy("By"), "by"
    placeholder = gettext_lazy("Name or e-mail…")

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        actor = request.actor  # type: ignore[attr-defined]
        return queryset.filter(by__in=authors_named(actor.tenant_id if actor else None, value))


class PeriodFilter(SelectFilter):
    title, parameter_name = gettext_lazy("Period"), "days"
    any_label = gettext_lazy("All")

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("1", gettext_lazy("Last 24 hours")),
            ("7", gettext_lazy("Last 7 days")),
            ("30", gettext_lazy("Last 30 days")),
            ("365", gettext_lazy("Last 365 days")),
        ]

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        if value not in dict(self.lookup_choices):
            return queryset.none()
        return queryset.filter(at__gte=clock.now() - timedelta(days=int(value)))


class TenantFilter(LinkFilter):
    title, parameter_name = gettext_lazy("Tenant"), "tenant"

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        tenant_id = parse_object_id(value)
        return queryset.filter(tenant_id=tenant_id) if tenant_id else queryset.none()


class AuditAdmin(ServiceModelAdmin):
    title = gettext_lazy("Audit log")
    empty_text = gettext_lazy("What admins and operators change is listed here: who, when, from what to what.")
    navigation_position = 58
    list_display = ("when", "who", "what", "subject", "told")
    list_display_links = None
    list_filter = (OfFilter, KindFilter, PersonFilter, PeriodFilter, TenantFilter)
    ordering = ("-at",)
    sortable_by = ()
    actions = ()

    class Media:
        css: ClassVar[dict[str, list[str]]] = {"all": ["accounts/console/administration.css"]}

    def can(self, request: HttpRequest, permission: str) -> bool:
        actor = getattr(request, "actor", None)
        allowed = actor.can(Action.AUDIT_READ) if actor is not None else is_operator(request)
        return permission == "view" and bool(allowed)

    def get_navigation(self, request: HttpRequest) -> Iterable[Item]:
        if self.can(request, "view"):
            group = _("Platform") if request.actor is None else _("Administration")  # type: ignore[attr-defined]
            link = self.changelist_url
            yield Item(group, self.list_title, link, "history", request.path.startswith(link))

    def get_queryset(self, request: HttpRequest) -> ServiceWrittenQuerySet:
        actor = request.actor  # type: ignore[attr-defined]
        if actor is not None:
            return visible_entries(actor)
        assert isinstance(request.user, User)
        return platform_entries(request.user)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Model | None:
        """None: all there is to know of an entry is in the list."""
        return None

    def prepare_rows(self, request: HttpRequest, rows: list[AuditEntry]) -> list[AuditEntry]:
        actor = request.actor  # type: ignore[attr-defined]
        names = names_in(actor.tenant_id if actor else None, rows)
        for row in rows:
            row.names, row.is_within = names, actor is not None  # type: ignore[attr-defined]
        return rows

    @display(description=gettext_lazy("When"))
    def when(self, entry: AuditEntry) -> SafeString:
        return exact_moment(entry.at)

    @display(description=gettext_lazy("Who"))
    def who(self, entry: AuditEntry) -> SafeString:
        """A link to all that he did."""
        query = urlencode({"by": entry.by})
        return _link(f"{self.changelist_url}?{query}", _NOBODY.get(entry.by, entry.by))

    @display(description=gettext_lazy("What"))
    def what(self, entry: AuditEntry) -> str:
        words = {action: words for kind in KINDS.values() for action, words in kind.actions.items()}
        return str(words.get(entry.action, entry.action))

    @display(description=gettext_lazy("On"))
    def subject(self, entry: Any) -> SafeString | str:
        """Whom or what it was about, with the way there."""
        if not entry.is_within and entry.tenant_id is not None:
            link = f"{self.changelist_url}?{urlencode({'tenant': entry.tenant_id})}"
            return _link(link, entry.names.get(str(entry.tenant_id), entry.tenant_id))
        for field, page in PAGES.items():
            id_ = entry.details.get(field)
            if id_ is not None:
                name = entry.names.get(id_) or entry.details.get("number") or id_
                return _link(reverse(page, args=[id_]), name) if entry.is_within else name
        return "–"

    @display(description=gettext_lazy("Details"))
    def told(self, entry: Any) -> SafeString | str:
        lines = [*_changes_of(entry), *_facts_of(entry)]
        if not lines:
            return "–"
        items = format_html_join("", "<li>{}: {}</li>", lines)
        return format_html('<ul class="console-changes">{}</ul>', items)


def _changes_of(entry: Any) -> Iterator[tuple[Any, SafeString]]:
    for field, (old, new) in sorted(entry.details.get("changes", {}).items()):
        values = (_shown(field, old, entry.names), _shown(field, new, entry.names))
        yield FIELDS.get(field, field), format_html("<del>{}</del> → <ins>{}</ins>", *values)
    for field in entry.details.get("fields", ()):  # of the former version, which kept no values
        if field in FIELDS:
            yield FIELDS[field], format_html("{}", _("changed"))


def _facts_of(entry: Any) -> Iterator[tuple[Any, Any]]:
    for field, value in entry.details.items():
        if field in FIELDS:
            yield FIELDS[field], _shown(field, value, entry.names)


def _shown(field: str, value: Any, names: Mapping[str, str]) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(names.get(str(each), str(each)) for each in value) or "–"
    if value in (None, ""):
        return "–"
    return str(_CHOICES.get(field, {}).get(value) or names.get(str(value), value))


def _link(link: str, name: object) -> SafeString:
    return format_html('<a class="console-link" href="{}">{}</a>', link, name)


site.register(AuditEntry, AuditAdmin)
