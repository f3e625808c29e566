"""The base of every ModelAdmin here: asks the role table what is allowed, and writes through services only."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.decorators import display
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin, checkbox

from ticketing.console.changelist import COUNT_CAP, CappedPaginator, KeysetChangeList, sort_of, take_cursors
from ticketing.console.forms import ServiceForm, on_top_of
from ticketing.console.navigation import Item
from ticketing.console.refusals import explain
from ticketing.errors import NotAllowed, NotFound, StaleVersion, StorageUnavailable, TicketingError
from ticketing.mongo.pages import Count, Page, PageRequest

MAX_SELECTED = 100


@cache
def _checkbox(_language: str | None) -> str:
    """A row's checkbox in the language at hand, to be formatted with ``pk``."""
    return str(checkbox.render(ACTION_CHECKBOX_NAME, "{pk}"))


class ServiceModelAdmin(ModelAdmin):
    """A ModelAdmin that keeps Django's URLs, forms and hooks but never saves a model.

    Subclasses name the action that each permission needs, and call their services in ``create_through_service`` and
    ``change_through_service``. What a service refuses becomes an error of the form. Nothing is deleted, and Django's
    log entries are not written: the events and the audit log are the history. ``unique_orderings`` are fields by which
    no two rows of a list are alike.
    """

    permissions: ClassVar[Mapping[str, str]] = {}
    navigation_group: ClassVar[Any] = ""
    navigation_icon: ClassVar[str] = "list"
    navigation_position: ClassVar[int] = 100
    title: ClassVar[Any] = ""
    add_title: ClassVar[Any] = ""
    empty_text: ClassVar[Any] = ""

    form = ServiceForm
    add_form: ClassVar[type[ServiceForm] | None] = None
    paginator = CappedPaginator
    change_list_template = "console/change_list.html"
    change_form_template = "console/change_form.html"
    show_full_result_count = False
    list_per_page = 50
    unique_orderings: ClassVar[Sequence[str]] = ()
    list_disable_select_all = True
    list_filter_submit = True
    actions_on_top = True

    # --- who may what ---------------------------------------------------------------------------------------------

    def can(self, request: HttpRequest, permission: str) -> bool:
        """Whether the role table lets the person do what ``permissions`` says that ``permission`` needs."""
        action = self.permissions.get(permission)
        actor = getattr(request, "actor", None)
        return action is not None and actor is not None and bool(actor.can(action))

    def check_may(self, request: HttpRequest, permission: str) -> None:
        """Raises PermissionDenied where ``can`` says no; for views beside Django's."""
        if not self.can(request, permission):
            raise PermissionDenied

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.can(request, "view")

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.can(request, "view")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.can(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.can(request, "change")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    # --- lists ----------------------------------------------------------------------------------------------------

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only what the list's filters ask for. Django takes any column and operator from the URL: a regular expression
        over all rows, or the beginning of a password's hash."""
        filters: Any = self.list_filter if request is None else self.get_list_filter(request)
        return lookup in {each.parameter_name for each in filters}

    @display(description=ModelAdmin.action_checkbox.short_description)
    def action_checkbox(self, obj: Model) -> SafeString:
        """unfold's, whose template is rendered once instead of for every row."""
        return format_html(_checkbox(get_language()), pk=obj.pk)

    # --- what it adds to the site ---------------------------------------------------------------------------------

    def get_navigation(self, request: HttpRequest) -> Iterable[Item]:
        """The links in the side bar."""
        if self.navigation_group and self.has_module_permission(request):
            link = self.changelist_url
            active = request.path.startswith(link)
            yield Item(self.navigation_group, self.list_title, link, self.navigation_icon, active)

    def get_panels(self, request: HttpRequest) -> Iterable[str]:
        """Rendered parts of the overview."""
        return ()

    def get_page_links(self, request: HttpRequest, obj: Model) -> Iterable[Item]:
        """Links on the page of an object, which may be of another model."""
        return ()

    @property
    def list_title(self) -> str:
        """What the whole list is called."""
        return str(self.title or self.opts.verbose_name_plural.capitalize())

    @property
    def changelist_url(self) -> str:
        return reverse(f"console:{self.opts.app_label}_{self.opts.model_name}_changelist")

    # --- writing --------------------------------------------------------------------------------------------------

    def create_through_service(self, request: HttpRequest, values: dict[str, Any]) -> Model:
        """Calls the service that creates, with the form's cleaned values, and returns what is stored now."""
        raise NotImplementedError

    def change_through_service(
        self, request: HttpRequest, obj: Any, changes: dict[str, Any], expected_version: int | None
    ) -> Model:
        """Calls the service that changes, with the fields that the person changed, and returns what is stored now."""
        raise NotImplementedError

    def changes_since(self, request: HttpRequest, obj: Any, version: int) -> Sequence[str]:
        """What happened to the object after ``version``, one line each, for whoever was editing meanwhile."""
        return ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            stored = self.change_through_service(request, obj, form.changes, form.expected_version)
        else:
            stored = self.create_through_service(request, form.cleaned_data)
        obj.__dict__.update(stored.__dict__)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing: services write everything."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Nothing: services keep the history."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Nothing: services keep the history."""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        base = self.form if change or obj is not None else self.add_form or self.form
        return type(base.__name__, (base,), {"request": request, "refusal": getattr(request, "refusal", None)})

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        form = self.get_form(request, obj)
        names = [name for name in form.base_fields if name != "version"]
        first = [name for name in form.field_order or () if name in names]
        return [*first, *(name for name in names if name not in first)]

    def _changeform_view(
        self, request: HttpRequest, object_id: str | None, form_url: str, extra_context: dict[str, Any] | None
    ) -> HttpResponse:
        """Django's view; what a service refuses shows in the form, with everything that was typed."""
        view: Callable[..., HttpResponse] = super()._changeform_view
        try:
            return view(request, object_id, form_url, extra_context)
        except (NotFound, StorageUnavailable):
            raise
        except NotAllowed as error:
            raise PermissionDenied(explain(error)) from error
        except TicketingError as error:
            refusal = error
        if isinstance(refusal, StaleVersion) and object_id is not None:
            refusal = self._take_up(request, object_id)
        request.refusal = refusal  # type: ignore[attr-defined]
        return view(request, object_id, form_url, extra_context)

    def _take_up(self, request: HttpRequest, object_id: str) -> TicketingError:
        """Lays a stale form's input on top of the object as it is now; returns what to tell about it."""
        obj = self.get_object(request, object_id)
        if obj is None:
            raise NotFound
        form = self.get_form(request, obj, change=True)
        seen = int(request.POST["version"])
        data = request.POST.copy()
        on_top_of(data, form(request.POST, request.FILES, instance=obj), form(instance=obj))
        request.POST = data  # type: ignore[assignment]
        told = "; ".join(self.changes_since(request, obj, seen))
        return StaleVersion(
            " ".join(
                [
                    _("This was changed while you had it open%(what)s.") % {"what": f": {told}" if told else ""},
                    _("Nothing of yours is lost or saved yet: look at it again and save."),
                ]
            )
        )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Django's page with one button, the object's name as its title and the way back to the list."""
        if context["original"] is not None:
            context["title"], context["subtitle"] = str(context["original"]), None
        elif self.add_title:
            context["title"] = self.add_title
        context |= {"show_save_and_continue": False, "show_save_and_add_another": False}
        if context["original"] is not None:
            context["page_links"] = self.admin_site.get_page_links(request, context["original"])
        if self.can(request, "view"):
            context["list_url"] = self.changelist_url
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Django's, in words that need no gender of the model's name."""
        self.message_user(request, _("“%(name)s” was added.") % {"name": obj}, messages.SUCCESS)
        response: HttpResponse = self.response_post_save_add(request, obj)
        return response

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Django's, in words that need no gender of the model's name."""
        self.message_user(request, _("“%(name)s” was saved.") % {"name": obj}, messages.SUCCESS)
        response: HttpResponse = self.response_post_save_change(request, obj)
        return response

    # --- missing things -------------------------------------------------------------------------------------------

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if object_id is not None and not self.has_view_or_change_permission(request):
            raise PermissionDenied  # before the object is looked for: an operator outside of a tenant has no actor
        try:
            response: HttpResponse = super().changeform_view(request, object_id, form_url, extra_context)
        except NotFound:
            return self.missing(request)
        return response

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Not offered: it would show Django's log entries."""
        return self.missing(request)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Not offered: nothing is deleted."""
        return self.missing(request)

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        return self.missing(request)

    def missing(self, request: HttpRequest) -> HttpResponse:
        """404, the same for what does not exist, what belongs to another tenant and what is not offered."""
        context = {**self.admin_site.each_context(request), "title": _("Not found"), "list_url": self.changelist_url}
        return HttpResponseNotFound(render_to_string("console/missing.html", context, request))

    # --- what cannot be undone ------------------------------------------------------------------------------------

    def ask_first(
        self,
        request: HttpRequest,
        *,
        title: str,
        text: str,
        button: str,
        back: str,
        names: Sequence[str] = (),
        given: Sequence[tuple[str, Any]] = (),
    ) -> HttpResponse:
        """A page that asks whether somebody means it, and posts ``given`` and ``confirmed`` to its own address if so.

        ``names`` are what it is about; ``back`` is where whoever does not mean it goes.
        """
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "text": text,
            "names": names,
            "button": button,
            "back": back,
            "given": given,
            "opts": self.opts,
        }
        return TemplateResponse(request, "console/ask_first.html", context)

    # --- lists ----------------------------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return KeysetChangeList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        take_cursors(request)
        response: HttpResponse = super().changelist_view(request, {"title": self.list_title, **(extra_context or {})})
        return response

    def get_columns(self) -> Sequence[str]:
        """The columns that a row of the list needs (none: all)."""
        return ()

    def get_page(self, request: HttpRequest, rows: Any, asked: PageRequest) -> Page:
        """One page of the filtered and ordered rows. Raises InvalidInput for a bad cursor."""
        page: Page = rows.page(sort_of(rows), asked, *self.get_columns())
        return page

    def get_empty_text(self, request: HttpRequest) -> str:
        """What a list without rows says about what comes here and how."""
        return str(self.empty_text)

    def count_rows(self, request: HttpRequest, rows: Any, page: Page | None = None) -> Count:
        """How many rows match; COUNT_CAP + 1 stands for any larger number. ``page`` is what was read of them."""
        return Count(int(rows[: COUNT_CAP + 1].count()))

    def prepare_rows(self, request: HttpRequest, rows: list[Any]) -> list[Any]:
        """The rows with the names they show, which are looked up in one batch."""
        return rows

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Django's, which trusts the selected keys to be well-formed."""
        key = self.opts.pk
        try:
            for selected in request.POST.getlist(ACTION_CHECKBOX_NAME):
                key.to_python(selected)
        except ValidationError:
            self.message_user(request, _("The selection cannot be read; select again."), messages.ERROR)
            return None
        response: HttpResponse | None = super().response_action(request, queryset)
        return response

    def selected_rows(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """The rows that an action is for; none where they are too many, which is told."""
        rows = list(queryset[: MAX_SELECTED + 1])
        if len(rows) <= MAX_SELECTED:
            return rows
        text = _("Select at most %(limit)d at once; nothing was changed.") % {"limit": MAX_SELECTED}
        self.message_user(request, text, messages.ERROR)
        return []

    def work_on_selected(self, request: HttpRequest, queryset: QuerySet[Any], work: Callable[[Any], object]) -> None:
        """A bulk action: calls ``work`` for each selected row and tells what became of each."""
        rows = self.selected_rows(request, queryset)
        refused = []
        for row in rows:
            try:
                work(row)
            except TicketingError as error:
                refused.append(f"{row}: {explain(error)}")
        done = len(rows) - len(refused)
        if done:
            text = ngettext("%(count)d was changed.", "%(count)d were changed.", done) % {"count": done}
            self.message_user(request, text, messages.SUCCESS)
        for text in refused:
            self.message_user(request, text, messages.WARNING)
