"""Forms whose input goes to a service: they carry the version that was read and show what the service refused."""

from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from ticketing.console.refusals import explain, in_words
from ticketing.errors import TicketingError


class ServiceForm(forms.ModelForm):  # type: ignore[type-arg]
    """A ModelForm that nobody saves: its fields are all declared, and services check what is in them.

    ServiceModelAdmin sets ``request`` and, to show what a service refused, ``refusal``. Each field carries its first
    value along, so that ``changed_data`` is what the person changed, whatever is stored by now. ``api_names`` maps a
    service's names of fields to the form's where they differ. Subclasses have a Meta of ``model`` and ``fields = ()``.
    """

    request: HttpRequest
    refusal: TicketingError | None = None
    api_names: ClassVar[dict[str, str]] = {}

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            del self.fields["version"]
            return
        columns = {field.name: field for field in self.instance._meta.concrete_fields}
        for name, field in self.fields.items():
            if name in columns:
                self.initial.setdefault(name, columns[name].value_from_object(self.instance))
            field.show_hidden_initial = name != "version" and not isinstance(field, forms.FileField)
        if "version" not in columns:
            del self.fields["version"]

    def _post_clean(self) -> None:
        """Nothing: the instance stays as it was read."""

    @property
    def changes(self) -> dict[str, Any]:
        """What the person changed, cleaned."""
        names = (name for name in self.changed_data if name in self.cleaned_data and name != "version")
        return {name: self.cleaned_data[name] for name in names}

    @property
    def expected_version(self) -> int | None:
        """The version that the person was looking at."""
        version: int | None = self.cleaned_data.get("version")
        return version

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "version" in self.fields and cleaned.get("version") is None:
            raise forms.ValidationError(_("The form is incomplete: open the page again."))
        if self.refusal is not None:
            self._show(self.refusal)
        return cleaned

    def _show(self, refusal: TicketingError) -> None:
        unplaced = not refusal.errors
        for error in refusal.errors:
            name = self.api_names.get(error.field, error.field)
            if name in self.fields:
                told = in_words(error.message)
                self.add_error(name, told[:1].upper() + told[1:])
            else:
                unplaced = True
        if unplaced:
            self.add_error(None, explain(refusal))


def on_top_of(data: QueryDict, posted: ServiceForm, stored: ServiceForm) -> None:
    """Lays what was typed on top of what is stored now: only untouched fields take the new values.

    ``data`` is the stale input, which is changed, ``posted`` the form bound to it, ``stored`` unbound on the object as
    it is now.
    """
    touched = posted.changed_data
    for name, field in stored.fields.items():
        if isinstance(field, forms.FileField):
            continue
        bound = stored[name]
        value = bound.value()
        texts = (
            [str(each) for each in value] if isinstance(value, list | tuple) else ["" if value is None else str(value)]
        )
        data.setlist(bound.html_initial_name, texts)
        if name == "version" or name not in touched:
            data.setlist(bound.html_name, texts)
