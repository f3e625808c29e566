"""The ticket page's form, and the one that opens a ticket for somebody."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.console.acting import actor_of
from ticketing.console.forms import ServiceForm
from ticketing.mongo import ObjectId, parse_object_id
from tickets.console.choices import agent_choices, team_choices
from tickets.conversation.models import Visibility
from tickets.drafts.sending import Answer
from tickets.models import Priority, Status, Ticket, Type
from tickets.rules import MAX_CATEGORY, MAX_TITLE
from tickets.services import allowed_transitions

NOBODY = ("", "–")


class _FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True
    template_name = "django/forms/widgets/file.html"


class IdChoiceField(forms.TypedChoiceField):
    """A choice among documents by their id, or none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(coerce=ObjectId, empty_value=None, required=False, widget=UnfoldAdminSelectWidget, **kwargs)

    def prepare_value(self, value: Any) -> str:
        return "" if value is None else str(value)


class TagsField(forms.CharField):
    """Tags between commas."""

    def to_python(self, value: Any) -> Any:
        return value if isinstance(value, list) else [tag.strip() for tag in str(value or "").split(",") if tag.strip()]

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value


def _select(label: Any, choices: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=choices, widget=UnfoldAdminSelectWidget)


def _text(label: Any, max_length: int, **kwargs: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=max_length, widget=UnfoldAdminTextInputWidget, **kwargs)


class FilesField(forms.FileField):
    """Any number of files; which of them are taken is the service's to say."""

    widget = _FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        return [file for file in (data or []) if file]


class UploadIdsField(forms.Field):
    """The ids of files that were sent to an address of their own; what is none is left out."""

    widget = forms.MultipleHiddenInput

    def clean(self, value: Any) -> list[ObjectId]:
        return [id_ for id_ in map(parse_object_id, value or []) if id_ is not None]


class _TicketFields(ServiceForm):
    """What both forms share."""

    api_names = {"team": "team", "assigned_to": "assigned_to", "body": "reply"}

    priority = _select(_("Priority"), Priority.choices)
    assigned_to = IdChoiceField(label=_("Assignee"))
    team = IdChoiceField(label=_("Team"))
    category = _text(_("Category"), MAX_CATEGORY, required=False)
    tags = TagsField(
        label=_("Tags"), required=False, widget=UnfoldAdminTextInputWidget, help_text=_("Separated by commas")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Read when they are shown or checked: the ticket page reads the agents together with other people.
        self._choices("assigned_to").choices = lambda: [
            NOBODY,
            *self._present("assigned_to", agent_choices(self.request)),
        ]
        self._choices("team").choices = lambda: [NOBODY, *self._present("team", team_choices(self.request))]

    def _choices(self, name: str) -> forms.ChoiceField:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        return field

    def _present(self, name: str, choices: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """The choices, with the present one among them even if it can no longer be chosen anew."""
        present = self.initial.get(name)
        if present is None or any(value == str(present) for value, _label in choices):
            return choices
        return [(str(present), str(_("(inactive)"))), *choices]


class TicketForm(_TicketFields):
    """Reply, note and fields in one: what is left untouched is not changed. ``send_status`` is the status of the button
    that sends and sets one."""

    api_names = {**_TicketFields.api_names, "upload_id": "attachments"}

    title = _text(_("Title"), MAX_TITLE)
    description = forms.CharField(
        label=_("Description"), required=False, strip=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 6})
    )
    type = _select(_("Type"), Type.choices)
    status = _select(_("Status"), ())
    send_status = forms.ChoiceField(required=False)
    reply = forms.CharField(
        label=_("Your text"),
        required=False,
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 6, "autocomplete": "off"}),  # the draft, not the browser's idea
    )
    attachments = FilesField(label=_("Files"), required=False)
    upload_ids = UploadIdsField(required=False)
    visibility = forms.ChoiceField(choices=Visibility.choices, initial=Visibility.PUBLIC.value, required=False)

    # Without it a form that would close the ticket asks first, as nobody can open it again.
    close_confirmed = forms.BooleanField(required=False)
    waits_to_be_sent: ClassVar[bool] = False  # what waits can be taken back

    _ANSWER = ("reply", "visibility", "attachments", "upload_ids", "send_status", "close_confirmed")

    class Meta:
        model = Ticket
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asks_to_close = False
        for name in self._ANSWER:
            self.fields[name].show_hidden_initial = False
        ticket = self.instance
        actor = actor_of(self.request)
        possible = {ticket.status, *allowed_transitions(actor, {"status": ticket.status})}
        choices = [choice for choice in Status.choices if choice[0] in possible]
        self._choices("status").choices = self._choices("send_status").choices = choices

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("attachments") and Status.CLOSED in (cleaned.get("status"), cleaned.get("send_status")):
            self.add_error("attachments", _("A closed ticket takes no files: add them first, then close it."))
        if self._closes(cleaned) and not (self.waits_to_be_sent or cleaned.get("close_confirmed")):
            self.asks_to_close = True
            self.add_error("status", _("Nobody can reopen a closed ticket or answer in it. Save again to close it."))
        return cleaned

    def _closes(self, cleaned: dict[str, Any]) -> bool:
        chosen = (cleaned.get("status"), cleaned.get("send_status"))
        return Status.CLOSED in chosen and self.instance.status != Status.CLOSED

    @property
    def field_changes(self) -> dict[str, Any]:
        """The changed fields of the ticket itself."""
        return {name: value for name, value in self.changes.items() if name not in self._ANSWER}

    @property
    def answer(self) -> Answer:
        """What the button sends: the text with its files, and with it the changed fields."""
        chosen = self.cleaned_data["send_status"]
        return Answer(
            body=self.cleaned_data["reply"],
            visibility=self.cleaned_data["visibility"] or Visibility.PUBLIC.value,
            changes={**self.field_changes, **({"status": chosen} if chosen else {})},
            upload_ids=self.cleaned_data["upload_ids"],
        )


class NewTicketForm(_TicketFields):
    """Opens a ticket for a customer."""

    api_names = {**_TicketFields.api_names, "requester": "requester_email"}

    requester_email = forms.EmailField(
        label=_("Requester's e-mail"),
        widget=UnfoldAdminEmailInputWidget(attrs={"list": "requesters", "autocomplete": "off"}),
    )
    title = _text(_("Title"), MAX_TITLE)
    description = forms.CharField(
        label=_("Description"), required=False, strip=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 8})
    )
    type = _select(_("Type"), Type.choices)

    field_order = ["requester_email", "title", "description", "type"]

    class Meta:
        model = Ticket
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {"priority": Priority.NORMAL.value, "type": Type.QUESTION.value, **self.initial}
