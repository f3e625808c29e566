"""What the ticket endpoints take."""

from typing import Any

from rest_framework import serializers

from accounts.actor import Actor
from accounts.roles import Action
from ticketing.api.serializers import (
    LineField,
    ObjectIdField,
    StrictSerializer,
    TextField,
    WordsField,
)
from tickets.conversation.models import Visibility
from tickets.models import Priority, Status, Type
from tickets.rules import MAX_CATEGORY, MAX_TAG

AGENT_ID = "665f1c2ab7e4d2a1c0ffee01"
UPLOAD_ID = "665f1c2ab7e4d2a1c0ffee50"
HIDDEN = {"base_template": "input.html", "input_type": "hidden"}


class IdsField(WordsField):
    """A list of ids; a form has one input with the ids between commas."""

    child = ObjectIdField()  # type: ignore[assignment] # a list of anything, as DRF types it


class NewTicketInput(StrictSerializer):
    """A ticket to open. Tags, assignment, team, followers and the requester are staff's to set."""

    title = LineField(help_text="What it is about, in one line")
    description = TextField(required=False, allow_blank=True, help_text="Markdown, at most 64 KB")
    priority = serializers.ChoiceField(choices=Priority.choices, required=False, initial=Priority.NORMAL.value)
    category = LineField(max_length=MAX_CATEGORY, required=False, allow_blank=True)
    type = serializers.ChoiceField(choices=Type.choices, required=False, initial=Type.QUESTION.value)
    tags = WordsField(child=LineField(max_length=MAX_TAG), required=False)
    requester = ObjectIdField(required=False, allow_null=True, help_text="For whom it is opened; default: the caller")
    requester_email = serializers.EmailField(required=False, allow_null=True, help_text="The same, by e-mail address")
    assigned_to = ObjectIdField(required=False, allow_null=True, help_text="An active agent")
    team = ObjectIdField(required=False, allow_null=True)
    followers = IdsField(required=False)

    example = {"title": "VPN drops every hour", "description": "Since Monday, **only** at home.", "priority": "high"}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("requester") and attrs.get("requester_email"):
            raise serializers.ValidationError({"requester_email": "give either requester or requester_email"})
        return attrs


class TicketInput(StrictSerializer):
    """All that can be changed of a ticket. Customers may change title, description and status; the rest as it is."""

    title = LineField()
    description = TextField(allow_blank=True, help_text="Markdown, at most 64 KB")
    status = serializers.ChoiceField(choices=Status.choices, help_text="One of the ticket's allowed_transitions")
    priority = serializers.ChoiceField(choices=Priority.choices)
    category = LineField(max_length=MAX_CATEGORY, allow_blank=True)
    type = serializers.ChoiceField(choices=Type.choices)
    tags = WordsField(child=LineField(max_length=MAX_TAG))
    assigned_to = ObjectIdField(allow_null=True, help_text="An active agent, or null")
    team = ObjectIdField(allow_null=True)
    followers = IdsField()
    version = serializers.IntegerField(
        required=False, min_value=1, style=HIDDEN, help_text="The version that was read, where If-Match cannot be sent"
    )

    example = {
        "title": "VPN drops every hour",
        "description": "Since Monday, **only** at home.",
        "status": "open",
        "priority": "urgent",
        "category": "Network",
        "type": "incident",
        "tags": ["vpn"],
        "assigned_to": AGENT_ID,
        "team": None,
        "followers": [],
        "version": 3,
    }


class NewCommentInput(StrictSerializer):
    """An answer, or, from staff only, an internal note."""

    body = TextField(help_text="Markdown, at most 64 KB")
    visibility = serializers.ChoiceField(
        choices=Visibility.choices, required=False, initial=Visibility.PUBLIC.value, help_text="internal is staff's"
    )

    example = {"body": "It works again, thank you!"}


class CommentInput(StrictSerializer):
    """A comment's new text; only its author may give it, within the allowed minutes."""

    body = TextField(help_text="Markdown, at most 64 KB")
    version = serializers.IntegerField(
        required=False, min_value=1, style=HIDDEN, help_text="The version that was read, where If-Match cannot be sent"
    )

    example = {"body": "It works again since 9:30, thank you!"}


class NewAttachmentInput(StrictSerializer):
    """A file for a ticket or for one of its comments."""

    file = serializers.FileField(help_text="At most 20 MB by default")
    comment = ObjectIdField(required=False, allow_null=True, help_text="The comment that it belongs to, if any")
    visibility = serializers.ChoiceField(
        choices=Visibility.choices, required=False, initial=Visibility.PUBLIC.value, help_text="internal is staff's"
    )


class CompletedUploadInput(StrictSerializer):
    """An upload whose bytes have arrived, to become an attachment."""

    upload_id = ObjectIdField(help_text="As it was answered when the file was announced")

    example = {"upload_id": UPLOAD_ID}


class NewUploadInput(StrictSerializer):
    """A file that will be sent to an address of its own, for a ticket or for one of its comments."""

    name = serializers.CharField(max_length=1000, help_text="The file's name")
    size = serializers.IntegerField(min_value=1, help_text="Bytes, at most 100 MiB by default")
    content_type = serializers.CharField(max_length=255, help_text="The media type")
    sha256 = serializers.RegexField(
        r"^[0-9a-fA-F]{64}$", required=False, help_text="The checksum in hexadecimal; other bytes are refused then"
    )
    comment = ObjectIdField(required=False, allow_null=True, help_text="The comment that it belongs to, if any")
    visibility = serializers.ChoiceField(
        choices=Visibility.choices, required=False, initial=Visibility.PUBLIC.value, help_text="internal is staff's"
    )

    example = {"name": "core.dump", "size": 73400320, "content_type": "application/octet-stream"}


class MergeInput(StrictSerializer):
    """Which ticket a duplicate is merged into."""

    into = LineField(max_length=24, help_text="The other ticket's id or number")

    example = {"into": "41"}


class RelatedTicketInput(StrictSerializer):
    """A ticket to link."""

    ticket = LineField(max_length=24, help_text="The other ticket's id or number")

    example = {"ticket": "41"}


class SplitInput(StrictSerializer):
    """The ticket to make of a comment."""

    title = LineField(
        required=False,
        help_text="Default: the first words, or the ticket's title where the requester did not write them",
    )

    example = {"title": "The door is stuck, too"}


def without_visibility(
    actor: Actor, serializer: serializers.Serializer[Any], *, is_form: bool
) -> serializers.Serializer[Any]:
    """The input without a choice that the actor has not got, where it becomes a form."""
    if is_form and not actor.can(Action.COMMENTS_ADD_INTERNAL):
        serializer.fields.pop("visibility")
    return serializer
