"""Input of the ticket endpoints, and the shapes of their answers for the OpenAPI document."""

from typing import Any

from rest_framework import serializers

from ticketing.api.serializers import (
    LineField,
    ObjectIdField,
    StrictSerializer,
    TextField,
    UTCDateTimeField,
    WordsField,
)
from tickets.conversation.models import Visibility
from tickets.models import Channel, Priority, Status, Type
from tickets.rules import MAX_CATEGORY, MAX_TAG

EXAMPLE_ID = "665f1c2ab7e4d2a1c0ffee01"
EXAMPLE_TIME = "2026-02-01T09:30:00.000Z"
HIDDEN = {"base_template": "input.html", "input_type": "hidden"}


class IdsField(WordsField):
    """A list of ids; a form has one input with the ids between commas."""

    child = ObjectIdField()


# --- Input ------------------------------------------------------------------------------------------------------------
class NewTicketSerializer(StrictSerializer):
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


class TicketReplacementSerializer(StrictSerializer):
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
        "assigned_to": EXAMPLE_ID,
        "team": None,
        "followers": [],
        "version": 3,
    }


class TicketChangesSerializer(TicketReplacementSerializer):
    """The members to change; what is left out stays."""

    example = {"status": "pending", "priority": "low"}


class NewCommentSerializer(StrictSerializer):
    """An answer, or, from staff only, an internal note."""

    body = TextField(help_text="Markdown, at most 64 KB")
    visibility = serializers.ChoiceField(
        choices=Visibility.choices, required=False, initial=Visibility.PUBLIC.value, help_text="internal is staff's"
    )

    example = {"body": "It works again, thank you!"}


class CommentChangesSerializer(StrictSerializer):
    """A comment's new text; only its author may give it, within the allowed minutes."""

    body = TextField(help_text="Markdown, at most 64 KB")
    version = serializers.IntegerField(
        required=False, min_value=1, style=HIDDEN, help_text="The version that was read, where If-Match cannot be sent"
    )

    example = {"body": "It works again since 9:30, thank you!"}


class NewAttachmentSerializer(StrictSerializer):
    """A file for a ticket or for one of its comments."""

    file = serializers.FileField(help_text="At most 20 MB by default")
    comment = ObjectIdField(required=False, allow_null=True, help_text="The comment that it belongs to, if any")
    visibility = serializers.ChoiceField(
        choices=Visibility.choices, required=False, initial=Visibility.PUBLIC.value, help_text="internal is staff's"
    )


# --- Answers ----------------------------------------------------------------------------------------------------------
class PersonSerializer(serializers.Serializer[Any]):
    """Somebody, as far as the reader may know him: e-mail addresses are for staff."""

    id = ObjectIdField()
    name = serializers.CharField()
    is_staff = serializers.BooleanField()
    email = serializers.EmailField(allow_null=True)


class CommentSerializer(serializers.Serializer[Any]):
    """A comment. Customers see public ones only."""

    id = ObjectIdField()
    ticket = ObjectIdField()
    author = PersonSerializer(allow_null=True)
    visibility = serializers.ChoiceField(choices=Visibility.choices)
    body = serializers.CharField(help_text="The Markdown source")
    body_html = serializers.CharField(help_text="Sanitised HTML")
    created_at = UTCDateTimeField()
    edited_at = UTCDateTimeField(allow_null=True)
    version = serializers.IntegerField()


class PageInfoSerializer(serializers.Serializer[Any]):
    """Where a page stands: pass ``after`` or ``before`` on to read the next or the previous one."""

    limit = serializers.IntegerField()
    has_more = serializers.BooleanField()
    after = serializers.CharField(allow_null=True)
    before = serializers.CharField(allow_null=True)


class CommentPageSerializer(serializers.Serializer[Any]):
    """The first page of a ticket's comments, oldest first; the rest is at the ticket's comments."""

    data = CommentSerializer(many=True)
    page = PageInfoSerializer()


class AttachmentSerializer(serializers.Serializer[Any]):
    """What is known about a file. The sender declared ``content_type``; ``sniffed_type`` is what the bytes say."""

    id = ObjectIdField()
    ticket = ObjectIdField()
    comment = ObjectIdField(allow_null=True)
    visibility = serializers.ChoiceField(choices=Visibility.choices)
    name = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes")
    content_type = serializers.CharField()
    sniffed_type = serializers.CharField()
    sha256 = serializers.CharField()
    uploaded_by = ObjectIdField(allow_null=True)
    created_at = UTCDateTimeField()
    url = serializers.URLField(help_text="Where the bytes are; needs the same sign-in")


class TicketRowSerializer(serializers.Serializer[Any]):
    """A ticket in a list. The last three members are there when ``include`` asks for them."""

    id = ObjectIdField()
    number = serializers.IntegerField(help_text="Unique in the tenant; paths take it in place of the id")
    url = serializers.URLField()
    title = serializers.CharField()
    description = serializers.CharField(help_text="The Markdown source")
    status = serializers.ChoiceField(choices=Status.choices)
    priority = serializers.ChoiceField(choices=Priority.choices)
    category = serializers.CharField()
    type = serializers.ChoiceField(choices=Type.choices)
    tags = serializers.ListField(child=serializers.CharField())
    channel = serializers.ChoiceField(choices=Channel.choices)
    created_by = ObjectIdField(help_text="The requester")
    assigned_to = ObjectIdField(allow_null=True)
    team = ObjectIdField(allow_null=True)
    followers = serializers.ListField(child=ObjectIdField())
    comment_count = serializers.IntegerField(help_text="Comments that the reader may see")
    attachment_count = serializers.IntegerField(help_text="Files that the reader may see")
    version = serializers.IntegerField()
    created_at = UTCDateTimeField()
    updated_at = UTCDateTimeField()
    first_responded_at = UTCDateTimeField(allow_null=True)
    resolved_at = UTCDateTimeField(allow_null=True)
    closed_at = UTCDateTimeField(allow_null=True)
    reopened_count = serializers.IntegerField()
    created_by_user = PersonSerializer(required=False)
    assigned_to_user = PersonSerializer(required=False, allow_null=True)
    comments = CommentPageSerializer(required=False)


class TicketSerializer(TicketRowSerializer):
    """A ticket with the first page of its comments, its files and what the reader may do next."""

    created_by_user = PersonSerializer()
    assigned_to_user = PersonSerializer(allow_null=True)
    comments = CommentPageSerializer()
    description_html = serializers.CharField(help_text="Sanitised HTML")
    attachments = AttachmentSerializer(many=True, help_text="The first 100")
    allowed_transitions = serializers.ListField(
        child=serializers.ChoiceField(choices=Status.choices), help_text="The statuses that the reader may choose next"
    )
    comments_url = serializers.URLField()
    attachments_url = serializers.URLField()


class EventActorSerializer(serializers.Serializer[Any]):
    """Who did it, as he was then; ``id`` null is the platform itself, ``key`` the API key's name if it was one."""

    id = ObjectIdField(allow_null=True)
    name = serializers.CharField()
    role = serializers.CharField()
    via = serializers.CharField()
    key = serializers.CharField()


class FieldChangeSerializer(serializers.Serializer[Any]):
    """A member's value before and after."""

    old = serializers.JSONField(allow_null=True)
    new = serializers.JSONField(allow_null=True)


class EventSerializer(serializers.Serializer[Any]):
    """Something that happened to a ticket. Events of one change share the ticket's version that it made."""

    id = ObjectIdField()
    ticket = ObjectIdField()
    type = serializers.CharField(help_text="In dotted past tense, such as ticket.status_changed")
    version = serializers.IntegerField()
    actor = EventActorSerializer()
    changes = serializers.DictField(child=FieldChangeSerializer())
    data = serializers.DictField(child=serializers.JSONField(allow_null=True))
    at = UTCDateTimeField()
